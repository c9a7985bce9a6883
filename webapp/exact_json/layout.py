"""The lexemes of a document laid out anew, each as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from webapp.exact_json.parser import TOKEN, parse

MAX_INDENTED_LEVELS: Final = 40
"""What is nested deeper stays on one line: white space would outgrow the document."""


def indented(text: str, indent: int = 2) -> str:
    """`text`, one value or member a line, every lexeme as it was. Raises `NotJson`."""
    parse(text)
    out: list[str] = []
    depth = 0
    previous = ""
    for token in _lexemes(text):
        closes = token in "}]"
        depth -= closes
        empty = closes and previous in ("{", "[")
        breaks = not empty and (closes or previous in ("{", "[", ","))
        if breaks and depth <= MAX_INDENTED_LEVELS:
            out.append("\n" + " " * indent * depth)
        elif previous == ":":
            out.append(" ")
        out.append(token)
        depth += token in ("{", "[")
        previous = token
    return "".join(out)


def compact(text: str) -> str:
    """`text` without the white space between its lexemes. Raises `NotJson`."""
    parse(text)
    return "".join(_lexemes(text))


def _lexemes(text: str) -> Iterator[str]:
    return (match[0].lstrip(" \t\n\r") for match in TOKEN.finditer(text))
