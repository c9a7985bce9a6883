"""Load the pages of transcripts from one upstream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Final

from webapp.completions import Completion
from webapp.exact_json import Document
from webapp.messages import Message
from webapp.messages.choices import Choice
from webapp.monitoring.request_ids import RequestPool, SameThread
from webapp.reading.building import (
    add_total,
    build_answer_only,
    build_page,
    end_before,
    find_end,
    join_end,
)
from webapp.reading.completion_requests import UpstreamRequests
from webapp.reading.kept import MessageCache
from webapp.reading.transcript_page import TranscriptPage, TranscriptRequest
from webapp.transcript import (
    arrange,
    find_first_number,
    find_last_turn,
    mark_outputs,
)
from webapp.upstream import (
    Asked,
    BadAnswer,
    Busy,
    CanonicalPage,
    Deadline,
    End,
    NotFound,
    Upstream,
    UpstreamError,
)

_MAX_LAST: Final = 20
"""Messages of the end of a transcript that its first page shows."""


class TranscriptLoader:
    """Loads pages of transcripts; shared by all requests of a process.

    Every method raises `UpstreamError`. `input_only` means that the server is known to list
    only the input messages; others may list the answers too. `is_own_server` means that it is
    in this process: `has_more: false` is the end, and threads save no time. `cache` has transcripts
    whose messages need no request.
    """

    def __init__(
        self,
        upstream: Upstream,
        *,
        input_only: bool,
        threads: int,
        cache: MessageCache | None = None,
        is_own_server: bool = False,
    ) -> None:
        self._upstream = upstream
        self._is_own_server = is_own_server
        self._input_only = input_only
        self._cache = cache
        # Threads only help where time is spent on waiting.
        self._pool: Executor = (
            SameThread()
            if is_own_server
            else RequestPool(3 * threads, thread_name_prefix="upstream")
        )

    def forget(self, completion_id: str) -> None:
        """Delete the messages kept of a completion that was deleted."""
        if self._cache:
            self._cache.forget(completion_id)

    def ask_again(
        self, asked: Sequence[Asked], deadline: Deadline, meanwhile: Callable[[], object]
    ) -> dict[Asked, Document | UpstreamError]:
        """Send some requests again, side by side, and return the answers of the server.

        If this thread waits for one of them, it calls `meanwhile`.
        """

        def ask(
            one: Asked, meanwhile: Callable[[], object] | None = None
        ) -> Document | UpstreamError:
            upstream, request = one
            try:
                return upstream.read_text(request, deadline, meanwhile=meanwhile)
            except UpstreamError as error:
                return error

        futures = [self._pool.submit(ask, one) for one in asked[1:]]
        found = [ask(one, meanwhile) for one in asked[:1]]
        found += [future.result() for future in futures]
        return dict(zip(asked, found, strict=True))

    def load_page(
        self,
        completion_id: str,
        request: TranscriptRequest,
        deadline: Deadline,
        *,
        shows_end: bool = False,
    ) -> TranscriptPage:
        """Load the messages that `request` asks for, and the outputs if they belong there.

        At the start of a transcript, messages or completion are enough: the page has the error
        of the other half in `problems`. Further on a page without messages would be empty.
        With `shows_end` the first page has the end of the transcript as well: all messages if
        the newest ones, which were read anyway, go on from it, else the last turn after a gap.
        """
        source = self._start_source(completion_id, deadline)
        shows_end = shows_end and request.after is None and request.order == "asc"
        if request.order == "asc" or request.after is not None:
            source = source.request_newest_early(min(request.limit, _MAX_LAST) if shows_end else 1)
        try:
            messages = source.list_messages_beside(request)
        except Busy:
            raise
        except UpstreamError as problem:
            if request.after is not None:
                raise
            try:
                completion = source.get_completion()
            except UpstreamError:
                raise problem from None
            return build_answer_only(completion_id, request, completion, problem)
        messages = find_end(source, request, messages)
        if shows_end and messages.goes_on:
            source = source.share_newest()
            messages = join_end(completion_id, messages, source.list_newest_in_order())
        messages, is_joined = end_before(request.until, messages)
        page = add_total(source, self._build(source, request, messages))
        page = replace(page, is_joined=is_joined or page.between == 0)
        return self._add_tail(source, page) if shows_end else page

    def iter_following(
        self, page: TranscriptPage, start_deadline: Callable[[], Deadline], *, most: int
    ) -> Iterator[TranscriptPage]:
        """Yield the pages after `page` to the end, each within a new deadline.

        Stops after `most` pages: a server that invents messages has no end. Raises `BadAnswer`
        if the server goes round in circles.
        """
        seen = {(page.request.after, page.request.shown)}
        kept = None
        if self._cache and page.completion and self._cache.has_any(page.completion_id):
            kept = self._cache.find(page.completion_id, page.completion)
        for _ in range(most):
            if page.end is not End.MORE:
                return
            place = (page.next_after, 0 if page.next_after else page.seen or 0)
            if place in seen:
                raise BadAnswer("The server sends the same messages again and again.")
            seen.add(place)
            request = replace(page.request, after=page.next_after, shown=page.seen or 0)
            source = self.open_source(page.completion_id, start_deadline())
            if kept is not None and kept.is_whole:
                source = replace(source, kept=kept, is_local=True)
            messages = source.list_messages(request)
            messages = source.verify_end(messages, limit=request.limit, order=request.order)
            page = build_page(
                source, request, messages, page.completion, input_only=self._input_only
            )
            yield page

    def load_page_from(
        self, completion_id: str, message_id: str, request: TranscriptRequest, deadline: Deadline
    ) -> TranscriptPage:
        """Load the page from the turn of `message_id` on, for two message requests and a count.

        Raises `NotFound` if there is no such message.
        """
        source = self._start_source(completion_id, deadline).request_newest_early()
        messages = source.find_messages_from(message_id, request.limit)
        request = replace(request, order="asc", after=messages.after, shown=messages.skip)
        return add_total(source, self._build(source, request, messages))

    def load_earlier(
        self, completion_id: str, message_id: str, request: TranscriptRequest, deadline: Deadline
    ) -> TranscriptPage:
        """Load the messages before `message_id`, in request order. Raises `NotFound` likewise."""
        source = self.open_source(completion_id, deadline)
        if self._cache and self._cache.has_any(completion_id):
            source = source.with_kept(self._cache)
        before = source.find_messages_before(message_id, request.limit)
        messages = before.items[::-1]
        number = find_first_number(completion_id, messages, "asc")
        return TranscriptPage(
            completion_id=completion_id,
            request=request,
            entries=arrange(messages, first=number, is_last=False),
            completion=None,
            next_after=messages[-1].id if messages else None,
            end=End.MORE if messages and messages[-1].id is not None else End.UNKNOWN,
            earlier_than=before.next_after,
            seen=None if number is None else number - 1 + len(messages),
        )

    def load_choice(self, completion_id: str, place: int, deadline: Deadline) -> Choice:
        """Load the output at `place`, from 0. Raises `NotFound` if there are fewer."""
        choices = self.open_source(completion_id, deadline).retrieve_completion().choices
        if not 0 <= place < len(choices):
            raise NotFound(f"The completion has no choice {place + 1}.")
        return choices[place]

    def _start_source(self, completion_id: str, deadline: Deadline) -> UpstreamRequests:
        """Start the requests of a page with the one for its completion.

        Where messages are kept, the page waits for the completion alone.
        """
        source = self.open_source(completion_id, deadline).request_completion()
        if self._cache and self._cache.has_any(completion_id):
            source = source.with_kept(self._cache)
        return source

    def open_source(self, completion_id: str, deadline: Deadline) -> UpstreamRequests:
        """Return the requests about one completion; none is made yet."""
        return UpstreamRequests(
            self._upstream,
            self._pool,
            completion_id,
            deadline,
            is_local=self._is_own_server,
        )

    def _build(
        self,
        source: UpstreamRequests,
        request: TranscriptRequest,
        messages: CanonicalPage[Message],
    ) -> TranscriptPage:
        """Build the page with the completion, or without it and with its error."""
        completion: Completion | None = None
        problems: tuple[UpstreamError, ...] = ()
        try:
            completion = source.get_completion_of_messages()
        except Busy:
            raise
        except UpstreamError as problem:
            problems = (problem,)
        page = build_page(source, request, messages, completion, input_only=self._input_only)
        return replace(page, problems=problems)

    def _add_tail(self, source: UpstreamRequests, page: TranscriptPage) -> TranscriptPage:
        """Add the last turn to the first page of a transcript that goes on.

        Servers whose ids are not cursors, or that ignore the order, have no tail: the
        messages between could not be requested, or their number is not known.
        """
        if page.completion is None or page.next_after is None:
            return page
        newest = source.list_newest_in_order()
        is_enough = len(newest) >= max(1, len(page.completion.choices))
        ids = {message.id for message in newest}
        if not is_enough or not ids.isdisjoint(entry.message.id for entry in page.entries):
            return page
        first = find_first_number(source.completion_id, newest, "asc")
        if first is not None and (page.seen is None or first <= page.seen):
            return page
        start = find_last_turn(newest)
        number = None if first is None else first + start
        entries = arrange(newest[start:], first=number)
        outputs = mark_outputs(
            entries,
            page.completion,
            tail=newest[len(newest) - len(page.completion.choices) :],
            input_only=self._input_only,
        )
        tail = TranscriptPage(
            completion_id=page.completion_id,
            request=replace(page.request, after=newest[start - 1].id if start else None),
            entries=entries,
            completion=page.completion,
            outputs=outputs,
            seen=page.total,
            total=page.total,
        )
        return replace(page, tail=tail, request=replace(page.request, until=newest[start].id))
