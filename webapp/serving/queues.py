"""The requests that wait for a thread, in an order in which none of them waits for all others."""

from __future__ import annotations

import sys
from collections import Counter, OrderedDict, deque
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from webapp.serving.channels import Channel


class FairQueue:
    """Connections whose next request waits for a thread. Has the methods that waitress uses.

    Each client has its turn, so hundreds of requests of one delay another by one of them. Clients
    may share an address. So each turn is of the oldest and of the newest request alternately: a
    burst passes, and a reader who comes after it does not wait for its end.

    Of one client, `most_of_one` requests have a thread at once; its others do not count as waiting
    until one of them is answered.
    """

    def __init__(self, *, most_of_one: int = sys.maxsize) -> None:
        self._most_of_one = most_of_one
        self._lock = Lock()
        self._waiting: OrderedDict[str, deque[Channel]] = OrderedDict()
        self._held: dict[str, deque[Channel]] = {}
        """The requests of clients that have all of their threads."""
        self._running = Counter[str]()
        self._length = 0
        self._takes_newest = False

    def __len__(self) -> int:
        return self._length

    def append(self, channel: Channel) -> None:
        """Add a connection to those of its client."""
        client = channel.requests[0].client
        with self._lock:
            if self._running[client] >= self._most_of_one:
                self._held.setdefault(client, deque()).append(channel)
                return
            self._waiting.setdefault(client, deque()).append(channel)
            self._length += 1

    def popleft(self) -> Turn:
        """Remove a connection of the client whose turn it is, and return its turn."""
        with self._lock:
            client, waiting = self._waiting.popitem(last=False)
            channel = waiting.pop() if self._takes_newest else waiting.popleft()
            self._takes_newest = not self._takes_newest
            self._length -= 1
            self._running[client] += 1
            if waiting and self._running[client] >= self._most_of_one:
                self._length -= len(waiting)
                self._held[client] = waiting
            elif waiting:
                self._waiting[client] = waiting
        return Turn(self, channel, client)

    def end_turn(self, client: str) -> None:
        """Note that a request of `client` needs its thread no more."""
        with self._lock:
            self._running[client] -= 1
            if not self._running[client]:
                del self._running[client]
            held = self._held.pop(client, None)
            if held:
                self._waiting[client] = held
                self._length += len(held)


class Turn:
    """One request of a connection, for waitress to answer; a thread that ends it looks for more."""

    def __init__(self, queue: FairQueue, channel: Channel, client: str) -> None:
        self.channel = channel
        self._queue = queue
        self._client = client

    def service(self) -> None:
        try:
            self.channel.service()
        finally:
            self._queue.end_turn(self._client)

    def cancel(self) -> None:
        self.channel.cancel()
        self._queue.end_turn(self._client)
