"""Match the lexemes of JSON; each pattern takes time linear in the text that it matches."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
times faster than a match."""
WINDOW: Final = 128 * 1024
"""Characters that are matched at once. A match holds the interpreter: one of 60 MB of escapes would
stop all other threads for a second."""

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

_COMMA: Final = re.compile(rf"{STRINGS.pattern}|(?P<comma>,)")
_CLOSED: Final = re.compile(rf'[^"]*+(?:{STRINGS.pattern[:-1]}[^"]*+|(?!))*+')
"""Text up to the quote of a string that does not end."""
_CONTENT: Final = re.compile(_STRING[1:])
_LOOSE_CONTENT: Final = re.compile(STRINGS.pattern[1:-2])
"""The same, whatever the escapes are."""
_LOW_SURROGATE: Final = re.compile(r"\\u[dD][c-fC-F][0-9a-fA-F]{2}")
CUT_ESCAPE: Final = re.compile(r"(?:\\(?:u[0-9a-fA-F]{0,3})?)?\Z")
CUT_LEXEME: Final = re.compile(
    r"(?:t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|Na?|-?I(?:n(?:f(?:i(?:n(?:it?)?)?)?)?)?"
    r"|-|\.|[eE][-+]?)\Z"
)
"""The possible end of a text that was cut off inside a literal or a number."""


def iter_content(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Yield spans of the content of the string whose first quote is at `start`.

    No escape is in two spans, and no surrogate is in another one than the one before it. If another
    character than a quote is after the last span, the string is wrong from there on.
    """
    at = start + 1
    while (end := _match(_CONTENT, text, at)) > at:
        if low := _LOW_SURROGATE.match(text, end):
            end = low.end()
        yield at, end
        at = end


def find_end_of_content(text: str, start: int) -> int:
    """Return the position after the content of the string whose first quote is at `start`."""
    return max((end for _, end in iter_content(text, start)), default=start + 1)


def find_comma(text: str, number: int) -> int | None:
    """Find the comma `number`, counted from 0, outside of strings; None if there are fewer."""
    at = 0
    is_in_string = False
    while at < len(text):
        if is_in_string:
            end = _match(_LOOSE_CONTENT, text, at)
            is_in_string = not text.startswith('"', end)
            # The window may end with the backslash of an escape, or the text with one alone.
            at = max(end, at + 1) if is_in_string else end + 1
            continue
        end = _match(_CLOSED, text, at)
        part = text[at:end]
        commas = STRINGS.sub("", part).count(",")
        if commas > number:
            places = [found.start() for found in _COMMA.finditer(part) if found["comma"]]
            return at + places[number]
        number -= commas
        is_in_string = text.startswith('"', end)
        at = end + is_in_string
    return None


def _match(pattern: re.Pattern[str], text: str, start: int) -> int:
    """Return the end of the match from `start`, which may be empty, in a window."""
    match = pattern.match(text, start, start + WINDOW)
    assert match is not None
    return match.end()
