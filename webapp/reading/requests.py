"""The upstream calls about one completion, all within one deadline.

Knows the habits of servers: those that ignore cursors or limits, and those that answer 404
for a moment because a completion is not stored everywhere yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from webapp.completions import Completion, Page
from webapp.messages import Message
from webapp.reading.sections import PageRequest
from webapp.upstream import (
    BadAnswer,
    Deadline,
    NotFound,
    Upstream,
    UpstreamError,
    behind,
    capped,
)

T = TypeVar("T")

FRESH_SECONDS: Final = 10
"""A completion this young may answer 404 for a moment."""


@dataclass(frozen=True, slots=True)
class UpstreamRequests:
    """What can be asked about the completion `completion_id`.

    `pool` runs the calls that are made at the same time as another.
    """

    upstream: Upstream
    pool: ThreadPoolExecutor
    completion_id: str
    deadline: Deadline

    def completion(self, *, created: int | None = None) -> Completion:
        """The completion itself. Raises `UpstreamError`."""
        return self.upstream.retrieve_completion(
            self.completion_id, created=created, deadline=self.deadline
        )

    def messages(self, window: PageRequest, *, created: int | None = None) -> Page[Message]:
        """The messages that `window` asks for, none of them twice. Raises `UpstreamError`.

        `created`, in unix seconds, tells how long a 404 may mean "not stored yet".
        """
        return capped(self._listed(window, created=created))

    def _listed(self, window: PageRequest, *, created: int | None = None) -> Page[Message]:
        """The same, with all that the server gives, however much that is."""
        page = self.upstream.list_messages(
            self.completion_id,
            after=window.after,
            limit=window.limit,
            order=window.order,
            created=created,
            deadline=self.deadline,
        )
        rest = _new_in(page, window)
        if rest is None:
            return page
        if rest:
            return replace(page, data=rest)
        if page.has_more:
            raise BadAnswer(
                "The server gave the same page of messages again.",
                advice="It may not support the `after` cursor; try a larger limit.",
            )
        # A server that ignores cursors gives all it has at once: nothing follows.
        return replace(page, data=(), has_more=False)

    def before(self, message_id: str, limit: int) -> Page[Message]:
        """The messages in front of this one, the nearest first. Raises `UpstreamError`."""
        page = self.upstream.list_messages(
            self.completion_id, after=message_id, order="desc", limit=limit, deadline=self.deadline
        )
        place = next((at for at, one in enumerate(page.data) if one.id == message_id), None)
        if place is None:
            return capped(page)
        # A server that ignores the cursor is taken to ignore the order as well.
        nearest = page.data[max(0, place - limit) : place][::-1]
        return replace(page, data=nearest, has_more=place > limit)

    def in_front_of(self, message_id: str) -> Page[Message]:
        """The message in front of this one, if there is one. Raises `UpstreamError`.

        Of a server that ignores cursors: all its messages.
        """
        return self.upstream.list_messages(
            self.completion_id, after=message_id, order="desc", limit=1, deadline=self.deadline
        )

    def last_messages(self, count: int) -> list[Message]:
        """The last messages in request order. Raises `UpstreamError`."""
        page = self._listed(PageRequest(order="desc", limit=count))
        # A server that ignores the limit is taken to ignore the order as well.
        ordered = page.data[::-1] if len(page.data) <= count else page.data
        return list(ordered[-count:])

    def count(self) -> int | None:
        """How many messages there are; None when the server does not tell."""
        try:
            return self.upstream.count_messages(self.completion_id, deadline=self.deadline)
        except UpstreamError:
            return None

    def with_completion(
        self, call: Callable[[], T]
    ) -> tuple[T | UpstreamError, Completion | UpstreamError]:
        """What `call` gives and the completion, asked for at the same time; errors as values."""
        completion = self.pool.submit(_or_error, self.completion)
        return _or_error(call), completion.result()

    def messages_and_completion(
        self, window: PageRequest
    ) -> tuple[Page[Message] | UpstreamError, Completion | UpstreamError]:
        """Both, at the same time; the half that is not stored yet is asked for again."""
        page, completion = self.with_completion(lambda: self.messages(window))
        if isinstance(page, NotFound) and isinstance(completion, Completion):
            created = completion.created
            if _is_fresh(created):
                page = _or_error(lambda: self.messages(window, created=created))
        elif isinstance(completion, NotFound) and isinstance(page, Page):
            # Its age is not known; with messages there, it is most likely on its way.
            completion = _or_error(lambda: self.completion(created=int(time.time())))
        return page, completion


def _new_in(page: Page[Message], window: PageRequest) -> tuple[Message, ...] | None:
    """What stands in `page` behind what the reader has; None where that is all of it.

    A server that ignores the cursor gives again what was in front of it. Where it ignores the
    limit as well, and its ids are no cursors, the messages are counted.
    """
    if window.after is None:
        is_all = window.shown and len(page.data) > window.limit
        return page.data[window.shown :] if is_all else None
    return behind(window.after, page)


def _or_error(call: Callable[[], T]) -> T | UpstreamError:
    try:
        return call()
    except UpstreamError as problem:
        return problem


def _is_fresh(created: int | None) -> bool:
    # Compared, not subtracted: a number too large for a float is none.
    now = time.time()
    return created is not None and now - FRESH_SECONDS < created < now + FRESH_SECONDS
