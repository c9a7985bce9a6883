"""The values that were used last, within a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class RecentValues(Generic[T]):
    """Keeps values of at most `largest` bytes each and `most_bytes` in all; for all threads.

    The values that were not used for longest are dropped first.
    """

    def __init__(self, most_bytes: int, *, largest: int) -> None:
        self.most_bytes = most_bytes
        self.size = 0
        self._largest = largest
        self._kept: OrderedDict[bytes, tuple[T, int]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: bytes) -> T | None:
        """Look up the value of `key`, which counts as its use."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def keep(self, key: bytes, value: T, size: int) -> None:
        """Keep `value`, of `size` bytes, in place of the one before; not if it is too large."""
        if size > min(self._largest, self.most_bytes):
            return
        with self._lock:
            _, before = self._kept.pop(key, (None, 0))
            self._kept[key] = value, size
            self.size += size - before
            while self.size > self.most_bytes:
                self.size -= self._kept.popitem(last=False)[1][1]
