"""A text too long for one page, cut into slices: joined, they are the text again.

A slice ends behind a paragraph, else behind a line, else behind a character with all that
belongs to it. Where it ends within a block of code or a table, the next one opens the block
again to be read as Markdown. The lines that do so are no part of the text: the slice's own text
stays exact, and so do the source view and what is copied.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from webapp.rendering.text.open_blocks import Open, open_within, walked

MIN_BYTES: Final = 256
_MAX_CLUSTER: Final = 32
_BEHIND_BLANK: Final = re.compile(r"(?<=\n)\r?\n")
_JOINS: Final = "\u200d\ufe0e\ufe0f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The characters from `start` to `end` of a text.

    `seen` and `total` count bytes of UTF-8: up to the end of this slice, and all of them.
    `reopens` are the lines that open the block of code, or the table, which the slice begins in.
    """

    text: str
    start: int
    end: int
    seen: int
    total: int
    reopens: str = ""
    begins_in: Literal["", "code", "table"] = ""

    @property
    def next(self) -> int | None:
        """Where the next slice starts; None at the end of the text."""
        return self.end if self.seen < self.total else None

    @property
    def before(self) -> int:
        """Bytes in front of this slice."""
        return self.seen - count_bytes(self.text)

    @property
    def markdown(self) -> str:
        return self.reopens + self.text


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in a text: what is open where its line begins."""

    at: int = 0
    line: int = 0
    opened: Open = Open()

    def moved(self, text: str, at: int) -> _Place:
        """The place `at`, behind this one, which is read on from here."""
        found = deque(walked(text, self.opened, start=self.line, end=at), maxlen=1)
        line, opened = found[0] if found else (self.line, self.opened)
        return _Place(at, line, opened)

    def within(self, text: str) -> Open:
        """What is open at the place itself."""
        return open_within(text, self.opened, start=self.line, place=self.at)

    def reopens(self, text: str, limit: int) -> str:
        """The lines that open it again, when they leave room for the text."""
        lines = self.within(text).reopened(within_line=self.at > self.line)
        return lines if count_bytes(lines) <= max(limit, MIN_BYTES) // 2 else ""


def count_bytes(text: str) -> int:
    """Bytes of UTF-8, lone surrogates as three."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def is_too_long(text: str, limit: int) -> bool:
    """Whether `text` has more than `limit` bytes."""
    return len(text) * 4 > limit and count_bytes(text) > limit


def cut_slice(text: str, *, start: int, limit: int) -> Slice:
    """The slice of `text` that begins at `start` and has no more than `limit` bytes."""
    place = _Place().moved(text, start)
    end = _end(text, place, limit)
    reopens = place.reopens(text, limit)
    return Slice(
        text=text[start:end],
        start=start,
        end=end,
        seen=count_bytes(text[:end]),
        total=count_bytes(text),
        reopens=reopens,
        begins_in="" if not reopens else "code" if place.within(text).is_code else "table",
    )


def find_previous_start(text: str, *, start: int, limit: int) -> int | None:
    """Where the slice in front of `start` begins, reading from the beginning; None at 0."""
    if start <= 0:
        return None
    place = _Place()
    while (end := _end(text, place, limit)) < start:
        place = place.moved(text, end)
    return place.at


def _end(text: str, place: _Place, limit: int) -> int:
    room = max(limit, MIN_BYTES) - count_bytes(place.reopens(text, limit))
    start = place.at
    last = start + _fitting(text[start : start + room], room)
    if last >= len(text):
        return len(text)
    half = start + (last - start) // 2
    return _behind_paragraph(text, place, half, last) or _behind_line(text, half, last)


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


def _behind_paragraph(text: str, place: _Place, low: int, high: int) -> int | None:
    """The end of the last blank line between `low` and `high` that stands in no code."""
    best = None
    in_code = place.opened.is_code
    changes = _changes(text, place, high)
    following, then = next(changes, (high + 1, in_code))
    for blank in _BEHIND_BLANK.finditer(text, low, high):
        while following <= blank.end():
            in_code = then
            following, then = next(changes, (high + 1, in_code))
        best = best if in_code else blank.end()
    return best


def _changes(text: str, place: _Place, high: int) -> Iterator[tuple[int, bool]]:
    """From where on the text is code or none, as far as it changes."""
    for at, opened in walked(text, place.opened, start=place.line, end=high):
        yield at, opened.is_code


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
