"""Sections of a transcript, read from one upstream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from webapp.completions import Choice, Completion, Page
from webapp.messages import Message
from webapp.reading.positions import (
    earlier_than,
    from_message,
    ids,
    is_undecided,
    number_of_first,
    seen_backwards,
    seen_until_end,
)
from webapp.reading.requests import UpstreamRequests
from webapp.reading.sections import PageRequest, TranscriptPage
from webapp.transcript import (
    Entry,
    arrange,
    first_number,
    mark_outputs,
    message_index,
    output_entries,
)
from webapp.upstream import (
    MOST_SHOWN,
    BadAnswer,
    BadRequest,
    Deadline,
    NotFound,
    Upstream,
    UpstreamError,
    capped,
    usable_cursor,
)


class TranscriptLoader:
    """Reads sections from one upstream; shared by all requests of a process.

    `input_only` tells that the server is known to list only the input messages.
    """

    def __init__(self, upstream: Upstream, *, input_only: bool, threads: int) -> None:
        self._upstream = upstream
        self._input_only = input_only
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="upstream")

    def section(
        self, completion_id: str, window: PageRequest, deadline: Deadline
    ) -> TranscriptPage:
        """The messages that `window` asks for, and the outputs when they are due.

        Raises `UpstreamError` when neither messages nor completion can be read. At the start of
        a transcript one of them is enough: the section holds it and what went wrong with the
        other. Further on there is nothing to show without messages.
        """
        calls = self._calls(completion_id, deadline)
        page, completion = calls.messages_and_completion(window)
        if isinstance(page, UpstreamError):
            if isinstance(completion, UpstreamError) or window.after is not None:
                raise page
            return _answer_only(completion_id, window, completion, page)
        page = _ended(calls, window, page)
        return _counted(calls, self._section(calls, window, page, completion), page)

    def following(
        self, section: TranscriptPage, new_deadline: Callable[[], Deadline], *, most: int
    ) -> Iterator[TranscriptPage | UpstreamError]:
        """The sections after `section` to the end, each under a deadline of its own.

        An error is the last thing it gives; what was given before stays good. After `most`
        sections it stops: a server that invents messages has no end.
        """
        known = {(section.window.after, section.window.shown)}
        for _ in range(most):
            if not section.goes_on:
                return
            place = (section.next_after, 0 if section.next_after else section.seen or 0)
            if place in known:
                yield BadAnswer("The server gives the same messages again and again.")
                return
            known.add(place)
            window = replace(section.window, after=section.next_after, shown=section.seen or 0)
            calls = self._calls(section.completion_id, new_deadline())
            try:
                section = self._section(calls, window, calls.messages(window), section.completion)
            except UpstreamError as problem:
                yield problem
                return
            yield section

    def around(
        self, completion_id: str, message_id: str, window: PageRequest, deadline: Deadline
    ) -> TranscriptPage:
        """The section that begins with message `message_id`, for two message calls.

        There is no call for one message; but the one in front of it is the cursor of a page
        that begins with it. Raises `UpstreamError`, `NotFound` when it is not there.
        """
        calls = self._calls(completion_id, deadline)
        before, completion = calls.with_completion(lambda: calls.in_front_of(message_id))
        if isinstance(before, BadRequest):
            raise _no_such_message(message_id, before) from before
        if isinstance(before, UpstreamError):
            raise before
        window = replace(window, order="asc", after=before.data[0].id if before.data else None)
        if message_id in ids(before):
            # A server that ignores the cursor has given all its messages.
            window, page = from_message(message_id, window, before)
            page = capped(page)
        else:
            page = calls.messages(window)
        if ids(page)[:1] != [message_id]:
            raise _no_such_message(message_id)
        return self._section(calls, window, page, completion)

    def earlier(
        self, completion_id: str, message_id: str, window: PageRequest, deadline: Deadline
    ) -> TranscriptPage:
        """The messages in front of `message_id`, in request order. Raises `UpstreamError`."""
        calls = self._calls(completion_id, deadline)
        try:
            page = calls.before(message_id, window.limit)
        except BadRequest as refusal:
            raise _no_such_message(message_id, refusal) from refusal
        messages = page.data[::-1]
        number = first_number(completion_id, messages, "asc")
        return TranscriptPage(
            completion_id=completion_id,
            window=window,
            entries=arrange(messages, first=number, is_last=False),
            completion=None,
            next_after=messages[-1].id if messages else None,
            earlier_than=usable_cursor(page, after=message_id),
            seen=None if number is None else number - 1 + len(messages),
        )

    def message(self, completion_id: str, message_id: str, deadline: Deadline) -> Message:
        """One message. Raises `UpstreamError`, `NotFound` among them."""
        return self._upstream.retrieve_message(completion_id, message_id, deadline=deadline)

    def choice(self, completion_id: str, place: int, deadline: Deadline) -> Choice:
        """The output at `place`, counted from 0. Raises `NotFound` when there are fewer."""
        completion = self._calls(completion_id, deadline).completion()
        if not 0 <= place < len(completion.choices):
            raise NotFound(f"The completion has no choice {place}.")
        return completion.choices[place]

    def _calls(self, completion_id: str, deadline: Deadline) -> UpstreamRequests:
        return UpstreamRequests(self._upstream, self._pool, completion_id, deadline)

    def _section(
        self,
        calls: UpstreamRequests,
        window: PageRequest,
        page: Page[Message],
        completion: Completion | UpstreamError | None,
    ) -> TranscriptPage:
        known = completion if isinstance(completion, Completion) else None
        following = usable_cursor(page, after=window.after)
        is_cut = following is None and len(page.data) == MOST_SHOWN and page.has_more is True
        by_count = is_cut and window.after is None
        first = number_of_first(calls.completion_id, window, page)
        goes_on = by_count or following is not None
        ends = not goes_on if window.order == "asc" else window.after is None
        entries = arrange(page.data, first=first, order=window.order, is_last=ends)
        return TranscriptPage(
            completion_id=calls.completion_id,
            window=window,
            entries=entries,
            completion=known,
            outputs=self._outputs(calls, window, entries, known) if known and ends else (),
            problems=(completion,) if isinstance(completion, UpstreamError) else (),
            next_after=following,
            earlier_than=earlier_than(window, page),
            seen=seen_until_end(window, page, first),
            total=page.total,
            cut_off=not goes_on and page.has_more is True,
            goes_on_by_count=by_count,
        )

    def _outputs(
        self,
        calls: UpstreamRequests,
        window: PageRequest,
        entries: Sequence[Entry],
        completion: Completion,
    ) -> tuple[Entry, ...]:
        """The choices that are not among the messages; marks the entries that are choices."""
        if not completion.choices:
            return ()
        chronological = entries if window.order == "asc" else entries[::-1]
        tail = [entry.message for entry in chronological[-len(completion.choices) :]]
        if window.after is not None and not self._input_only and is_undecided(tail, completion):
            tail = calls.last_messages(len(completion.choices))
        left = mark_outputs(chronological, completion, tail=tail, input_only=self._input_only)
        return output_entries(completion.choices)[len(completion.choices) - len(left) :]


def _ended(calls: UpstreamRequests, window: PageRequest, page: Page[Message]) -> Page[Message]:
    """`page` with what a count tells, where the server does not say whether more follows."""
    seen = seen_until_end(window, page, number_of_first(calls.completion_id, window, page))
    if page.has_more is not None or not page.data or seen is None or window.order == "desc":
        return page
    total = calls.count()
    return page if total is None else replace(page, has_more=seen < total, total=total)


def _counted(
    calls: UpstreamRequests, section: TranscriptPage, page: Page[Message]
) -> TranscriptPage:
    """Says how many messages there are, at the cost of one call when more are to come."""
    if section.cut_off:
        return section
    if not section.goes_on and section.window.order == "asc":
        return replace(section, total=section.seen)
    numbered = page.data and message_index(section.completion_id, page.data[0].id) is not None
    if section.total is None and numbered:
        section = replace(section, total=calls.count())
    return seen_backwards(section)


def _no_such_message(message_id: str, refusal: UpstreamError | None = None) -> NotFound:
    return NotFound(
        f"The completion has no message {message_id}.",
        server_message=refusal.server_message if refusal else None,
        advice="Open the transcript from its start.",
    )


def _answer_only(
    completion_id: str, window: PageRequest, completion: Completion, page: UpstreamError
) -> TranscriptPage:
    messages = completion.input_messages or ()
    return TranscriptPage(
        completion_id=completion_id,
        window=window,
        entries=arrange(messages, first=1 if messages else None),
        completion=completion,
        outputs=output_entries(completion.choices),
        problems=(page,),
    )
