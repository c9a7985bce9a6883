"""What one page of a transcript needs: the upstream calls, made side by side, as a `Section`.

The places where servers differ meet here: whether the answer is among the messages, whether
ids tell positions, whether a call is there at all. Knows nothing of HTTP towards the reader.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar

from webapp.completions import Choice, Completion, Page
from webapp.messages import Message
from webapp.transcript import (
    Entry,
    arrange,
    first_number,
    mark_outputs,
    message_index,
    output_entries,
    top_level,
)
from webapp.upstream import (
    BadAnswer,
    BadRequest,
    Deadline,
    NotFound,
    Upstream,
    UpstreamError,
    usable_cursor,
)

T = TypeVar("T")
Order = Literal["asc", "desc"]

FRESH_SECONDS: Final = 10
"""A completion this young may answer 404 for a moment: it is not stored everywhere yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which messages the reader asked for; the first three as in the API.

    `shown` counts the messages in front of `after`, for servers whose ids do not tell.
    """

    after: str | None = None
    limit: int = 20
    order: Order = "asc"
    shown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One page of a transcript, ready to be shown in `order`.

    `next_after` is the cursor of the page that follows, `earlier_than` the id of the message
    in front of which more can be asked for; each is None where nothing is known to follow.
    `outputs` are the choices that are due here and are not among the messages.
    `seen` counts the messages up to the end of this section, `total` all of them if known.
    `cut_off` tells that the server says there is more and gives no cursor for it.
    """

    completion_id: str
    window: Window
    entries: tuple[Entry, ...]
    completion: Completion | None
    outputs: tuple[Entry, ...] = ()
    problems: tuple[UpstreamError, ...] = ()
    next_after: str | None = None
    earlier_than: str | None = None
    seen: int | None = None
    total: int | None = None
    cut_off: bool = False

    @property
    def top_level(self) -> tuple[Entry, ...]:
        return top_level(self.entries)

    @property
    def lacks_messages(self) -> UpstreamError | None:
        """Why there are no messages, when they could not be read."""
        failed = self.problems and self.completion is not None
        return self.problems[0] if failed and not self.entries else None

    @property
    def choice_count(self) -> int:
        return len(self.completion.choices) if self.completion else 0

    @property
    def numbered(self) -> bool:
        """Whether the ids of the messages tell their places."""
        messages = [entry.message for entry in self.entries]
        return first_number(self.completion_id, messages, self.window.order) is not None

    @property
    def progress(self) -> str:
        """`40 of 143`, or `40 so far` when the server does not tell how many there are."""
        if self.seen is None:
            return ""
        if self.total is None:
            return f"{self.seen:,} so far"
        return f"{self.seen:,} of {self.total:,}"


class Reader:
    """Reads sections from one upstream; shared by all requests of a process.

    `input_only` tells that the server is known to list only the input messages.
    """

    def __init__(self, upstream: Upstream, *, input_only: bool, threads: int) -> None:
        self._upstream = upstream
        self._input_only = input_only
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="upstream")

    def section(self, completion_id: str, window: Window, deadline: Deadline) -> Section:
        """The messages that `window` asks for, and the outputs when they are due.

        Raises `UpstreamError` when neither messages nor completion can be read. At the start of
        a transcript one of them is enough: the section holds it and what went wrong with the
        other. Further on there is nothing to show without messages.
        """
        page, completion = self._both(
            lambda: self._messages(completion_id, window, deadline),
            lambda: self._upstream.retrieve_completion(completion_id, deadline=deadline),
        )
        page, completion = self._once_stored(completion_id, window, page, completion, deadline)
        if isinstance(page, UpstreamError):
            if isinstance(completion, UpstreamError) or window.after is not None:
                raise page
            return _answer_only(completion_id, window, completion, page)
        page = self._ended(completion_id, window, page, deadline)
        section = self._put_together(completion_id, window, page, completion, deadline)
        return self._counted(section, page, deadline)

    def following(
        self, section: Section, new_deadline: Callable[[], Deadline]
    ) -> Iterator[Section | UpstreamError]:
        """The sections after `section` to the end, each under a deadline of its own.

        An error is the last thing it gives; what was given before stays good.
        """
        guard = {section.window.after}
        while section.next_after is not None:
            if section.next_after in guard:
                yield BadAnswer("The server gives the same messages again and again.")
                return
            guard.add(section.next_after)
            window = replace(section.window, after=section.next_after, shown=section.seen or 0)
            try:
                page = self._messages(section.completion_id, window, new_deadline())
                section = self._put_together(
                    section.completion_id, window, page, section.completion, new_deadline()
                )
            except UpstreamError as problem:
                yield problem
                return
            yield section

    def around(
        self, completion_id: str, message_id: str, window: Window, deadline: Deadline
    ) -> Section:
        """The section that begins with message `message_id`, for two message calls.

        There is no call for one message; but the one in front of it (`order=desc`) is the
        cursor of a page that begins with it. Raises `NotFound` when it is not there.
        """
        before, completion = self._both(
            lambda: self._upstream.list_messages(
                completion_id, after=message_id, order="desc", limit=1, deadline=deadline
            ),
            lambda: self._upstream.retrieve_completion(completion_id, deadline=deadline),
        )
        if isinstance(before, BadRequest):
            raise _no_such_message(message_id, before) from before
        if isinstance(before, UpstreamError):
            raise before
        window = replace(window, order="asc", after=before.data[0].id if before.data else None)
        if message_id in _ids(before):
            # A server that ignores the cursor has given all its messages.
            window, page = _from_message(message_id, window, before)
        else:
            page = self._messages(completion_id, window, deadline)
        if _ids(page)[:1] != [message_id]:
            raise _no_such_message(message_id)
        return self._put_together(completion_id, window, page, completion, deadline)

    def earlier(
        self, completion_id: str, message_id: str, window: Window, deadline: Deadline
    ) -> Section:
        """The messages in front of `message_id`, in request order."""
        backwards = replace(window, order="desc", after=message_id)
        try:
            page = self._messages(completion_id, backwards, deadline)
        except BadRequest as refusal:
            raise _no_such_message(message_id, refusal) from refusal
        messages = page.data[::-1]
        number = first_number(completion_id, messages, "asc")
        entries = arrange(messages, first=number, is_last=False)
        more = usable_cursor(page, after=message_id)
        return Section(
            completion_id=completion_id,
            window=window,
            entries=entries,
            completion=None,
            next_after=messages[-1].id if messages else None,
            earlier_than=more,
            seen=None if number is None else number - 1 + len(messages),
        )

    def message(self, completion_id: str, message_id: str, deadline: Deadline) -> Message:
        """One message. Raises `UpstreamError`, `NotFound` among them."""
        return self._upstream.retrieve_message(completion_id, message_id, deadline=deadline)

    def choice(self, completion_id: str, place: int, deadline: Deadline) -> Choice:
        """The output at `place`, counted from 0. Raises `NotFound` when there are fewer."""
        completion = self._upstream.retrieve_completion(completion_id, deadline=deadline)
        if not 0 <= place < len(completion.choices):
            raise NotFound(f"The completion has no choice {place}.")
        return completion.choices[place]

    def _messages(
        self, completion_id: str, window: Window, deadline: Deadline, created: int | None = None
    ) -> Page[Message]:
        page = self._upstream.list_messages(
            completion_id,
            after=window.after,
            limit=window.limit,
            order=window.order,
            created=created,
            deadline=deadline,
        )
        if window.after is None or all(message.id != window.after for message in page.data):
            return page
        if page.has_more:
            raise BadAnswer(
                "The server gave the same page of messages again.",
                advice="It may not support the `after` cursor; try a larger limit.",
            )
        # A server that ignores cursors gives all it has at once: nothing follows.
        return replace(page, data=(), has_more=False)

    def _both(
        self, first: Callable[[], T], second: Callable[[], Completion]
    ) -> tuple[T | UpstreamError, Completion | UpstreamError]:
        """Both results, each call at the same time as the other; errors as values."""
        future = self._pool.submit(_or_error, second)
        return _or_error(first), future.result()

    def _once_stored(
        self,
        completion_id: str,
        window: Window,
        page: Page[Message] | UpstreamError,
        completion: Completion | UpstreamError,
        deadline: Deadline,
    ) -> tuple[Page[Message] | UpstreamError, Completion | UpstreamError]:
        """Asks again for the half that is not stored yet when the other half is there."""
        if isinstance(page, NotFound) and _is_fresh(completion):
            created = completion.created if isinstance(completion, Completion) else None
            page = _or_error(
                lambda: self._messages(completion_id, window, deadline, created=created)
            )
        elif isinstance(completion, NotFound) and isinstance(page, Page):
            completion = _or_error(
                lambda: self._upstream.retrieve_completion(
                    completion_id, created=int(time.time()), deadline=deadline
                )
            )
        return page, completion

    def _put_together(
        self,
        completion_id: str,
        window: Window,
        page: Page[Message],
        completion: Completion | UpstreamError | None,
        deadline: Deadline,
    ) -> Section:
        known = completion if isinstance(completion, Completion) else None
        following = usable_cursor(page, after=window.after)
        first = _first_number(completion_id, window, page)
        ends = following is None if window.order == "asc" else window.after is None
        entries = arrange(page.data, first=first, order=window.order, is_last=ends)
        outputs = self._outputs(completion_id, entries, known, window, deadline) if ends else ()
        return Section(
            completion_id=completion_id,
            window=window,
            entries=entries,
            completion=known,
            outputs=outputs,
            problems=(completion,) if isinstance(completion, UpstreamError) else (),
            next_after=following,
            earlier_than=_earlier_than(window, page),
            seen=_seen(window, page, first),
            total=page.total,
            cut_off=following is None and page.has_more is True,
        )

    def _outputs(
        self,
        completion_id: str,
        entries: Sequence[Entry],
        completion: Completion | None,
        window: Window,
        deadline: Deadline,
    ) -> tuple[Entry, ...]:
        """The choices that are not among the messages; marks the entries that are choices."""
        if completion is None or not completion.choices:
            return ()
        chronological = entries if window.order == "asc" else entries[::-1]
        tail = [entry.message for entry in chronological[-len(completion.choices) :]]
        if window.after is not None and not self._input_only and _is_undecided(tail, completion):
            tail = self._last_messages(completion_id, len(completion.choices), deadline)
        left = mark_outputs(chronological, completion, tail=tail, input_only=self._input_only)
        return tuple(entry for entry in output_entries(completion.choices) if entry.choice in left)

    def _last_messages(self, completion_id: str, count: int, deadline: Deadline) -> list[Message]:
        """The last messages in request order."""
        page = self._messages(completion_id, Window(order="desc", limit=count), deadline)
        # A server that ignores the limit is taken to ignore the order as well.
        ordered = page.data[::-1] if len(page.data) <= count else page.data
        return list(ordered[-count:])

    def _ended(
        self, completion_id: str, window: Window, page: Page[Message], deadline: Deadline
    ) -> Page[Message]:
        """`page` with what a count tells, where the server does not say whether more follows."""
        seen = _seen(window, page, _first_number(completion_id, window, page))
        if page.has_more is not None or not page.data or seen is None or window.order == "desc":
            return page
        total = _or_error(lambda: self._upstream.count_messages(completion_id, deadline=deadline))
        if not isinstance(total, int):
            return page
        return replace(page, has_more=seen < total, total=total)

    def _counted(self, section: Section, page: Page[Message], deadline: Deadline) -> Section:
        """Says how many messages there are, at the cost of one call when more are to come."""
        if section.cut_off:
            return section
        if section.next_after is None and section.window.order == "asc":
            return replace(section, total=section.seen)
        numbered = page.data and message_index(section.completion_id, page.data[0].id) is not None
        if section.total is None and numbered:
            counted = _or_error(
                lambda: self._upstream.count_messages(section.completion_id, deadline=deadline)
            )
            total = counted if isinstance(counted, int) else None
            section = replace(section, total=total)
        return _seen_backwards(section)


def _or_error(call: Callable[[], T]) -> T | UpstreamError:
    try:
        return call()
    except UpstreamError as problem:
        return problem


def _is_fresh(completion: Completion | UpstreamError) -> bool:
    created = completion.created if isinstance(completion, Completion) else None
    # Compared, not subtracted: a number too large for a float is none.
    now = time.time()
    return created is not None and now - FRESH_SECONDS < created < now + FRESH_SECONDS


def _ids(page: Page[Message]) -> list[str | None]:
    return [message.id for message in page.data]


def _from_message(
    message_id: str, window: Window, page: Page[Message]
) -> tuple[Window, Page[Message]]:
    """The part of `page`, which begins with the first message, from this message on."""
    place = _ids(page).index(message_id)
    after = page.data[place - 1].id if place else None
    return replace(window, after=after, shown=place), replace(page, data=page.data[place:])


def _no_such_message(message_id: str, refusal: UpstreamError | None = None) -> NotFound:
    return NotFound(
        f"The completion has no message {message_id}.",
        server_message=refusal.server_message if refusal else None,
        advice="Open the transcript from its start.",
    )


def _is_undecided(tail: Sequence[Message], completion: Completion) -> bool:
    """Whether the last messages must be seen to know if they are the choices."""
    if len(tail) >= len(completion.choices):
        return False
    plain = all(message.has_only_input_keys for message in tail)
    return not tail or (completion.input_messages is None and not plain)


def _answer_only(
    completion_id: str, window: Window, completion: Completion, page: UpstreamError
) -> Section:
    messages = completion.input_messages or ()
    return Section(
        completion_id=completion_id,
        window=window,
        entries=arrange(messages, first=1 if messages else None),
        completion=completion,
        outputs=output_entries(completion.choices),
        problems=(page,),
    )


def _first_number(completion_id: str, window: Window, page: Page[Message]) -> int | None:
    """From the ids; else by counting from the start, when the start is known."""
    number = first_number(completion_id, page.data, window.order)
    if number is not None or window.order == "desc":
        return number
    counted = window.after is None or window.shown
    return window.shown + 1 if counted else None


def _seen(window: Window, page: Page[Message], first: int | None) -> int | None:
    if first is not None and window.order == "asc":
        return first - 1 + len(page.data)
    if window.after is None or window.shown:
        return window.shown + len(page.data)
    return None


def _seen_backwards(section: Section) -> Section:
    """In `desc` order what was seen is counted from the end."""
    last = section.entries[-1].number if section.entries else None
    if section.window.order == "asc" or section.total is None or last is None:
        return section
    return replace(section, seen=section.total - last + 1)


def _earlier_than(window: Window, page: Page[Message]) -> str | None:
    if window.order == "desc" or window.after is None or not page.data:
        return None
    return page.data[0].id
