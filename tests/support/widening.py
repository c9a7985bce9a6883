"""Time-outs of tests in which something must still happen before the time is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

LONGEST: Final = 60.0


def widen_timeout(attempt: Callable[[float], str], expected: str, *, seconds: float) -> str:
    """Return the text of `attempt`, made with four times the seconds until it has `expected`.

    On a busy machine a short time-out may also end what should come before it, such as the head
    of an answer whose body is late.
    """
    while expected not in (text := attempt(seconds)) and seconds < LONGEST:
        seconds *= 4
    return text
