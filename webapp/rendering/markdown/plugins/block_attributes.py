"""The outline of a text below that of its page: levels of headings, and heads of tables.

Assistive technology walks a page by its headings, so a level left out looks like something
missing. A heading is as deep as the headings around it, whatever number of `#` it was given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

FIRST: Final = 3
"""The level of the outermost headings: the message's own is an h2."""


def install(parser: MarkdownIt) -> None:
    """Teaches `parser` the levels of this page."""
    parser.core.ruler.push("outline", _outline)


def _outline(state: StateCore) -> None:
    for token, depth in zip(_of_headings(state.tokens), _depths(state.tokens), strict=True):
        token.tag = f"h{min(FIRST + depth, 6)}"
    _unname_empty_heads(state.tokens)


def _of_headings(tokens: Sequence[Token]) -> Iterator[Token]:
    return (token for token in tokens if token.type in ("heading_open", "heading_close"))


def _depths(tokens: Sequence[Token]) -> Iterator[int]:
    """How many headings each one stands under; the same for its end."""
    around: list[int] = []
    for token in _of_headings(tokens):
        level = int(token.tag[1])
        if token.nesting > 0:
            while around and around[-1] >= level:
                around.pop()
            around.append(level)
        yield len(around) - 1


def _unname_empty_heads(tokens: Sequence[Token]) -> None:
    """An empty cell at the head of a table heads nothing."""
    ends = [token for token in tokens if token.type in ("th_open", "inline", "th_close")]
    for (before, inside), (_, after) in pairwise(pairwise(ends)):
        if before.type == "th_open" and after.type == "th_close" and not inside.content.strip():
            before.tag = after.tag = "td"
