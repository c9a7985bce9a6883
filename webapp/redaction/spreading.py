"""Search texts for known values, in a time that does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

_FEW: Final = 64
_HEAD: Final = 4
_LONGEST: Final = 64
"""Longer values are compared by their beginnings first."""

_WHOLE_WORD: Final = 12
"""A shorter value is found only where no letter or digit goes on with it."""

SHORTEST: Final = _HEAD


class Values:
    """Values to search for, each of `SHORTEST` characters or more."""

    def __init__(self, values: Iterable[str]) -> None:
        self._values = sorted(set(values), key=len, reverse=True)
        self._by_head: dict[str, dict[str, list[str]]] = {}
        self._lengths: dict[str, list[int]] = {}
        for value in self._values:
            begin = value[:_LONGEST]
            self._by_head.setdefault(value[:_HEAD], {}).setdefault(begin, []).append(value)
        for head, begins in self._by_head.items():
            self._lengths[head] = sorted({len(begin) for begin in begins}, reverse=True)

    def search(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the places of the values in `text`, of several at one place the longest."""
        if len(self._values) <= _FEW:
            for value in self._values:
                at = text.find(value)
                while at >= 0:
                    end = at + len(value)
                    if _is_whole(text, at, end):
                        yield at, end
                    at = text.find(value, end)
            return
        heads = self._by_head
        at, last = 0, len(text) - _HEAD
        while at <= last:
            head = text[at : at + _HEAD]
            end = self._match(text, at, head) if head in heads else 0
            if end:
                yield at, end
            at = max(end, at + 1)

    def _match(self, text: str, at: int, head: str) -> int:
        """Return the end of the longest value that begins with `head` at a place, or 0."""
        begins = self._by_head[head]
        for length in self._lengths[head]:
            for value in begins.get(text[at : at + length], ()):
                if text.startswith(value, at) and _is_whole(text, at, at + len(value)):
                    return at + len(value)
        return 0


def _is_whole(text: str, start: int, end: int) -> bool:
    if end - start >= _WHOLE_WORD:
        return True
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (
        (before.isalnum() and text[start].isalnum())
        or (after.isalnum() and text[end - 1].isalnum())
    )
