"""The upstream requests about one completion, all within one deadline."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace

from webapp.completions import Completion
from webapp.ids import is_valid_id, parse_message_index
from webapp.messages import Message
from webapp.reading.kept import KeptMessages, MessageCache
from webapp.reading.transcript_page import TranscriptRequest
from webapp.transcript import count_cut_off, count_turn_before
from webapp.upstream import (
    BadAnswer,
    Busy,
    CanonicalPage,
    Deadline,
    End,
    NotFound,
    Upstream,
    UpstreamError,
    canonicalize,
    check_end,
    count_from_newest,
    find_page_before,
    find_page_from,
    last_items,
)
from webapp.upstream.decoding import Page


@dataclass(frozen=True, slots=True)
class UpstreamRequests:
    """Requests about the completion `completion_id`; each raises `UpstreamError`.

    `pool` runs those that are made at the same time as another. `is_local` means that this
    process answers them: they cost no time, and `has_more: false` is the end. `coming_completion`
    is the request for the completion, `coming_newest` that for the newest messages, at most
    `most_newest`, if they were made beside the others. `kept` are messages that need no request.
    """

    upstream: Upstream
    pool: Executor
    completion_id: str
    deadline: Deadline
    is_local: bool = False
    coming_completion: Future[Completion] | None = None
    kept: KeptMessages | None = None
    coming_newest: Future[Page[Message]] | None = None
    most_newest: int = 1

    def request_completion(self) -> UpstreamRequests:
        """Request the completion, while other requests are made."""
        return replace(self, coming_completion=self.pool.submit(self.retrieve_completion))

    def with_kept(self, cache: MessageCache) -> UpstreamRequests:
        """Add the messages in `cache` to the requests, after the completion has come.

        If the completion is gone, its kept messages are deleted.
        """
        try:
            found = cache.find(self.completion_id, self.get_completion())
        except NotFound:
            cache.forget(self.completion_id)
        except UpstreamError:
            pass
        else:
            if found is not None and found.is_whole:
                return replace(self, kept=found, is_local=True)
        return self

    def retrieve_completion(self, *, created: int | None = None) -> Completion:
        return self.upstream.retrieve_completion(
            self.completion_id, created=created, deadline=self.deadline
        )

    def get_completion(self) -> Completion:
        """Return the completion, which may have been requested before."""
        if self.coming_completion is not None:
            return self.coming_completion.result()
        return self.retrieve_completion()

    def list_messages(
        self, request: TranscriptRequest, *, created: int | None = None
    ) -> CanonicalPage[Message]:
        """List the messages that `request` asks for, none of them twice."""
        page = self._fetch(
            after=request.after, limit=request.limit, order=request.order, created=created
        )
        canonical = canonicalize(page, after=request.after, skip=request.shown, limit=request.limit)
        if canonical.is_repeated and canonical.end is End.CUT_OFF:
            raise BadAnswer(
                "The server sent the same page of messages again.",
                advice="It may not support the `after` cursor; try a larger limit.",
            )
        if self.is_local:
            canonical = canonical.trust_end()
        return keep_with_calls(canonical) if request.order == "desc" else canonical

    def verify_end(
        self, page: CanonicalPage[Message], *, limit: int, order: str = "asc"
    ) -> CanonicalPage[Message]:
        """Check the end of `page` by one small request for more, if it is only claimed."""
        if page.claimed_after is None:
            return page
        is_first = parse_message_index(self.completion_id, page.claimed_after) == 0
        if self.is_local or (order == "desc" and is_first) or self._is_newest(page, order):
            return page.trust_end()
        return check_end(page, self._fetch, limit=limit, order=order)

    def _is_newest(self, page: CanonicalPage[Message], order: str) -> bool:
        """Return whether `page` ends with the newest message, if that was requested beside it.

        A server that ignores the order has sent the first message as the newest.
        """
        if self.coming_newest is None or order == "desc" or len(page.items) < 2:
            return False
        newest = self.get_newest_page()
        return newest is not None and bool(newest.data) and newest.data[0].id == page.items[-1].id

    def has_newest(self, page: CanonicalPage[Message]) -> bool:
        """Return whether the message that the server sends as the newest is on `page`."""
        newest = self.get_newest_page()
        if newest is None or not newest.data:
            return False
        return newest.data[0].id in [item.id for item in page.items]

    def list_messages_beside(self, request: TranscriptRequest) -> CanonicalPage[Message]:
        """List the messages; asks again after a 404 if the completion is there and new."""
        try:
            return self.list_messages(request)
        except NotFound as missing:
            try:
                created = self.get_completion().created
            except UpstreamError:
                raise missing from None
            if not self.upstream.is_new(created):
                raise
        return self.list_messages(request, created=created)

    def get_completion_of_messages(self) -> Completion:
        """Return the completion, whose messages are there; ask again after a 404."""
        try:
            return self.get_completion()
        except NotFound:
            # Its age is not known; since its messages are there, it is most likely new.
            return self.retrieve_completion(created=int(self.upstream.clock.wall()))

    def find_messages_from(self, message_id: str, limit: int) -> CanonicalPage[Message]:
        """Find the messages from the turn of this one on, as far as its start is near.

        Raises `NotFound` if there is no such message. If ids are numbered, request the page after
        id n−1 and the page before in parallel.
        """
        cursor, early = None, None
        index = parse_message_index(self.completion_id, message_id)
        if index is not None and not self.is_local:
            head = message_id.removesuffix(str(index))
            cursor = f"{head}{index - 1}" if index else None
            early = self.pool.submit(self._fetch, after=cursor, limit=limit, order="asc")

        def fetch(*, after: str | None, limit: int, order: str) -> Page[Message]:
            if early is not None and order == "asc" and after == cursor:
                return early.result()
            return self._fetch(after=after, limit=limit, order=order)

        page = find_page_from(message_id, fetch, limit=limit, count_lead=count_turn_before)
        # As many again may come before the message.
        return self.verify_end(page, limit=2 * limit)

    def find_messages_before(self, message_id: str, limit: int) -> CanonicalPage[Message]:
        """Find the messages before this one, the nearest first. Raises `NotFound` likewise."""
        page = find_page_before(message_id, self._fetch, limit=limit)
        return keep_with_calls(self.verify_end(page, limit=limit, order="desc"))

    def list_last_messages(self, count: int) -> tuple[Message, ...]:
        """List the last messages in request order."""
        page = self._fetch(after=None, order="desc", limit=count)
        return last_items(page, count)

    def request_newest_early(self, most: int = 1) -> UpstreamRequests:
        """Request the newest messages, unless that costs no time.

        So no page waits for two answers one after the other. Whether the newest messages are
        needed would only be known after the first of them.
        """
        if self.is_local:
            return replace(self, most_newest=most)
        newest = self.pool.submit(self._fetch, after=None, limit=most, order="desc")
        return replace(self, coming_newest=newest, most_newest=most)

    def share_newest(self) -> UpstreamRequests:
        """Request the newest messages, if they were not, so that all steps use one answer."""
        if self.coming_newest is not None:
            return self
        newest = self.pool.submit(self._fetch, after=None, limit=self.most_newest, order="desc")
        return replace(self, coming_newest=newest)

    def get_newest_page(self) -> Page[Message] | None:
        """Return the newest messages, the newest first, which may have been requested before.

        Return None, without an error, if none came.
        """
        try:
            if self.coming_newest is not None:
                return self.coming_newest.result()
            return self._fetch(after=None, limit=self.most_newest, order="desc")
        except Busy:
            raise
        except UpstreamError:
            return None

    def list_newest_in_order(self) -> tuple[Message, ...]:
        """List the newest messages in request order; none if they cannot be told apart."""
        found = self.get_newest_page()
        newest = last_items(found, self.most_newest) if found else ()
        ids = {message.id for message in newest if message.id and is_valid_id(message.id)}
        return newest if len(ids) == len(newest) else ()

    def count_messages(self) -> int | None:
        """Count the messages; return None, without an error, if it cannot be known."""
        newest = self.get_newest_page()
        if newest is None:
            return None
        return count_from_newest(self.completion_id, newest, limit=self.most_newest)

    def _fetch(
        self, *, after: str | None, limit: int, order: str, created: int | None = None
    ) -> Page[Message]:
        if self.kept is not None:
            return self.kept.fetch(after=after, limit=limit, order=order)
        return self.upstream.list_messages(
            self.completion_id,
            after=after,
            limit=limit,
            order=order,
            created=created,
            deadline=self.deadline,
        )


def keep_with_calls(page: CanonicalPage[Message]) -> CanonicalPage[Message]:
    """Move last results of `page`, in descending order, to the next page if their calls are there.

    They begin that page, so that each is shown under its call.
    """
    count = count_cut_off(page.items)
    if not count or count == len(page.items) or page.next_after is None:
        return page
    last_id = page.items[-count - 1].id
    if last_id is None or not is_valid_id(last_id):
        return page
    return replace(page, items=page.items[:-count], next_after=last_id, end=End.MORE)
