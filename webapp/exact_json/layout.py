"""The lexemes of a document laid out anew, each as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from webapp.exact_json.lexemes import TOKEN
from webapp.exact_json.parser import parse
from webapp.exact_json.values import Value

MAX_INDENTED_LEVELS: Final = 40
"""What is nested deeper stays on one line: white space would outgrow the document."""

_BEFORE: Final = {"{": "opened", "[": "opened", ",": ",", ":": ":"}


def indented(text: str, indent: int = 2) -> str:
    """`text`, one value or member a line, every lexeme as it was. Raises `NotJson`."""
    parse(text)
    return _laid_out(text, indent)


def indented_value(value: Value) -> str:
    """The same of a value, which needs not be read again."""
    return _laid_out(value.source, 2)


def _laid_out(text: str, indent: int) -> str:
    starts = ["\n" + " " * indent * depth for depth in range(MAX_INDENTED_LEVELS + 1)]
    out: list[str] = []
    depth = 0
    before = ""
    for match in TOKEN.finditer(text):
        token = match[match.lastgroup or 0]
        if token == "}" or token == "]":
            depth -= 1
            starts_line = before != "opened"
        else:
            starts_line = before == "opened" or before == ","
        if starts_line:
            out.append(starts[depth] if depth <= MAX_INDENTED_LEVELS else "")
        elif before == ":":
            out.append(" ")
        out.append(token)
        before = _BEFORE.get(token, "") if len(token) == 1 else ""
        depth += before == "opened"
    return "".join(out)


def compact(text: str) -> str:
    """`text` without the white space between its lexemes. Raises `NotJson`."""
    parse(text)
    return "".join(_lexemes(text))


def _lexemes(text: str) -> Iterator[str]:
    return (match[0].lstrip(" \t\n\r") for match in TOKEN.finditer(text))
