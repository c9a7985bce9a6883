"""Marks of citations: into a text before it is read as Markdown, and links in its HTML after.

A mark is a pair of noncharacters around the number of a place. It stands behind the range that
is cited. Where it would fall inside a link or an address it is moved behind it, at the edge of
a line, a table row or a fence to the words in front of it. In the HTML, marks inside links,
code and formulas are moved behind them. Where the range is itself a marker, such as `[1]` or
`【4:0†source】`, another mark stands in front, and the marker becomes the link. Brackets around
the noncharacters keep emphasis working, which may end behind a full stop only where white space
or punctuation follows.

HTML is cleaned between `settle_marks` and `cite`: what `cite` makes is ours, ids included.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from typing import Final
from urllib.parse import quote

from markupsafe import Markup, escape

from webapp.messages import Annotation, UrlCitation
from webapp.rendering.citations.offsets import is_marker
from webapp.rendering.citations.sources import Source, Span, locate
from webapp.rendering.urls import foreign_host

OPEN: Final = "\u2e28\ufdd0"
START: Final = "\u2e28\ufdd2"
CLOSE: Final = "\ufdd1\u2e29"

_MARK = re.compile(f"{OPEN}([0-9]+){CLOSE}")
_ANY_MARK = re.compile(f"\u2e28[\ufdd0\ufdd2][0-9]+{CLOSE}")
_ENCODED_MARK = re.compile(f"(?:{quote(OPEN)}|{quote(START)})[0-9]+{quote(CLOSE)}")
_MARKER = re.compile(f"{START}([0-9]+){CLOSE}([^<>\u2e28\u2e29]*+){OPEN}\\1{CLOSE}")
_RUN = re.compile(f"(?:{OPEN}[0-9]+{CLOSE})+")
_TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)(?:[^<>"]|"[^"]*")*>')
_WHOLE: Final = re.compile(
    r"\[[^\[\]\n]*+\]\([^()\s]*+(?:\([^()\s]*+\)[^()\s]*+)*+\)"
    r"|<https?://[^\s<>]*+>|https?://[!-;=?-~]*[^\s!\"'()*,.:;<>?_`~]"
)
_HOLDS_MARKS: Final = frozenset({"a", "code", "pre", "math"})
_BLANK_RUN: Final = re.compile(r"[ \t\r\n|]+")
_WORDS: Final = re.compile(r"[^`~=\-_*:|>#+ \t\r\n]+")


def place_marks(
    text: str, annotations: Sequence[Annotation], *, without: Collection[int] = ()
) -> tuple[str, tuple[Source, ...]]:
    """`text` with marks at every range that is cited, and all sources in their order.

    Ranges that are empty, outside the text or overlap another get no mark, nor do the places
    numbered in `without`, whose marks would change the text. Noncharacters of the text that look
    like marks make all sources listed only.
    """
    if not annotations or any(mark in text for mark in (OPEN, START, CLOSE)):
        return text, locate(None, annotations)[0]
    sources, spans = locate(text, annotations)
    if without:
        spans = tuple(span for span in spans if span.place not in without)
        sources = tuple(source.unmarked(without) for source in sources)
    return _insert(text, _marks(text, spans)), sources


def without_marks(html: str) -> str:
    """`html` as it would be had no marks been placed, unless they changed what is around them."""
    return _ENCODED_MARK.sub("", _ANY_MARK.sub("", html))


def settle_marks(html: str) -> str:
    """`html` with no mark in a tag, a link, code or a formula: those stand behind it."""
    out: list[str] = []
    waiting: list[str] = []
    inside: list[str] = []
    position = 0

    def text_until(end: int) -> None:
        piece = html[position:end]
        if inside:
            waiting.extend(found[0] for found in _MARK.finditer(piece))
        out.append(_ANY_MARK.sub("", piece) if inside else piece)

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


def cite(html: str, sources: Sequence[Source], *, anchor: str) -> Markup:
    """Clean `html` with its marks as links to `#{anchor}-source-N`; each has an id of its own."""
    of = {place.number: source for source in sources for place in source.places if place.in_text}
    if not of:
        return Markup(html)

    def marker(found: re.Match[str]) -> str:
        source = of.get(int(found[1]))
        return found[0] if source is None else _marker(found[2], source, int(found[1]), anchor)

    def group(found: re.Match[str]) -> str:
        places = [int(number) for number in _MARK.findall(found[0])]
        links = "".join(_number(of[place], place, anchor) for place in places if place in of)
        return f'<sup class="citation">{links}</sup>' if links else found[0]

    return Markup(_ANY_MARK.sub("", _RUN.sub(group, _MARKER.sub(marker, html))))


def _marker(text: str, source: Source, place: int, anchor: str) -> str:
    digits = re.fullmatch(r"\D*([0-9]+)\D*", text)
    says_number = digits is not None and int(digits[1]) == source.number
    number = "" if says_number else f"<sup>[{source.number}]</sup>"
    return _link(f"{text}{number}", source, place, anchor, css="citation-marker")


def _number(source: Source, place: int, anchor: str) -> str:
    return _link(f"[{source.number}]", source, place, anchor, css="citation-number")


def _link(html: str, source: Source, place: int, anchor: str, *, css: str) -> str:
    attributes = {
        "class": css,
        "id": f"{anchor}-cite-{place}",
        "href": f"#{anchor}-source-{source.number}",
        "title": _described(source.annotation),
        "role": "doc-noteref",
    }
    written = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f"<a {written}>{html}</a>"


def _described(annotation: Annotation) -> str:
    """Title, host and address of a source."""
    if not isinstance(annotation, UrlCitation):
        return annotation.label
    said = (annotation.title, foreign_host(annotation.url), annotation.url)
    return "\n".join(one for one in said if one)


def _marks(text: str, spans: Sequence[Span]) -> list[tuple[int, str]]:
    """Every mark with its place in `text`."""
    blocks = _Blocks(text)
    marks = []
    wrapped: set[int] = set()
    for span in spans:
        cited = text[span.start : span.end] if span.end - span.start < 400 else ""
        start = span.start + len(cited) - len(cited.lstrip())
        end = span.start + len(cited.rstrip())
        if is_marker(cited.strip()) and blocks.are_free(start, end) and end not in wrapped:
            wrapped.add(end)
            marks.append((start, f"{START}{span.place}{CLOSE}"))
        else:
            end = blocks.behind_words(blocks.behind_link(span.end))
        marks.append((end, f"{OPEN}{span.place}{CLOSE}"))
    # Where one range ends and a marker begins, the number of the first comes first.
    return sorted(marks, key=lambda mark: (mark[0], mark[1].startswith(START)))


class _Blocks:
    """What in a text must not be cut by a mark: links, table rows, fences and the like."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._links = [link.span() for link in _WHOLE.finditer(text)]
        self._blanks = [run.span() for run in _BLANK_RUN.finditer(text)]
        self._words = [run.span() for run in _WORDS.finditer(text)]
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]

    def are_free(self, start: int, end: int) -> bool:
        """Whether neither end cuts a link."""
        return self.behind_link(start) == start and self.behind_link(end) == end

    def behind_link(self, place: int) -> int:
        """`place`, or the end of the link or address that it would cut."""
        return _behind(self._links, place)

    def behind_words(self, place: int) -> int:
        """`place`, or the end of the words in front of it, where a mark would break a block.

        A line break ends a block, a pipe a table cell; a line of signs alone is a fence or a
        rule.
        """
        for _ in range(4):
            place = self._in_front_of_blanks(place)
            line = self._lines[bisect_right(self._lines, place) - 1]
            if line == 0 or self._has_words(line, place):
                break
            place = line
        return place

    def _in_front_of_blanks(self, place: int) -> int:
        at = bisect_left(self._blanks, (place, 0)) - 1
        if at >= 0 and self._blanks[at][1] >= place:
            return self._blanks[at][0]
        return place

    def _has_words(self, start: int, end: int) -> bool:
        at = bisect_left(self._words, (end, 0)) - 1
        return at >= 0 and self._words[at][1] > start


def _behind(spans: Sequence[tuple[int, int]], place: int) -> int:
    at = bisect_left(spans, (place, 0)) - 1
    return spans[at][1] if at >= 0 and place < spans[at][1] else place


def _insert(text: str, marks: Sequence[tuple[int, str]]) -> str:
    pieces = []
    position = 0
    for place, mark in marks:
        pieces += [text[position:place], mark]
        position = place
    return "".join([*pieces, text[position:]])
