"""Keep the wide spaces that a paragraph begins with, as Chinese and Japanese ones do.

markdown-it strips all white space around a paragraph, CommonMark only spaces and tabs.
"""

from __future__ import annotations

import re
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

_WIDE: Final = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_ANY: Final = re.compile(f"[{_WIDE}]")
_BEFORE_TEXT: Final = re.compile(f"[{_WIDE}][{_WIDE} \\t]*\\Z")


def install(parser: MarkdownIt) -> None:
    """Add the rule to `parser`."""
    parser.core.ruler.before("inline", "wide_spaces", restore_spaces)


def restore_spaces(state: StateCore) -> None:
    """Put the spaces before each paragraph of the source back into its content."""
    if not _ANY.search(state.src):
        return
    lines = state.src.split("\n")
    for opening, token in zip(state.tokens, state.tokens[1:], strict=False):
        if opening.type != "paragraph_open" or not token.map:
            continue
        line = lines[token.map[0]]
        begin = line.find(token.content.partition("\n")[0])
        if spaces := _BEFORE_TEXT.search(line[: max(begin, 0)]):
            token.content = spaces[0] + token.content
