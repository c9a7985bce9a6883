"""Decide whether a Markdown text can be placed among others without changing how they are read."""

from __future__ import annotations

import re
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.utils import EnvType

_MAX_CHARACTERS: Final = 100_000
_MARK: Final = "readback-end"
_NOT_ALIKE: Final = re.compile(
    # A line break, or a byte order mark at the start, that not every parser takes for the same; a
    # definition of a note or a link, and raw HTML, which go beyond their paragraph in some.
    "[\x00\x0b\x0c\x1c-\x1e\x85\u2028\u2029\ufeff]|\r(?!\n)"
    r"|^[ >]{0,12}\[[^\]\n]{1,200}\]:|^ {0,3}<[!?/A-Za-z]|<!--|^ {0,3}#{1,6} +\d+\. ",
    re.MULTILINE,
)
_BLOCKS: Final = MarkdownIt("commonmark").enable("table")
_BLOCKS.core.ruler.enableOnly(["normalize", "block"])


def stands_alone(text: str) -> bool:
    """Return whether a paragraph after `text` remains one in any case, with unchanged links.

    False for a code block without end, definitions of links, raw HTML, and headings with a number
    like those of an export. Longer texts are not looked at.
    """
    if len(text) > _MAX_CHARACTERS or _NOT_ALIKE.search(text):
        return False
    env: EnvType = {}
    tokens: list[Token] = _BLOCKS.parse(f"{text}\n\n{_MARK}", env)
    kinds = [(token.type, token.level) for token in tokens[-3:]]
    is_last = tokens[-2].content == _MARK if len(tokens) > 2 else False
    return is_last and kinds[0] == ("paragraph_open", 0) and not env.get("references")
