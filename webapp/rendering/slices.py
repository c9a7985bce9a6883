"""A text too long for one page, cut into slices: joined, they are the text again.

A slice ends behind a paragraph, else behind a line, else behind a character with all that
belongs to it. Where it ends within a block of code, the next one opens the block again to be
read as Markdown; its own text stays exact.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MIN_BYTES: Final = 256
_MAX_FENCE: Final = 64
_MAX_CLUSTER: Final = 32
_FENCE: Final = re.compile(r"^[ >\t]{0,12}(`{3,}|~{3,})([^\n`]*)$", re.MULTILINE)
_JOINS: Final = "\u200d\ufe0e\ufe0f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The characters from `start` to `end` of a text.

    `seen` and `total` count bytes of UTF-8: up to the end of this slice, and all of them.
    `reopens` is the line that opens the block of code which the slice begins in.
    """

    text: str
    start: int
    end: int
    seen: int
    total: int
    reopens: str = ""

    @property
    def next(self) -> int | None:
        """Where the next slice starts; None at the end of the text."""
        return self.end if self.seen < self.total else None

    @property
    def before(self) -> int:
        """Bytes in front of this slice."""
        return self.seen - size_of(self.text)

    @property
    def markdown(self) -> str:
        return self.reopens + self.text


def size_of(text: str) -> int:
    """Bytes of UTF-8, lone surrogates as three."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def exceeds(text: str, limit: int) -> bool:
    """Whether `text` has more than `limit` bytes."""
    return len(text) * 4 > limit and size_of(text) > limit


def slice_of(text: str, *, start: int, limit: int) -> Slice:
    """The slice of `text` that begins at `start` and has no more than `limit` bytes."""
    fence = _open_fence(text[:start], "")
    end = _end(text, start, _room(limit, fence), fence)
    return Slice(
        text=text[start:end],
        start=start,
        end=end,
        seen=size_of(text[:end]),
        total=size_of(text),
        reopens=fence,
    )


def start_before(text: str, *, start: int, limit: int) -> int | None:
    """Where the slice in front of `start` begins, reading from the beginning; None at 0."""
    if start <= 0:
        return None
    place, fence = 0, ""
    while (end := _end(text, place, _room(limit, fence), fence)) < start:
        place, fence = end, _open_fence(text[place:end], fence)
    return place


def _room(limit: int, fence: str) -> int:
    return max(limit, MIN_BYTES) - len(fence)


def _end(text: str, start: int, limit: int, fence: str) -> int:
    last = start + _fitting(text[start : start + limit], limit)
    if last >= len(text):
        return len(text)
    half = start + (last - start) // 2
    return _behind_paragraph(text, start, half, last, fence) or _behind_line(text, half, last)


def _fitting(text: str, limit: int) -> int:
    """How many characters of `text` have no more than `limit` bytes."""
    if text.isascii():
        return min(len(text), limit)
    data = text.encode("utf-8", "surrogatepass")
    if len(data) <= limit:
        return len(text)
    while data[limit] & 0xC0 == 0x80:
        limit -= 1
    return len(data[:limit].decode("utf-8", "surrogatepass"))


def _behind_paragraph(text: str, start: int, low: int, high: int, fence: str) -> int | None:
    """The end of the last blank line between `low` and `high` that stands in no code."""
    best = None
    for since, until in _outside_code(text[start:high], fence):
        best = _behind_blank(text, max(start + since, low), start + until) or best
    return best


def _behind_blank(text: str, low: int, high: int) -> int | None:
    ends = (text.rfind(blank, low, high) + len(blank) for blank in ("\n\n", "\r\n\r\n"))
    best = max(ends)
    return best if best > low else None


def _behind_line(text: str, low: int, high: int) -> int:
    line = text.rfind("\n", low, high) + 1
    return line or _behind_character(text, high)


def _behind_character(text: str, place: int) -> int:
    """`place`, or the start of the character, as a reader sees it, that it would cut."""
    for at in range(place, max(place - _MAX_CLUSTER, 0), -1):
        if not _belongs_together(text[at - 1], text[at]):
            return at
    return place if text[place - 1 : place + 1] != "\r\n" else place - 1


def _belongs_together(first: str, second: str) -> bool:
    return (
        (first == "\r" and second == "\n")
        or first == "\u200d"
        or second in _JOINS
        or unicodedata.combining(second) > 0
        or "\U0001f3fb" <= second <= "\U0001f3ff"
        or "\udc00" <= second <= "\udfff"
    )


def _open_fence(text: str, fence: str) -> str:
    """The line that opens the block of code which `text` ends in; empty when it ends in none.

    `fence` is that line at the beginning of `text`.
    """
    for found in _FENCE.finditer(text):
        fence = _after(fence, found)
    return fence


def _outside_code(text: str, fence: str) -> Iterator[tuple[int, int]]:
    """The stretches of `text` that are in no block of code; `fence` is open at its beginning."""
    since = 0
    for found in _FENCE.finditer(text):
        following = _after(fence, found)
        if following and not fence:
            yield since, found.start()
        elif fence and not following:
            since = found.end()
        fence = following
    if not fence:
        yield since, len(text)


def _after(fence: str, found: re.Match[str]) -> str:
    """The open fence behind the fence line `found`, when `fence` was open in front of it."""
    signs, info = found[1], found[2].strip()
    if not fence:
        return f"{signs}{info}"[:_MAX_FENCE] + "\n" if len(signs) < _MAX_FENCE else ""
    opened = len(fence) - len(fence.lstrip(fence[0]))
    closes = signs[0] == fence[0] and len(signs) >= opened and not info
    return "" if closes else fence
