"""Read the time of a completion in the forms that servers and exports write it in."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from webapp.exact_json import Number, String, Value

_NUMBER: Final = re.compile(r"[0-9]{1,40}(?:\.[0-9]{0,40})?(?:[eE]\+?[0-9]{1,2})?")
_COMPACT_DATE: Final = re.compile(r"(?:19|20)[0-9]{6}(?:T.*)?")
_MAX_LENGTH: Final = 64

_LAST_SECOND: Final = 100_000_000_000
"""In the year 5138; a larger number counts smaller units."""
_UNITS_PER_SECOND: Final = (1, 1_000, 1_000_000, 1_000_000_000)


def parse_time(value: Value | None) -> int | None:
    """Parse a time to whole unix seconds; None if `value` is not a time.

    A time is a number of seconds, milliseconds, microseconds or nanoseconds, also in a string,
    or a date of ISO 8601 or RFC 5322, in UTC unless it names a zone. Zero and negative numbers
    are not times: servers send them if they do not know the time.
    """
    if isinstance(value, Number):
        return _parse_number(value.source)
    if not isinstance(value, String) or len(value.source) > _MAX_LENGTH:
        return None
    text = value.text.strip()
    is_number = _NUMBER.fullmatch(text) and not _COMPACT_DATE.fullmatch(text)
    return _parse_number(text) if is_number else _parse_date(text)


def _parse_number(text: str) -> int | None:
    try:
        number = int(text) if text.isdigit() else float(text)
    except ValueError:
        return None
    for units in _UNITS_PER_SECOND:
        if 0 < number < _LAST_SECOND * units:
            return int(number // units) or None
    return None


def _parse_date(text: str) -> int | None:
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(text)
            zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            seconds = int(zoned.timestamp())
        except (ValueError, OverflowError, TypeError):
            continue
        return seconds if seconds > 0 else None
    return None
