"""Read the time of a completion in the forms that servers and exports write it in."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from webapp.exact_json import Number, Object, String, Value

_NUMBER: Final = re.compile(r"[0-9]{1,40}(?:\.[0-9]{0,40})?(?:[eE]\+?[0-9]{1,2})?")
_COMPACT_DATE: Final = re.compile(r"(?:19|20)[0-9]{6}(?:T.*)?")
_MAX_LENGTH: Final = 64

_LAST_SECOND: Final = 100_000_000_000
"""In the year 5138; a larger number counts smaller units."""
_UNITS_PER_SECOND: Final = (1, 1_000, 1_000_000, 1_000_000_000)
_INNER: Final = ("$date", "$numberLong", "seconds", "_seconds")
"""The members of objects that databases write times as."""
_SLASHES: Final = re.compile(r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})(?=[ T]|$)")
_HALF_DAY: Final = re.compile(r"(?<=[0-9]) ?([AP])M\b", re.IGNORECASE)
_ZONE: Final = re.compile(r"[ ]?(?:UTC|GMT|Z)$", re.IGNORECASE)


def parse_time(value: Value | None) -> int | None:
    """Parse a time to whole unix seconds; None if `value` is not a time.

    A time is a number of seconds, milliseconds, microseconds or nanoseconds, also in a string,
    or a date of ISO 8601 or RFC 5322, in UTC unless it names a zone; databases write such a value
    in an object. Zero and negative numbers are not times: servers send them if they do not know
    the time.
    """
    for _ in range(2):
        if isinstance(value, Object):
            value = next((one for name in _INNER if (one := value.get(name))), None)
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
    half = _HALF_DAY.search(text)
    text = text if half is None else text[: half.start()] + text[half.end() :]
    text = _SLASHES.sub(lambda date: f"{date[1]}-{date[2]:0>2}-{date[3]:0>2}", text)
    text = _ZONE.sub("+00:00", text)
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(text)
            if half is not None:
                hours = moment.hour % 12 + (12 if half[1] in "Pp" else 0)
                moment = moment.replace(hour=hours)
            zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            seconds = int(zoned.timestamp())
        except (ValueError, OverflowError, TypeError):
            continue
        return seconds if seconds > 0 else None
    return None
