"""The values that were used last, within a bound of their sizes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class RecentValues(Generic[K, V]):
    """Keeps values whose sizes are at most `most` together and `largest` each; for all threads.

    Sizes are in any one unit, such as bytes. The values that were not used for longest are dropped
    first.
    """

    def __init__(self, most: int, *, largest: int | None = None) -> None:
        self.most = most
        self.size = 0
        self._largest = most if largest is None else min(largest, most)
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """Look up the value of `key`, which counts as its use."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def keep(self, key: K, value: V, size: int) -> None:
        """Keep `value`, of this size, in place of the one before; not if it is too large."""
        if size > self._largest:
            return
        with self._lock:
            _, before = self._kept.pop(key, (None, 0))
            self._kept[key] = value, size
            self.size += size - before
            while self.size > self.most:
                self.size -= self._kept.popitem(last=False)[1][1]
