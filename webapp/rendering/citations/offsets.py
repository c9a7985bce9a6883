"""What the indexes of citations count in a text, and what a range holds.

The API does not say whether they count code points or UTF-16 units. The two differ only behind
characters beyond the first plane; there that reading is taken under which the ranges hold what
they cite: the address, host or title of the source, a marker such as `【4:0†source】` or `[1]`,
or at least whole words.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from webapp.messages import UrlCitation
from webapp.rendering.urls import foreign_host

_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")
_LINKED: Final = r"\[[^\[\]\n]*+\]\([^()\s]*+(?:\([^()\s]*+\)[^()\s]*+)*+\)"
_PLAIN_MARKER: Final = re.compile(
    r"(?:【[^【】\n]{1,200}】)+|\[\^?[^\[\]\s]{1,40}\]|\([0-9]{1,4}\)|[⁰¹²³⁴-⁹]{1,8}"
)
_LINK_MARKER: Final = re.compile(rf"\({_LINKED}\)|{_LINKED}")
_ENDS: Final = frozenset(" \n\t.,;:!?)]}】」。、\"'")
_STARTS: Final = frozenset(" \n\t([{【「\"'")
_LOOKED_AT: Final = 2_000
"""Characters at the end of a range that are looked at; a range may be a whole text."""

_VOTERS: Final = 200
"""Citations that are asked for the reading; there may be very many."""

Range: TypeAlias = tuple[int | None, int | None]


def is_marker(text: str) -> bool:
    """Whether `text` is nothing but a marker of the kind that models write."""
    return _PLAIN_MARKER.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Indexes:
    """What an index counts in one text: `offset` makes it a code point, None inside of one."""

    units: str
    length: int
    offset: Callable[[int], int | None]
    first_astral: int | None = None

    @classmethod
    def of(cls, text: str, cited: Sequence[tuple[UrlCitation, Range]]) -> Indexes:
        astral = [found.start() for found in _ASTRAL.finditer(text)]
        plain = cls("code points", len(text), lambda index: index, next(iter(astral), None))
        if not astral:
            return plain
        utf16 = cls("UTF-16 units", len(text) + len(astral), _from_utf16(astral), astral[0])
        voters = cited[:_VOTERS]
        scores = [sum(_fits(text, *one, reading) for one in voters) for reading in (plain, utf16)]
        return utf16 if scores[1] > scores[0] else plain

    def matters_for(self, cited: Sequence[tuple[UrlCitation, Range]]) -> bool:
        """Whether an index lies where the readings differ."""
        first = self.first_astral
        return first is not None and any((end or 0) > first for _, (_, end) in cited)


def _from_utf16(astral: Sequence[int]) -> Callable[[int], int | None]:
    units = [place + at for at, place in enumerate(astral)]

    def offset(index: int) -> int | None:
        before = bisect_left(units, index)
        if before and units[before - 1] + 1 == index:
            return None
        return index - before

    return offset


def _fits(text: str, cited: UrlCitation, one: Range, reading: Indexes) -> int:
    """How well the range of a citation holds what it cites, under one reading."""
    start, end = one
    if start is None or end is None or not 0 <= start < end <= reading.length:
        return 0
    first, last = reading.offset(start), reading.offset(end)
    if first is None or last is None:
        return 0
    return sum(_signs(text, cited, first, last))


def _signs(text: str, cited: UrlCitation, start: int, end: int) -> Iterator[int]:
    piece = text[max(start, end - _LOOKED_AT) : end]
    if is_marker(piece.strip()) or _LINK_MARKER.fullmatch(piece.strip()):
        yield 6
    names = (cited.url, foreign_host(cited.url), cited.title)
    if any(name and name[:_LOOKED_AT] in piece for name in names):
        yield 4
    yield end == len(text) or text[end] in _ENDS or text[end - 1] in ")]】"
    yield start == 0 or text[start - 1] in _STARTS or text[start] in "([【"
