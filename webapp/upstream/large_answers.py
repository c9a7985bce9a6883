"""Bound how many requests of readers hold large answers of the server at once.

An answer of tens of megabytes is held until the page that is made of it has been sent. A request
takes a place before it reads more than `LARGE` bytes of one, and gives it back at its end. Others
wait for a bounded time, and only a bounded number of them: they hold the threads that pages with
small answers need. A client that has fewer requests with a place comes first, and one with many
that hold or wait leaves its last turn to a client with fewer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Condition
from typing import Final

from webapp.upstream.errors import Busy

LARGE: Final = 4 * 1024 * 1024
"""Bytes that a request holds without a place."""
AT_ONCE: Final = 2
RETRY_SECONDS: Final = 5
_WAIT_SECONDS: Final = 10.0


class Places:
    """The places of a process, which `at_once` requests of readers have at the same time."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._changed = Condition()
        self._taken: set[Holder] = set()
        self._waiting = Counter[Holder]()

    def take(self, holder: Holder, seconds: float) -> None:
        """Take a place within `seconds`, unless the request has one. Raises `Busy`."""
        with self._changed:
            if not (self._may_take(holder) or self._may_wait(holder)):
                raise _busy()
            # Several threads may read answers for one request.
            self._waiting[holder] += 1
            try:
                self._changed.wait_for(lambda: holder.is_over or self._may_take(holder), seconds)
                if not self._may_take(holder):
                    raise _busy()
                self._taken.add(holder)
            finally:
                self._waiting[holder] -= 1
                if not self._waiting[holder]:
                    del self._waiting[holder]
                # It may have been the turn of this one before that of others.
                self._changed.notify_all()

    def _may_take(self, holder: Holder) -> bool:
        if holder.is_over or holder in self._taken:
            return not holder.is_over
        clients = Counter(one.client for one in self._taken)
        return len(self._taken) < self._at_once and all(
            clients[holder.client] <= clients[one.client] for one in self._waiting
        )

    def _may_wait(self, holder: Holder) -> bool:
        """Return whether one more may wait, if need be in place of one of a client with more."""
        # Of a request that has got a place, other threads may still be waiting.
        waiting = [one for one in self._waiting if one not in self._taken and one is not holder]
        others = [one for one in waiting if one.kind == holder.kind]
        if holder.is_over or len(others) < holder.most_waiting:
            return not holder.is_over
        clients = Counter(one.client for one in self._taken | self._waiting.keys())
        last = max(reversed(others), key=lambda one: clients[one.client], default=None)
        if last is None or clients[last.client] <= clients[holder.client] + 1:
            return False
        last.is_over = True
        self._changed.notify_all()
        return True

    def has(self, holder: Holder) -> bool:
        """Return whether a request has a place."""
        return holder in self._taken

    def release(self, holder: Holder) -> None:
        """Give the place of a request back, if it has one."""
        with self._changed:
            self._taken.discard(holder)
            self._changed.notify_all()


class Holder:
    """One request of a `client`, and its place in `places` once it holds large answers.

    At most so many requests of its `kind` are waiting.
    """

    def __init__(
        self, places: Places, kind: str = "", *, most_waiting: int = 1, client: str = ""
    ) -> None:
        self.kind = kind
        self.client = client
        self.most_waiting = most_waiting
        self.is_over = False
        self._places = places

    @property
    def has_place(self) -> bool:
        return self._places.has(self)

    def take_place(self, seconds: float) -> None:
        """Wait for a place, at most `seconds`. Raises `Busy`."""
        self._places.take(self, seconds)

    def end(self) -> None:
        """Give the place back; threads that still read for the request get none any more."""
        self.is_over = True
        self._places.release(self)


_current: ContextVar[Holder | None] = ContextVar("holder", default=None)


@contextmanager
def hold_answers(holder: Holder | None) -> Iterator[None]:
    """Let large answers that are read within take the place of `holder`, or none without one."""
    token = _current.set(holder)
    try:
        yield
    finally:
        _current.reset(token)


def take_place(seconds: float = _WAIT_SECONDS) -> None:
    """Wait until the request that this thread answers may hold large answers. Raises `Busy`.

    Commands read one answer after the other, and need no place.
    """
    holder = _current.get()
    if holder is not None:
        holder.take_place(min(seconds, _WAIT_SECONDS))


def _busy() -> Busy:
    return Busy(
        "Others are reading transcripts of many megabytes now, and this one is as large.",
        retry_after=RETRY_SECONDS,
    )
