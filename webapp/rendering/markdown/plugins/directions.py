"""Which way a block is written: each finds its own direction, so that none turns its neighbours.

A browser that looks for the direction of a list or a quote passes over what has a direction of
its own. So the first block inside gives its direction to what is around it, and those that
follow have their own. Style sheets isolate the texts of items and cells.
"""

from __future__ import annotations

from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

_BLOCKS: Final = frozenset(
    {"paragraph_open", "heading_open", "bullet_list_open", "ordered_list_open", "blockquote_open"}
    | {"definition"}
)
_TAKES_FROM_FIRST: Final = frozenset({"list_item_open", "blockquote_open"})


def install(parser: MarkdownIt) -> None:
    """Teaches `parser` to give blocks a direction."""
    parser.core.ruler.push("directions", _directions)


def _directions(state: StateCore) -> None:
    before = ""
    for token in state.tokens:
        if token.type in _BLOCKS and before not in _TAKES_FROM_FIRST:
            token.attrs["dir"] = "auto"
        before = token.type
