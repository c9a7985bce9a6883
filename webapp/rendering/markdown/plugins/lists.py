"""Numbers of lists that need more room than two digits do."""

from __future__ import annotations

from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

_USUAL: Final = 99
_LONG: Final = 9_999


def install(parser: MarkdownIt) -> None:
    """Teaches `parser` to give long numbers their room, in front of which a page may end."""
    parser.core.ruler.push("lists", _lists)


def _lists(state: StateCore) -> None:
    for token in state.tokens:
        if token.type != "ordered_list_open" or token.map is None:
            continue
        # A list has at most as many items as lines.
        last = int(token.attrs.get("start", 1)) + token.map[1] - token.map[0]
        if last > _USUAL:
            token.attrs["class"] = "long-numbers" if last <= _LONG else "very-long-numbers"
