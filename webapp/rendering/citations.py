"""Url citations: where their marks go in a text, and the sources that are listed.

A mark is set into the text before it is read as Markdown, as a pair of noncharacters around
the source's number, and becomes a link afterwards. A mark that would fall inside a link, or
into code, is moved behind it; one at the edge of a line, a table row or a fence, to the words
in front of it. Brackets around the noncharacters keep emphasis working, which may end behind
a full stop only where white space or punctuation follows.

The API does not say whether the indexes count code points or UTF-16 units. They differ only in
texts with characters beyond the first plane; there the reading is taken whose cut ends where
words and brackets end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from webapp.messages import Annotation, UrlCitation

OPEN: Final = "\u2e28\ufdd0"
CLOSE: Final = "\ufdd1\u2e29"

_MARK = re.compile(f"{OPEN}([0-9]+){CLOSE}")
_ENCODED_MARK = re.compile(f"{quote(OPEN)}[0-9]+{quote(CLOSE)}")
_TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)(?:[^<>"]|"[^"]*")*>')
_LINK: Final = re.compile(
    r"\[[^\[\]\n]*\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)|<https?://[^\s<>]*>"
)
_STRUCTURE: Final = "`~=-_*:|>#+ \t"
_HOLDS_MARKS: Final = frozenset({"a", "code", "pre"})
_ENDS: Final = frozenset(" \n\t.,;:!?)]}】」。、\"'")


@dataclass(frozen=True, slots=True)
class Source:
    """One cited source: `number` from 1, `in_text` whether its mark stands in the text."""

    number: int
    annotation: Annotation
    in_text: bool


def place_marks(text: str, annotations: Sequence[Annotation]) -> tuple[str, tuple[Source, ...]]:
    """`text` with a mark behind every range that is cited, and all sources in their order.

    Ranges that are empty or outside the text get no mark. Noncharacters of the text that
    look like marks make all sources listed only.
    """
    forged = OPEN in text or CLOSE in text
    offset = _offsets(text, annotations)
    links = [] if forged else [link.span() for link in _LINK.finditer(text)]
    sources = []
    marks: list[tuple[int, int]] = []
    for number, annotation in enumerate(annotations, start=1):
        end = None if forged else _end(text, annotation, offset)
        sources.append(Source(number, annotation, end is not None))
        if end is not None:
            marks.append((_behind_words(text, _behind_link(end, links)), number))
    return _insert(text, sorted(marks)), tuple(sources)


def without_marks(html: str) -> str:
    """`html` as it would be had no marks been placed, unless they changed what is around them."""
    return _ENCODED_MARK.sub("", _MARK.sub("", html))


def link_marks(html: str, link: Callable[[int], str]) -> str:
    """`html` with its marks turned into what `link` gives for their number."""
    out: list[str] = []
    waiting: list[str] = []
    inside: list[str] = []
    position = 0

    def text_until(end: int) -> None:
        piece = html[position:end]
        found = [link(int(number)) for number in _MARK.findall(piece)]
        if inside:
            out.append(_MARK.sub("", piece))
            waiting.extend(found)
        else:
            out.append(_MARK.sub(lambda mark: link(int(mark[1])), piece))

    for tag in _TAG.finditer(html):
        text_until(tag.start())
        position = tag.end()
        out.append(without_marks(tag[0]))
        closes, name = tag[1], tag[2]
        if name in _HOLDS_MARKS:
            if not closes:
                inside.append(name)
            elif inside:
                inside.pop()
            if not inside:
                out.extend(waiting)
                waiting.clear()
    text_until(len(html))
    return "".join(out + waiting)


def _end(text: str, annotation: Annotation, offset: Callable[[int], int | None]) -> int | None:
    """Where in `text` the range of a citation ends, or None when that makes no sense."""
    if not isinstance(annotation, UrlCitation):
        return None
    start, end = annotation.start_index, annotation.end_index
    if start is None or end is None or not 0 <= start < end:
        return None
    place = offset(end)
    return place if place is not None and place <= len(text) else None


def _offsets(text: str, annotations: Sequence[Annotation]) -> Callable[[int], int | None]:
    """How an index becomes a place in `text`: as code points, or from UTF-16 units."""

    def as_is(index: int) -> int | None:
        return index

    if all(ord(character) < 0x10000 for character in text):
        return as_is
    places = {}
    units = 0
    for place, character in enumerate(text):
        places[units] = place
        units += 1 + (ord(character) >= 0x10000)
    places[units] = len(text)
    ends = [a.end_index for a in annotations if isinstance(a, UrlCitation) and a.end_index]
    plain = sum(_ends_well(text, end) for end in ends)
    utf16 = sum(_ends_well(text, places.get(end)) for end in ends)
    return places.get if utf16 > plain else as_is


def _ends_well(text: str, place: int | None) -> bool:
    if place is None or not 0 < place <= len(text):
        return False
    return place == len(text) or text[place] in _ENDS or text[place - 1] in ")]】"


def _behind_link(place: int, links: Sequence[tuple[int, int]]) -> int:
    """`place`, or the end of the Markdown link that it would cut."""
    return next((end for start, end in links if start < place < end), place)


def _behind_words(text: str, place: int) -> int:
    """`place`, or the end of the words in front of it, where a mark would break a block.

    A line break ends a block, a pipe a table cell; a line of signs alone is a fence or a rule.
    """
    for _ in range(4):
        place = len(text[:place].rstrip(" \t\r\n|"))
        line = text.rfind("\n", 0, place) + 1
        if line == 0 or text[line:place].strip(_STRUCTURE):
            break
        place = line
    return place


def _insert(text: str, marks: Sequence[tuple[int, int]]) -> str:
    pieces = []
    position = 0
    for place, number in marks:
        pieces += [text[position:place], f"{OPEN}{number}{CLOSE}"]
        position = place
    return "".join([*pieces, text[position:]])
