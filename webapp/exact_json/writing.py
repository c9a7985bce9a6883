"""Write JSON: objects and arrays of values as they are, and white space anew between lexemes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from webapp.exact_json.lexemes import STRINGS, TOKEN
from webapp.exact_json.values import String, Value

MAX_INDENTED_LEVELS: Final = 40
"""Deeper nesting stays on one line: white space would outgrow the document."""

_INDENT: Final = "  "
_KINDS: Final = {"{": "opened", "[": "opened", ",": ",", ":": ":"}


def indent(value: Value) -> str:
    """Indent the source of `value`, one value or member a line, every lexeme as written."""
    return indent_source(value.source)


def decode_strings(source: str) -> str:
    """Write the strings of `source`, which is JSON, without escapes; then it may not be JSON."""
    return STRINGS.sub(lambda found: f'"{String(source, *found.span()).text}"', source)


def indent_source(source: str) -> str:
    """Indent the JSON text `source`, one value or member a line, every lexeme as written."""
    starts = ["\n" + _INDENT * depth for depth in range(MAX_INDENTED_LEVELS + 1)]
    out: list[str] = []
    depth = 0
    before = ""
    for match in TOKEN.finditer(source):
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
        before = _KINDS.get(token, "") if len(token) == 1 else ""
        depth += before == "opened"
    return "".join(out)


def compact(value: Value) -> str:
    """Strip the white space between the lexemes of `value`."""
    return "".join(match[match.lastgroup or 0] for match in TOKEN.finditer(value.source))


def write_object(members: Iterable[str]) -> str:
    """Write an object of `members`, each a name, a colon and a value."""
    return "{" + ",".join(members) + "}"


def write_array(items: Iterable[str]) -> str:
    """Write an array of `items`."""
    return "[" + ",".join(items) + "]"


def write_members(members: Mapping[str, str]) -> Iterator[str]:
    """Write each of `members`, whose names are texts and whose values are JSON."""
    for name, value in members.items():
        yield f"{json.dumps(name)}:{value}"
