"""Insert citation marks into a text before it is parsed, and turn them into links in its HTML.

A mark is a pair of noncharacters around the number of a place. It follows the range that is
cited. If it would fall inside a link or a URL it moves after it; at the edge of a line, a table
row or a fence it moves back to the last word. In the HTML, marks inside links, code and formulas
move after them. If the range is itself a marker, such as `[1]` or `【4:0†source】`, another mark
precedes it and the marker becomes the link. The noncharacters are wrapped in brackets because
emphasis may end after a full stop only if white space or punctuation follows.

The HTML is sanitized between `settle_marks` and `link_marks`: the output of `link_marks` is ours,
ids included.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from markupsafe import Markup, escape

from webapp.messages import Annotation, UrlCitation
from webapp.rendering.citations.offsets import is_marker
from webapp.rendering.citations.sources import Source, Span, locate_sources
from webapp.rendering.urls import get_host

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
    r"\[[^\[\]\n]*+\]\([^()\s]*+(?:\([^()\s]*+\)[^()\s]*+|(?!))*+\)"
    r"|<https?://[^\s<>]*+>|https?://[!-;=?-~]*[^\s!\"'()*,.:;<>?_`~]"
)
_WITHOUT_MARKS: Final = frozenset({"a", "code", "pre", "math"})
_BLANK_RUN: Final = re.compile(r"[ \t\r\n|]+")
_WORDS: Final = re.compile(r"[^`~=\-_*:|>#+ \t\r\n]+")
_MAX_MARKER: Final = 400
"""Characters of a cited range that may be a marker."""


def place_marks(
    text: str, annotations: Sequence[Annotation], *, cautious: bool = False
) -> tuple[str, tuple[Source, ...]]:
    """Place a mark at every range of `text` that can have one, and list all sources in order.

    Ranges that are empty, outside the text or overlap another get no mark; with `cautious`,
    neither do those that end anywhere but at the end of a word or a sentence. A text that
    contains our noncharacters already gets no marks at all.
    """
    if not annotations or any(mark in text for mark in (OPEN, START, CLOSE)):
        return text, locate_sources(None, annotations)[0]
    sources, spans = locate_sources(text, annotations)
    if cautious:
        awkward = {span.place for span in spans if not _ends_a_word(text, span)}
        spans = tuple(span for span in spans if span.place not in awkward)
        sources = tuple(source.unmark(awkward) for source in sources)
    pieces = []
    position = 0
    for offset, mark in _build_marks(text, spans):
        pieces += [text[position:offset], mark]
        position = offset
    return "".join([*pieces, text[position:]]), sources


def remove_marks(html: str) -> str:
    """Remove the marks from `html`, unless they changed their surroundings."""
    return _ENCODED_MARK.sub("", _ANY_MARK.sub("", html))


def split_marks(text: str) -> tuple[str, str]:
    """Split `text` into the text without marks, and the marks to set after it."""
    if CLOSE not in text:
        return text, ""
    return _ANY_MARK.sub("", text), "".join(found[0] for found in _MARK.finditer(text))


def settle_marks(html: str) -> str:
    """Move the marks inside tags, links, code and formulas of `html` after them."""
    out: list[str] = []
    waiting: list[str] = []
    inside: list[str] = []
    position = 0

    def copy_until(end: int) -> None:
        piece = html[position:end]
        if inside:
            waiting.extend(found[0] for found in _MARK.finditer(piece))
        out.append(_ANY_MARK.sub("", piece) if inside else piece)

    for tag in _TAG.finditer(html):
        copy_until(tag.start())
        position = tag.end()
        out.append(remove_marks(tag[0]))
        closes, name = tag[1], tag[2]
        if name in _WITHOUT_MARKS:
            if not closes:
                inside.append(name)
            elif inside:
                inside.pop()
            if not inside:
                out.extend(waiting)
                waiting.clear()
    copy_until(len(html))
    return "".join(out + waiting)


def link_marks(html: str, sources: Sequence[Source], *, anchor: str) -> Markup:
    """Turn the marks of sanitized `html` into links to `#{anchor}-source-N`, each with an id."""
    of = {place.number: source for source in sources for place in source.places if place.in_text}
    if not of:
        return Markup(html)

    def link_marker(found: re.Match[str]) -> str:
        text, place = found[2], int(found[1])
        if place not in of:
            return found[0]
        number = of[place].number
        digits = re.fullmatch(r"\D*([0-9]+)\D*", text)
        if digits is None or int(digits[1]) != number:
            text += f"<sup>[{number}]</sup>"
        return _build_link(text, of[place], place, anchor, css="citation-marker")

    def link_run(found: re.Match[str]) -> str:
        links = "".join(
            _build_link(f"[{of[place].number}]", of[place], place, anchor, css="citation-number")
            for place in map(int, _MARK.findall(found[0]))
            if place in of
        )
        return f'<sup class="citation">{links}</sup>' if links else found[0]

    return Markup(_ANY_MARK.sub("", _RUN.sub(link_run, _MARKER.sub(link_marker, html))))


def _build_link(html: str, source: Source, place: int, anchor: str, *, css: str) -> str:
    cited = source.annotation
    if isinstance(cited, UrlCitation):
        facts = (cited.title, get_host(cited.url), cited.url)
        title = "\n".join(fact for fact in facts if fact)
    else:
        title = cited.label
    attributes = {
        "class": css,
        "id": f"{anchor}-cite-{place}",
        "href": f"#{anchor}-source-{source.number}",
        "title": title,
        "role": "doc-noteref",
    }
    pairs = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f"<a {pairs}>{html}</a>"


def _ends_a_word(text: str, span: Span) -> bool:
    """Return whether a mark after `span` can hardly be mistaken for syntax."""
    cited = text[max(span.start, span.end - _MAX_MARKER) : span.end].rstrip()
    following = text[span.end : span.end + 1] or " "
    is_word = cited[-1:].isalnum() or cited.endswith(tuple(".,;:!?)]】\"'"))
    return is_word and (following.isspace() or following in ".,;:!?")


def _build_marks(text: str, spans: Sequence[Span]) -> list[tuple[int, str]]:
    """Build every mark with its offset in `text`, in order."""
    syntax = _Syntax(text)
    marks = []
    wrapped: set[int] = set()
    for span in spans:
        cited = text[span.start : span.end] if span.end - span.start < _MAX_MARKER else ""
        start = span.start + len(cited) - len(cited.lstrip())
        end = span.start + len(cited.rstrip())
        if is_marker(cited.strip()) and end not in wrapped and not syntax.is_cut_at(start, end):
            wrapped.add(end)
            marks.append((start, f"{START}{span.place}{CLOSE}"))
        else:
            end = syntax.trim_to_word(syntax.skip_link(span.end))
        marks.append((end, f"{OPEN}{span.place}{CLOSE}"))
    # If one range ends at the start of a marker, the number of the first comes first.
    return sorted(marks, key=lambda mark: (mark[0], mark[1].startswith(START)))


class _Syntax:
    """The parts of a text that a mark must not cut: links, table rows, fences and the like."""

    def __init__(self, text: str) -> None:
        self._links = [link.span() for link in _WHOLE.finditer(text)]
        self._blanks = [run.span() for run in _BLANK_RUN.finditer(text)]
        self._words = [run.span() for run in _WORDS.finditer(text)]
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]

    def is_cut_at(self, *offsets: int) -> bool:
        """Return whether any of `offsets` is inside a link."""
        return any(self.skip_link(offset) != offset for offset in offsets)

    def skip_link(self, offset: int) -> int:
        """Move `offset` to the end of the link or URL that contains it, if any does."""
        at = bisect_left(self._links, (offset, 0)) - 1
        return max(offset, self._links[at][1]) if at >= 0 else offset

    def trim_to_word(self, offset: int) -> int:
        """Move `offset` to the end of the last word before it if a mark would break a block.

        A line break ends a block, a pipe a table cell; a line of punctuation is a fence or a rule.
        """
        for _ in range(4):
            at = bisect_left(self._blanks, (offset, 0)) - 1
            if at >= 0 and self._blanks[at][1] >= offset:
                offset = self._blanks[at][0]
            line = self._lines[bisect_right(self._lines, offset) - 1]
            word = bisect_left(self._words, (offset, 0)) - 1
            if line == 0 or (word >= 0 and self._words[word][1] > line):
                break
            offset = line
        return offset
