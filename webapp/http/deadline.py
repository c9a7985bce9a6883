"""Deadlines, and a clock that tests can replace. Times are in seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """The time, and a way to wait; tests replace it.

    `monotonic` measures durations, `wall` is unix time, for dates that servers send.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


SYSTEM_CLOCK = Clock()


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment by which a page must be answered.

    `seconds` is the whole time that was allowed, for messages.
    """

    seconds: float
    _end: float
    _clock: Clock

    @classmethod
    def after(cls, seconds: float, *, clock: Clock = SYSTEM_CLOCK) -> Deadline:
        """Return the deadline `seconds` from now."""
        return cls(seconds, clock.monotonic() + seconds, clock)

    def remaining(self) -> float:
        """Return the seconds left, never negative."""
        return max(0.0, self._end - self._clock.monotonic())

    @property
    def has_passed(self) -> bool:
        return self.remaining() <= 0

    def check(self) -> None:
        """Raise `TimeoutError` if the deadline has passed."""
        if self.has_passed:
            raise TimeoutError("the deadline has passed")

    def leaves(self, seconds: float) -> bool:
        """Return whether time is left after a wait of `seconds`."""
        return seconds < self.remaining()
