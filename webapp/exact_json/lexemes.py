"""Match the lexemes of JSON; each pattern takes time linear in the text that it matches."""

from __future__ import annotations

import re
from typing import Final

# A possessive group ends with `(?!)`, which never matches: before Python 3.11.5 matching would go
# on from where the last attempt of the group failed, as if that had consumed something.
_STRING: Final = r'"[^"\\]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*+|(?!))*+'
_NUMBER: Final = (
    r"NaN|-?Infinity|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++|(?!))?+(?:[eE][-+]?[0-9]++|(?!))?+"
)
_SPACES: Final = r"[ \t\n\r]*+"

SPACE: Final = re.compile(_SPACES)
TOKEN: Final = re.compile(
    rf"{_SPACES}(?:(?P<string>{_STRING}\")|(?P<literal>true|false|null)|(?P<number>{_NUMBER})"
    r"|(?P<punctuation>[{}\[\],:]))"
)
"""Any lexeme, after optional white space."""

LONG: Final = 4_096
"""Characters of a string from which on a search for its end is worth the call: it is a hundred
times faster than a match, which holds the interpreter for 70 ms if the string has 8 MB."""

_SHORT: Final = _STRING.replace("*+", f"{{0,{LONG}}}+", 1)

# Most values are scalars or empty brackets. One match for such a value and its surroundings is
# several times faster than one for each lexeme.
_SIMPLE: Final = (
    rf"(?:(?P<string>{_SHORT}\")|(?P<number>{_NUMBER})|(?P<boolean>true|false)|(?P<null>null)"
    rf"|(?P<object>\{{{_SPACES}\}})|(?P<array>\[{_SPACES}\])){_SPACES}"
)
ITEM: Final = re.compile(rf"{_SPACES}{_SIMPLE}[,\]]")
"""A simple value in an array, and the character that ends it."""
NAME: Final = re.compile(rf"{_SPACES}(?P<name>{_STRING}\"){_SPACES}:{_SPACES}")
"""A name in an object, and the colon after it."""
MEMBER: Final = re.compile(rf"{NAME.pattern}{_SIMPLE}[,}}]")
"""A name with a simple value in an object, and the character that ends it."""

STRINGS: Final = re.compile(r'"[^"\\]*+(?:\\(?s:.)[^"\\]*+|(?!))*+"?')
"""Text that looks like a string, whatever its escapes are, and whether or not it ends."""

STRING_START: Final = re.compile(_STRING)
CUT_ESCAPE: Final = re.compile(r"(?:\\(?:u[0-9a-fA-F]{0,3})?)?\Z")
CUT_LEXEME: Final = re.compile(
    r"(?:t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|Na?|-?I(?:n(?:f(?:i(?:n(?:it?)?)?)?)?)?"
    r"|-|\.|[eE][-+]?)\Z"
)
"""The possible end of a text that was cut off inside a literal or a number."""
