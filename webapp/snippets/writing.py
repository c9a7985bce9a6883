r"""Literals that hold any JSON text in the source code of a language.

JSON never has three quotes in a row, and a line of it never begins with a word. A character that
would end a literal is written as its JSON escape, which the parser of the JSON undoes.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Final

from webapp.exact_json.lexemes import TOKEN
from webapp.snippets.request import escape_character

_MAX_IN_LITERAL: Final = 8_000
"""Characters of one literal of Java, whose constants have 65,535 bytes at the most."""

_PAIR: Final = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]")


def write_python(text: str) -> str:
    """Write a raw string."""
    return f'r"""{text}"""'


def write_javascript(text: str) -> str:
    """Write a raw template literal without substitutions."""
    return "String.raw`" + text.replace("`", r"\u0060").replace("${", r"\u0024{") + "`"


def write_go(text: str) -> str:
    """Write a raw string literal."""
    return "`" + text.replace("`", r"\u0060") + "`"


def write_java(text: str) -> str:
    """Write a text block, or if it would be too long for one constant, a join of literals.

    Both are in ASCII, since the encoding that the compiler reads depends on the machine.
    """
    ascii_text = _BEYOND_ASCII.sub(lambda match: escape_character(match[0]), text)
    escaped = ascii_text.replace("\\", "\\\\")
    if len(escaped) <= _MAX_IN_LITERAL:
        return f'"""\n{escaped}"""'
    starts = range(0, len(ascii_text), _MAX_IN_LITERAL)
    pieces = (ascii_text[at : at + _MAX_IN_LITERAL] for at in starts)
    written = (one.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for one in pieces)
    listed = ",\n            ".join(f'"{one}"' for one in written)
    return f'String.join("",\n            {listed})'


def quote(text: str) -> str:
    """Quote plain ASCII text, such as an id or an address, as a string of any of the languages."""
    return json.dumps(text)


def has_lone_surrogate(text: str) -> bool:
    """Return whether a string of the JSON `text` may have half of a character.

    Returns True also for some texts that only look like it.
    """
    return bool(_SURROGATE.search(_PAIR.sub("", text)))


def has_inexact_number(text: str) -> bool:
    """Return whether the JSON `text` has a number that a double does not hold.

    A program that reads it as a double would write another one.
    """
    for match in TOKEN.finditer(text):
        if match.lastgroup == "number":
            value = float(match["number"])
            try:
                is_exact = isfinite(value) and Decimal(repr(value)) == Decimal(match["number"])
            except InvalidOperation:
                # Its exponent exceeds even that of a `Decimal`.
                return True
            if not is_exact:
                return True
    return False
