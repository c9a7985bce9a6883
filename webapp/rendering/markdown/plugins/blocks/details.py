"""Render `<details>` with its `<summary>`; its content is Markdown.

The opening tag begins a line and the closing tag ends one, as everybody writes them. An element
that is not closed stays visible text, and so does one with other attributes than `open` and
those that Open WebUI writes of reasoning: `type`, `done` and `duration`.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, TypeAlias, cast

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

from webapp.rendering.markdown.context import Scope

_BEGIN: Final = re.compile(
    r"<details(?P<attributes>(?:[ \t]+(?:open(?:=(?:\"\"|\"?open\"?))?"
    r"|(?:type|done|duration)=\"[\w.-]{0,40}\")){0,4})[ \t]*>",
    re.I | re.A,
)
_OPEN: Final = re.compile(r"\sopen\b", re.I | re.A)
_MARKERS: Final = re.compile(r"(?:[ \t>]|[-+*][ \t]|[0-9]{1,9}[.)][ \t]|(?!))*+")
_SUMMARY: Final = re.compile(
    r"\s*<summary>(?P<words>(?:(?!\n[ \t]*\n|</?(?:summary|details)\b).){0,500})</summary>",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_END: Final = re.compile(r"(?:</details>[ \t]*)+\Z", re.IGNORECASE | re.ASCII)
_TAG: Final = re.compile("</details>", re.IGNORECASE | re.ASCII)
_FENCE: Final = re.compile(r"`{3,}(?!.*`)|~{3,}")
_HEAD_LINES: Final = 6
_KEY: Final = "details"


class _Place(NamedTuple):
    """A line, and a position in it."""

    line: int
    pos: int


_Known: TypeAlias = dict[tuple[int, int, int], dict[int, _Place | None]]
"""The ends of elements by the blocks around them: each line is looked at once a level."""


def install(parser: MarkdownIt) -> None:
    """Add this element to `parser`."""
    interrupted = ["paragraph", "reference", "blockquote", "list"]
    parser.block.ruler.before("fence", "details", parse_details, {"alt": interrupted})


def parse_details(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    begin = state.bMarks[start] + state.tShift[start]
    opening = _BEGIN.match(state.src, begin, state.eMarks[start])
    if opening is None or state.is_code_block(start):
        return False
    closing = _find_end(state, start, end)
    if closing is None:
        return False
    if silent:
        return True
    attributes = {"open": ""} if _OPEN.search(opening["attributes"]) else {}
    state.push("details_open", "details", 1).attrs = {**attributes}
    body = _push_summary(state, _Place(start, opening.end()), closing)
    _parse_body(state, body, closing)
    state.push("details_close", "details", -1)
    state.line = closing.line + 1
    return True


def _find_end(state: StateBlock, start: int, end: int) -> _Place | None:
    """Find the place of the tag that closes the element beginning at `start`."""
    known = cast("_Known", state.env.setdefault(_KEY, {}))
    # A line that ends a list item may be indented less than it.
    indent = min(state.blkIndent, state.sCount[start])
    ends = known.setdefault((state.level, indent, end), {})
    if start not in ends:
        ends.update(_pair_tags(state, start, end, indent))
    return ends[start]


def _pair_tags(state: StateBlock, start: int, end: int, indent: int) -> dict[int, _Place | None]:
    """Pair the lines that open an element from `start` on with the places where they end."""
    ends: dict[int, _Place | None] = {}
    opened: list[int] = []
    fence = ""
    for line in range(start, end):
        Scope.get(state.env).meter.step()
        if state.sCount[line] < indent and not state.isEmpty(line):
            break
        begin, stop = state.bMarks[line] + state.tShift[line], state.eMarks[line]
        marker = _FENCE.match(state.src, begin, stop)
        if fence:
            if (
                marker
                and marker[0].startswith(fence)
                and not state.src[marker.end() : stop].strip()
            ):
                fence = ""
            continue
        if marker:
            fence = marker[0]
            continue
        inside = _MARKERS.match(state.src, begin, stop)
        if inside and _BEGIN.match(state.src, inside.end(), stop):
            opened.append(line)
            ends[line] = None
        closing = _END.search(state.src[begin:stop])
        tags = _TAG.finditer(state.src, begin + closing.start(), stop) if closing else ()
        for tag in tags:
            if not opened:
                # Text after the element on its last line would be lost.
                ends[start] = None
                break
            ends[opened.pop()] = _Place(line, tag.start())
        if not opened:
            break
    return ends


def _push_summary(state: StateBlock, after: _Place, closing: _Place) -> _Place:
    """Push the summary at `after`, if there is one, and return where the body begins."""
    last = min(after.line + _HEAD_LINES, closing.line)
    lines = [state.src[after.pos : _get_end(state, after.line, closing)]]
    for line in range(after.line + 1, last + 1):
        begin = state.bMarks[line] + state.tShift[line]
        lines.append(state.src[begin : max(begin, _get_end(state, line, closing))])
    head = "\n".join(lines)
    found = _SUMMARY.match(head)
    if found is None:
        return after
    state.push("summary_open", "summary", 1).attrs = {"dir": "auto"}
    words = state.push("inline", "", 0)
    words.content, words.children = found["words"].strip(), []
    state.push("summary_close", "summary", -1)
    line = after.line + head.count("\n", 0, found.end())
    rest = head[found.end() :].partition("\n")[0]
    return _Place(line, max(_get_end(state, line, closing), state.bMarks[line]) - len(rest))


def _get_end(state: StateBlock, line: int, closing: _Place) -> int:
    return closing.pos if line == closing.line else state.eMarks[line]


def _parse_body(state: StateBlock, body: _Place, closing: _Place) -> None:
    """Parse the blocks between two places; the rest of their lines is out of sight meanwhile."""
    lines = (state.bMarks, state.eMarks, state.tShift, state.sCount)
    first, last = body.line, closing.line
    before = [[values[first], values[last]] for values in lines]
    line_max = state.lineMax
    state.eMarks[last] = closing.pos
    rest = state.src[body.pos : state.eMarks[first]]
    state.bMarks[first] = body.pos
    state.tShift[first] = len(rest) - len(rest.lstrip())
    state.sCount[first] = state.blkIndent
    state.lineMax = last + 1
    state.md.block.tokenize(state, first, last + 1)
    state.lineMax = line_max
    for values, (of_first, of_last) in zip(lines, before, strict=True):
        values[first], values[last] = of_first, of_last
