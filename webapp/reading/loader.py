"""Load the pages of transcripts from one upstream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Final

from webapp.completions import Choice, Completion
from webapp.ids import is_valid_id, parse_message_index
from webapp.messages import Message
from webapp.monitoring.request_ids import RequestPool
from webapp.reading.kept import MessageCache
from webapp.reading.requests import UpstreamRequests
from webapp.reading.transcript_page import PageRequest, TranscriptPage
from webapp.transcript import (
    Entry,
    arrange,
    build_output_entries,
    find_first_number,
    find_last_turn,
    mark_outputs,
)
from webapp.upstream import (
    Asked,
    BadAnswer,
    CanonicalPage,
    Deadline,
    NotFound,
    Upstream,
    UpstreamError,
    last_items,
)

_MOST_LAST: Final = 20
"""Messages of the end of a transcript that its first page shows."""


class TranscriptLoader:
    """Loads pages of transcripts; shared by all requests of a process.

    Every method raises `UpstreamError`. `input_only` means that the server is known to list
    only the input messages; others may list the answers too. `believes_end` means that it is
    known to send `has_more: false` at the end alone. `cache` has transcripts whose messages need
    no request.
    """

    def __init__(
        self,
        upstream: Upstream,
        *,
        input_only: bool,
        threads: int,
        cache: MessageCache | None = None,
        believes_end: bool = False,
    ) -> None:
        self._upstream = upstream
        self._believes_end = believes_end
        self._input_only = input_only
        self._cache = cache
        self._pool = RequestPool(3 * threads, thread_name_prefix="upstream")

    def forget(self, completion_id: str) -> None:
        """Delete the messages kept of a completion that was deleted."""
        if self._cache:
            self._cache.forget(completion_id)

    def ask_again(
        self, asked: Sequence[Asked], deadline: Deadline
    ) -> dict[Asked, str | UpstreamError]:
        """Return the answers of the server to some requests, made side by side."""

        def ask(one: Asked) -> str | UpstreamError:
            upstream, request = one
            try:
                return upstream.read_text(request, deadline)
            except UpstreamError as error:
                return error

        # Threads only help where time is spent on waiting.
        beside = () if self._believes_end else asked[1:]
        futures = [self._pool.submit(ask, one) for one in beside]
        found = [ask(one) for one in asked[: len(asked) - len(beside)]]
        found += [future.result() for future in futures]
        return dict(zip(asked, found, strict=True))

    def load_page(
        self,
        completion_id: str,
        request: PageRequest,
        deadline: Deadline,
        *,
        shows_end: bool = False,
    ) -> TranscriptPage:
        """Return the messages that `request` asks for, and the outputs if they belong there.

        At the start of a transcript, messages or completion are enough: the page has the error
        of the other half in `problems`. Further on a page without messages would be empty.
        With `shows_end` the first page of a transcript of more than two has its end as well.
        """
        requests, completion = self._start(completion_id, deadline)
        shows_end = shows_end and request.after is None and request.order == "asc"
        if request.order == "asc" or request.after is not None:
            requests = requests.request_newest(min(request.limit, _MOST_LAST) if shows_end else 1)
        try:
            messages = requests.list_messages_beside(completion, request)
        except UpstreamError as problem:
            if request.after is not None or completion.exception():
                raise
            return _build_answer_only(completion_id, request, completion.result(), problem)
        messages, is_joined = _end_before(request.until, _find_end(requests, request, messages))
        page = self._build_with(
            lambda: requests.await_completion(completion), requests, request, messages
        )
        page = _add_total(requests, page)
        page = replace(page, is_joined=is_joined or page.between == 0)
        return self._add_tail(requests, page) if shows_end else page

    def iter_following(
        self, page: TranscriptPage, start_deadline: Callable[[], Deadline], *, most: int
    ) -> Iterator[TranscriptPage]:
        """Yield the pages after `page` to the end, each within a deadline of its own.

        Stops after `most` pages: a server that invents messages has no end. Raises `BadAnswer`
        if the server goes round in circles.
        """
        seen = {(page.request.after, page.request.shown)}
        kept = None
        if self._cache and page.completion and self._cache.has_any(page.completion_id):
            kept = self._cache.find(page.completion_id, page.completion)
        for _ in range(most):
            if not page.goes_on:
                return
            place = (page.next_after, 0 if page.next_after else page.seen or 0)
            if place in seen:
                raise BadAnswer("The server sends the same messages again and again.")
            seen.add(place)
            request = replace(page.request, after=page.next_after, shown=page.seen or 0)
            requests = self._requests(page.completion_id, start_deadline())
            if kept is not None and kept.is_whole:
                requests = replace(requests, kept=kept, believes_end=True)
            messages = requests.list_messages(request)
            messages = requests.check_end(messages, limit=request.limit, order=request.order)
            page = self._build(requests, request, messages, page.completion)
            yield page

    def load_page_from(
        self, completion_id: str, message_id: str, request: PageRequest, deadline: Deadline
    ) -> TranscriptPage:
        """Return the page from the turn of `message_id` on, for two message requests and a count.

        Raises `NotFound` if there is no such message.
        """
        requests, completion = self._start(completion_id, deadline)
        requests = requests.request_newest()
        messages = requests.find_messages_from(message_id, request.limit)
        request = replace(request, order="asc", after=messages.after, shown=messages.skip)
        page = self._build_with(completion.result, requests, request, messages)
        return _add_total(requests, page)

    def load_earlier(
        self, completion_id: str, message_id: str, request: PageRequest, deadline: Deadline
    ) -> TranscriptPage:
        """Return the messages before `message_id`, in request order. Raises `NotFound` likewise."""
        requests = self._requests(completion_id, deadline)
        if self._cache and self._cache.has_any(completion_id):
            requests = requests.with_kept(self._cache, requests.submit_completion())
        before = requests.find_messages_before(message_id, request.limit)
        messages = before.items[::-1]
        number = find_first_number(completion_id, messages, "asc")
        return TranscriptPage(
            completion_id=completion_id,
            request=request,
            entries=arrange(messages, first=number, is_last=False),
            completion=None,
            next_after=messages[-1].id if messages else None,
            earlier_than=before.next_after,
            seen=None if number is None else number - 1 + len(messages),
        )

    def list_messages(
        self, completion_id: str, request: PageRequest, deadline: Deadline
    ) -> CanonicalPage[Message]:
        """Return the messages that `request` asks for, and nothing besides."""
        return self._requests(completion_id, deadline).list_messages(request)

    def load_message(self, completion_id: str, message_id: str, deadline: Deadline) -> Message:
        """Return one message."""
        return self._upstream.retrieve_message(completion_id, message_id, deadline=deadline)

    def load_choice(self, completion_id: str, place: int, deadline: Deadline) -> Choice:
        """Return the output at `place`, from 0. Raises `NotFound` if there are fewer."""
        choices = self._requests(completion_id, deadline).retrieve_completion().choices
        if not 0 <= place < len(choices):
            raise NotFound(f"The completion has no choice {place}.")
        return choices[place]

    def _start(
        self, completion_id: str, deadline: Deadline
    ) -> tuple[UpstreamRequests, Future[Completion]]:
        """Return the requests of a page, the one for its completion made.

        Where messages are kept, the page waits for the completion alone.
        """
        requests = self._requests(completion_id, deadline)
        completion = requests.submit_completion()
        if self._cache and self._cache.has_any(completion_id):
            requests = requests.with_kept(self._cache, completion)
        return requests, completion

    def _requests(self, completion_id: str, deadline: Deadline) -> UpstreamRequests:
        return UpstreamRequests(
            self._upstream,
            self._pool,
            completion_id,
            deadline,
            believes_end=self._believes_end,
        )

    def _build_with(
        self,
        read_completion: Callable[[], Completion],
        requests: UpstreamRequests,
        request: PageRequest,
        messages: CanonicalPage[Message],
    ) -> TranscriptPage:
        """Build the page with the completion, or without it and with its error."""
        try:
            completion = read_completion()
        except UpstreamError as problem:
            return replace(self._build(requests, request, messages, None), problems=(problem,))
        return self._build(requests, request, messages, completion)

    def _build(
        self,
        requests: UpstreamRequests,
        request: PageRequest,
        messages: CanonicalPage[Message],
        completion: Completion | None,
    ) -> TranscriptPage:
        first = _number_first(requests.completion_id, request, messages.items)
        is_end = not messages.goes_on if request.order == "asc" else request.after is None
        entries = arrange(messages.items, first=first, order=request.order, is_last=is_end)
        has_outputs = is_end and completion is not None and completion.choices
        has_earlier = request.order == "asc" and request.after is not None and messages.items
        return TranscriptPage(
            completion_id=requests.completion_id,
            request=request,
            entries=entries,
            completion=completion,
            outputs=self._find_outputs(requests, request, entries, completion)
            if completion and has_outputs
            else (),
            next_after=messages.next_after,
            earlier_than=messages.items[0].id if has_earlier else None,
            seen=_count_seen(request, messages.items, first),
            total=messages.total,
            cut_off=messages.is_cut_off,
            end_is_claimed=messages.end_is_claimed,
            goes_on_by_count=messages.next_skip is not None,
        )

    def _add_tail(self, requests: UpstreamRequests, page: TranscriptPage) -> TranscriptPage:
        """Add the last turn to the first page of a transcript that is longer than two pages.

        Servers whose ids are no cursors, or that ignore the order, have no tail: the
        messages between could not be requested, or their number is not known.
        """
        limit = page.request.limit
        is_short = page.total is not None and page.total <= 2 * limit
        if page.completion is None or page.next_after is None or is_short:
            return page
        found = requests.list_newest()
        newest = last_items(found, requests.most_newest) if found else ()
        ids = [message.id for message in newest if message.id and is_valid_id(message.id)]
        is_known = len(set(ids)) == len(newest) >= max(1, len(page.completion.choices))
        if not is_known or {entry.message.id for entry in page.entries} & set(ids):
            return page
        first = find_first_number(requests.completion_id, newest, "asc")
        if first is not None and (page.seen is None or first <= page.seen):
            return page
        start = find_last_turn(newest)
        number = None if first is None else first + start
        entries = arrange(newest[start:], first=number)
        choices = page.completion.choices
        left = mark_outputs(
            entries,
            page.completion,
            tail=newest[len(newest) - len(choices) :],
            input_only=self._input_only,
        )
        tail = TranscriptPage(
            completion_id=page.completion_id,
            request=replace(page.request, after=newest[start - 1].id if start else None),
            entries=entries,
            completion=page.completion,
            outputs=build_output_entries(choices)[len(choices) - len(left) :],
            seen=page.total,
            total=page.total,
        )
        return replace(page, tail=tail, request=replace(page.request, until=newest[start].id))

    def _find_outputs(
        self,
        requests: UpstreamRequests,
        request: PageRequest,
        entries: Sequence[Entry],
        completion: Completion,
    ) -> tuple[Entry, ...]:
        """Return the choices that are not among the messages; marks the entries that are."""
        count = len(completion.choices)
        chronological = entries if request.order == "asc" else entries[::-1]
        tail: Sequence[Message] = [entry.message for entry in chronological[-count:]]
        if request.after is not None and not self._input_only and _needs_tail(tail, completion):
            tail = requests.list_last_messages(count)
        left = mark_outputs(chronological, completion, tail=tail, input_only=self._input_only)
        return build_output_entries(completion.choices)[count - len(left) :]


def _needs_tail(tail: Sequence[Message], completion: Completion) -> bool:
    """Return whether earlier messages must be read to know if the last ones are the choices."""
    if len(tail) >= len(completion.choices):
        return False
    is_plain = all(message.has_only_input_keys for message in tail)
    return not tail or (completion.input_messages is None and not is_plain)


def _number_first(
    completion_id: str, request: PageRequest, messages: Sequence[Message]
) -> int | None:
    """Return the number of the first message: from the ids, else counted from a known start."""
    number = find_first_number(completion_id, messages, request.order)
    if number is not None or request.order == "desc":
        return number
    is_counted = request.after is None or request.shown
    return request.shown + 1 if is_counted else None


def _count_seen(request: PageRequest, messages: Sequence[Message], first: int | None) -> int | None:
    """Return the number of messages up to the end of `messages`; `first` numbers their first."""
    if first is not None and request.order == "asc":
        return first - 1 + len(messages)
    if request.after is None or request.shown:
        return request.shown + len(messages)
    return None


def _find_end(
    requests: UpstreamRequests, request: PageRequest, messages: CanonicalPage[Message]
) -> CanonicalPage[Message]:
    """Check a claimed end; count the messages if the server does not say whether more follow."""
    messages = requests.check_end(messages, limit=request.limit, order=request.order)
    if messages.has_more is not None or not messages.items or request.order == "desc":
        return messages
    first = _number_first(requests.completion_id, request, messages.items)
    seen = _count_seen(request, messages.items, first)
    total = None if seen is None else requests.count_messages()
    if seen is None or total is None:
        return messages
    return messages.with_total(total, seen=seen)


def _end_before(
    message_id: str | None, page: CanonicalPage[Message]
) -> tuple[CanonicalPage[Message], bool]:
    """Return `page` up to a message, and whether nothing is left to read before that one."""
    ids = [message.id for message in page.items]
    if message_id is None or message_id not in ids:
        return page, not page.goes_on
    return replace(page, items=page.items[: ids.index(message_id)], has_more=True), True


def _add_total(requests: UpstreamRequests, page: TranscriptPage) -> TranscriptPage:
    """Add the number of messages, at the cost of one request if more follow.

    In descending order, `seen` is then counted from the end.
    """
    if page.cut_off:
        return page
    if page.end_is_claimed:
        return replace(page, total=None)
    if not page.goes_on and page.request.order == "asc":
        return replace(page, total=page.seen)
    first_id = page.entries[0].message.id if page.entries else None
    if page.total is None and parse_message_index(page.completion_id, first_id) is not None:
        is_newest_first = page.request.order == "desc" and page.request.after is None
        total = _read_total(page) if is_newest_first else requests.count_messages()
        page = replace(page, total=total)
    if page.goes_on and page.total is not None and page.seen is not None:
        # A total of no more than were seen is as wrong as the end that the server claimed.
        page = replace(page, total=page.total if page.total > page.seen else None)
    last = page.entries[-1].number if page.entries else None
    if page.request.order == "asc" or page.total is None or last is None:
        return page
    return replace(page, seen=page.total - last + 1)


def _read_total(page: TranscriptPage) -> int | None:
    """Return the number of the newest message, with which `page` begins.

    A server that ignores the order begins with the oldest, and says that more follow the first.
    """
    numbers = [entry.number for entry in page.entries]
    return None if page.goes_on and 1 in numbers else numbers[0]


def _build_answer_only(
    completion_id: str, request: PageRequest, completion: Completion, problem: UpstreamError
) -> TranscriptPage:
    messages = completion.input_messages or ()
    return TranscriptPage(
        completion_id=completion_id,
        request=request,
        entries=arrange(messages, first=1 if messages else None),
        completion=completion,
        outputs=build_output_entries(completion.choices),
        problems=(problem,),
    )
