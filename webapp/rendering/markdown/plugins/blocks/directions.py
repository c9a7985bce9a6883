"""Set the direction of each block, and find that of the text, by most of the letters.

Blocks without a letter that is written from right to left are left to the browser. Code and
addresses do not count: an Arabic answer around a long program is still Arabic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from webapp.rendering.markdown.context import Scope
from webapp.rendering.text.direction import Letters, has_right_to_left

_LISTS: Final = frozenset({"bullet_list_open", "ordered_list_open"})
_DIRECTED: Final = _LISTS | {"paragraph_open", "heading_open", "blockquote_open", "definition"}
_DIRECTED_BY_FIRST_CHILD: Final = frozenset({"list_item_open", "blockquote_open"})
_COUNTED: Final = _LISTS | {
    "paragraph_open",
    "heading_open",
    "blockquote_open",
    "list_item_open",
    "table_open",
    "td_open",
    "th_open",
}


def install(parser: MarkdownIt) -> None:
    """Add the rule that sets directions to `parser`."""
    parser.core.ruler.push("directions", set_directions)


def set_directions(state: StateCore) -> None:
    """Let each block find its own direction, so that none turns its neighbours.

    To find the direction of a list or a quote, a browser skips descendants with a `dir` of their
    own. So the first block inside one has none, and those after it do. Style sheets isolate the
    texts of items and cells.
    """
    before = ""
    for token in state.tokens:
        if token.type in _DIRECTED and before not in _DIRECTED_BY_FIRST_CHILD:
            token.attrs["dir"] = "auto"
        before = token.type
    if has_right_to_left(state.src):
        Scope.get(state.env).direction = _set_by_letters(state.tokens)


def _set_by_letters(tokens: Sequence[Token]) -> str:
    """Set the direction of blocks with right-to-left letters, and return that of them all."""
    seen = Letters()
    opened: list[tuple[Token, Letters]] = []
    for token in tokens:
        if token.type == "inline":
            for child in token.children or ():
                if child.type == "text":
                    seen += Letters.of(child.content)
        elif token.nesting > 0:
            opened.append((token, seen))
        elif token.nesting < 0:
            block, before = opened.pop()
            direction = (seen - before).direction
            if block.type in _COUNTED and direction != "auto":
                block.attrs["dir"] = direction
    return seen.direction
