"""Render `<br>`, `<sub>`, `<sup>` and `<kbd>` in a text; all other tags stay visible text."""

from __future__ import annotations

import re
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

_BREAK: Final = re.compile(r"<br ?/?>", re.IGNORECASE)
_PAIR: Final = re.compile(r"<(sub|sup|kbd)>([^<>\n`\\]{1,100})</\1>", re.IGNORECASE)


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
    found = _PAIR.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        name = found[1].lower()
        state.push(f"{name}_open", name, 1)
        state.push("text", "", 0).content = found[2]
        state.push(f"{name}_close", name, -1)
    state.pos = found.end()
    return True
