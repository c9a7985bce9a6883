"""Find the places of JSON that `parse` reads and RFC 8259 does not allow."""

from __future__ import annotations

import re
from typing import Final

from webapp.exact_json.lexemes import STRINGS
from webapp.exact_json.parser import NotJson

_LEXEME: Final = re.compile(rf"{STRINGS.pattern}|NaN|-?Infinity")
_CONTROL: Final = re.compile(r"[\x00-\x1f]")
_NAMES: Final = {"\n": "a line break", "\r": "a line break", "\t": "a tab"}


def find_extension(text: str) -> NotJson | None:
    """Find the first place of JSON as `parse` reads it that other parsers refuse; None if none.

    These are `NaN`, infinities, and control characters in strings that are not written as escapes.
    """
    for found in _LEXEME.finditer(text):
        if not found[0].startswith('"'):
            return NotJson(f"{found[0]} is not a number of JSON", text, found.start())
        if control := _CONTROL.search(found[0]):
            name = _NAMES.get(control[0], f"the control character U+{ord(control[0]):04X}")
            return NotJson(f"{name} in a string", text, found.start() + control.start())
    return None
