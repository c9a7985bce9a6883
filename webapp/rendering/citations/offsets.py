"""Infer the unit of citation indexes, and recognize the markers that models write.

The API does not say whether indexes count code points or UTF-16 units. The two differ only after
characters beyond the first plane. If a text has any, the better unit is the one under which more
ranges contain their source (its URL, host or title), a marker such as `【4:0†source】` or `[1]`,
or at least whole words.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from webapp.messages import UrlCitation
from webapp.rendering.urls import get_host

_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")
_LINKED: Final = r"\[[^\[\]\n]*+\]\([^()\s]*+(?:\([^()\s]*+\)[^()\s]*+|(?!))*+\)"
_PLAIN_MARKER: Final = re.compile(
    r"(?:【[^【】\n]{1,200}】)+|\[\^?[^\[\]\s]{1,40}\]|\([0-9]{1,4}\)|[⁰¹²³⁴-⁹]{1,8}"
)
_LINK_MARKER: Final = re.compile(rf"\({_LINKED}\)|{_LINKED}")
_ENDS: Final = frozenset(" \n\t.,;:!?)]}】」。、\"'")
_STARTS: Final = frozenset(" \n\t([{【「\"'")
_MAX_EXAMINED: Final = 2_000
"""Characters examined at the end of a range; a range may be a whole text."""

_MAX_VOTERS: Final = 200
"""Citations that vote on the unit; a message may have far more."""

Range: TypeAlias = tuple[int | None, int | None]


def is_marker(text: str) -> bool:
    """Return whether `text` is a marker as models write them, and nothing else."""
    return _PLAIN_MARKER.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Indexes:
    """The unit of the indexes of one text, and their conversion.

    `offset` converts an index to code points; it returns None inside a surrogate pair.
    """

    units: str
    length: int
    offset: Callable[[int], int | None]
    first_astral: int | None = None

    @classmethod
    def infer(cls, text: str, cited: Sequence[tuple[UrlCitation, Range]]) -> Indexes:
        """Infer the unit that fits the ranges of `cited` better; code points if both do."""
        astral = [found.start() for found in _ASTRAL.finditer(text)]
        plain = cls("code points", len(text), lambda index: index, next(iter(astral), None))
        if not astral:
            return plain
        utf16 = cls("UTF-16 units", len(text) + len(astral), _convert_utf16(astral), astral[0])
        plain_score, utf16_score = (
            sum(_score_range(text, *one, indexes) for one in cited[:_MAX_VOTERS])
            for indexes in (plain, utf16)
        )
        return utf16 if utf16_score > plain_score else plain

    def is_ambiguous(self, cited: Sequence[tuple[UrlCitation, Range]]) -> bool:
        """Return whether the unit makes a difference to any range of `cited`."""
        first = self.first_astral
        return first is not None and any((end or 0) > first for _, (_, end) in cited)


def _convert_utf16(astral: Sequence[int]) -> Callable[[int], int | None]:
    """Build the conversion from UTF-16 units; `astral` are the offsets of surrogate pairs."""
    units = [offset + pairs for pairs, offset in enumerate(astral)]

    def convert(index: int) -> int | None:
        pairs = bisect_left(units, index)
        if pairs and units[pairs - 1] + 1 == index:
            return None
        return index - pairs

    return convert


def _score_range(text: str, cited: UrlCitation, one: Range, indexes: Indexes) -> int:
    """Score how well the range of a citation fits its content under one unit."""
    start, end = one
    if start is None or end is None or not 0 <= start < end <= indexes.length:
        return 0
    first, last = indexes.offset(start), indexes.offset(end)
    if first is None or last is None:
        return 0
    piece = text[max(first, last - _MAX_EXAMINED) : last]
    names = (cited.url, get_host(cited.url), cited.title)
    has_marker = is_marker(piece.strip()) or _LINK_MARKER.fullmatch(piece.strip()) is not None
    has_name = any(name and name[:_MAX_EXAMINED] in piece for name in names)
    ends_well = last == len(text) or text[last] in _ENDS or text[last - 1] in ")]】"
    starts_well = first == 0 or text[first - 1] in _STARTS or text[first] in "([【"
    return 6 * has_marker + 4 * has_name + ends_well + starts_well
