"""Render `<br>`, `<sub>`, `<sup>` and `<kbd>` in a text; all other tags stay visible text."""

from __future__ import annotations

import re
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

_BREAK: Final = re.compile(r"<br[ \t]{0,8}/?>", re.IGNORECASE)
_START: Final = re.compile(r"<(sub|sup|kbd)>", re.IGNORECASE | re.ASCII)
_MOST: Final = 1_000
"""Characters between the tags of an element."""


def install(parser: MarkdownIt) -> None:
    """Add these tags to `parser`."""
    parser.inline.ruler.before("autolink", "inline_tags", parse_tag)


def parse_tag(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "<":
        return False
    found = _BREAK.match(state.src, state.pos, state.posMax)
    if found:
        if not silent:
            state.push("hardbreak", "br", 0)
        state.pos = found.end()
        return True
    found = _START.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    name, maximum = found[1].lower(), state.posMax
    end = _find_end(state, name, found.end())
    if end is None:
        return False
    if not silent:
        state.push(f"{name}_open", name, 1)
        state.pos, state.posMax = found.end(), end
        state.md.inline.tokenize(state)
        state.push(f"{name}_close", name, -1)
    state.pos, state.posMax = end + len(f"</{name}>"), maximum
    return True


def _find_end(state: StateInline, name: str, begin: int) -> int | None:
    """Find the tag that closes the element whose content begins at `begin`."""
    limit = min(state.posMax, begin + _MOST + len(f"</{name}>"))
    depth = 1
    for tag in re.compile(f"<(/?){name}>", re.IGNORECASE | re.ASCII).finditer(
        state.src, begin, limit
    ):
        depth += -1 if tag[1] else 1
        if not depth:
            inside = state.src[begin : tag.start()]
            return tag.start() if inside.strip() and inside.count("`") % 2 == 0 else None
    return None
