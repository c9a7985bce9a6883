"""Look once for the end of each `[`, so that brackets that make no link cost little more than text.

markdown-it looks for it again at each bracket, and steps over up to `maxNesting` others each time.
Here a bracket looks up the ends of those inside it, and if no link can follow, the rules of
markdown-it do not begin.
"""

from __future__ import annotations

from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.link import link

from webapp.rendering.markdown.context import Scope

_OPEN: Final = -1
"""The end of a label that has none."""

_HAS_LINK: Final = -2
"""The end of the label of a link that contains a link, or a footnote, and so is none."""


def install(parser: MarkdownIt) -> None:
    """Let `parser` parse a link only if its label ends and a target may follow."""
    parser.inline.ruler.at("link", parse_link)


def parse_link(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "[" or not may_be_label(state, state.pos, links=False):
        return False
    return link(state, silent)


def may_be_label(state: StateInline, start: int, *, links: bool) -> bool:
    """Return whether the `[` at `start` may begin the label of a link, or with `links` of an image.

    False means that the rule of markdown-it would find none.
    """
    has_references = bool(state.env.get("references"))
    if not has_references and start > state.html_terminator_last("]("):
        return False
    known = Scope.get(state.env).label_ends.setdefault(state, {})
    end = _find_end(state, start, known, links=links)
    if end < 0:
        return False
    return has_references or state.src.startswith("(", end + 1, state.posMax)


def _find_end(
    state: StateInline, start: int, known: dict[tuple[int, int, bool], int], *, links: bool
) -> int:
    """Return the position of the `]` for the `[` at `start`, or a negative number."""
    key = (start, state.posMax, links)
    if key in known:
        return known[key]
    src, before = state.src, state.pos
    end, level = _OPEN, 1
    state.pos = start + 1
    while state.pos < state.posMax:
        at = state.pos
        if src[at] == "]":
            level -= 1
            if level == 0:
                end = at
                break
        state.md.inline.skipToken(state)
        if src[at] != "[":
            continue
        if state.pos > at + 1:
            if links:
                continue
            end = _HAS_LINK
            break
        inner = known.get((at, state.posMax, False))
        if inner == _OPEN or (inner == _HAS_LINK and not links):
            # A label inside has no end before ours, or contains a link that is also in ours.
            end = inner
            break
        if inner is None or inner < 0:
            level += 1
        else:
            state.pos = inner + 1
    state.pos = before
    known[key] = end
    return end
