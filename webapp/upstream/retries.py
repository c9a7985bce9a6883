"""When a call is tried again, and after how long: the rule of the official clients.

Tried again are 408, 409, 429, 5xx and connection errors, unless the server says otherwise
with `x-should-retry`. Pure functions; the loop is in `sending`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

FIRST_BACKOFF: Final = 0.5
LONGEST_BACKOFF: Final = 8.0
JITTER: Final = 0.25


def is_transient(status: int, headers: Mapping[str, str]) -> bool:
    """Whether a call that got this answer may be made again."""
    advice = headers.get("x-should-retry", "").strip().lower()
    if advice in ("true", "false"):
        return advice == "true"
    return status in (408, 409, 429) or status >= 500


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds the server asks to wait; None when it does not say, or says nothing usable.

    Reads `retry-after-ms` and `Retry-After`, which is in seconds or a date; `now` is unix
    time. Zero counts as not said: an immediate repetition helps nobody.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    written = headers.get("Retry-After")
    if milliseconds is not None:
        wait = milliseconds / 1000
    else:
        seconds = _number(written)
        wait = seconds if seconds is not None else _seconds_until(written, now)
    return wait if wait > 0 else None


def backoff(retries_so_far: int) -> float:
    """Seconds to wait before the next try: 0.5, 1, 2, … at most 8, less up to a quarter."""
    longest = min(FIRST_BACKOFF * 2.0**retries_so_far, LONGEST_BACKOFF)
    return longest * (1 - JITTER * random.random())


def _number(written: str | None) -> float | None:
    try:
        number = float(written or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _seconds_until(written: str | None, now: float) -> float:
    """Seconds until an HTTP date; 0 when it is none."""
    try:
        date = parsedate_to_datetime(written or "")
    except ValueError:
        return 0
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return (aware - datetime.fromtimestamp(now, UTC)).total_seconds()
