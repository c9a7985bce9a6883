"""Parse the arguments of calls, for which the name of a call and most checks ask one by one."""

from __future__ import annotations

from typing import Final

from webapp.exact_json import Value, parse
from webapp.recent import RecentValues

_MOST_BYTES: Final = 8 * 1024 * 1024
_LARGEST: Final = 1024 * 1024
_PER_VALUE: Final = 500
"""Bytes of a member or an item, its name included."""

_parsed: Final[RecentValues[str, Value]] = RecentValues(_MOST_BYTES, largest=_LARGEST)


def parse_arguments(text: str) -> Value:
    """Parse the arguments of a call, or return their recent value. Raise `NotJson`."""
    value = _parsed.get(text)
    if value is None:
        value = parse(text)
        size = 4 * len(text) + _PER_VALUE * (1 + text.count(",") + text.count("["))
        _parsed.keep(text, value, size)
    return value
