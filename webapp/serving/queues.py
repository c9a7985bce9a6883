"""The requests that wait for a thread, in an order in which none of them waits for all others."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from webapp.serving.channels import Channel


class FairQueue:
    """Connections whose next request waits for a thread. Has of `deque` what waitress uses.

    Each client has its turn, so hundreds of requests of one delay another by one of them. Clients
    may share an address. So each turn is of the oldest and of the newest request alternately: a
    burst passes, and a reader who comes after it does not wait for its end.
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[Channel]] = OrderedDict()
        self._length = 0
        self._takes_newest = False

    def __len__(self) -> int:
        return self._length

    def append(self, channel: Channel) -> None:
        """Add a connection to those of its client."""
        self._waiting.setdefault(channel.requests[0].client, deque()).append(channel)
        self._length += 1

    def popleft(self) -> Channel:
        """Remove and return a connection of the client whose turn it is."""
        client, waiting = self._waiting.popitem(last=False)
        channel = waiting.pop() if self._takes_newest else waiting.popleft()
        self._takes_newest = not self._takes_newest
        if waiting:
            self._waiting[client] = waiting
        self._length -= 1
        return channel
