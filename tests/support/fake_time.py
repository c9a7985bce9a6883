"""Time for tests that must not depend on how fast the machine is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from webapp.upstream import Clock

NOW: Final = 1_758_039_200.0
"""The unix time at which a `FakeTime` begins."""


@dataclass
class FakeTime:
    """Time that passes only when somebody sleeps, or when `passes` is called."""

    seconds: float = 0.0
    sleeps: list[float] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        return Clock(
            monotonic=lambda: self.seconds, wall=lambda: NOW + self.seconds, sleep=self._sleep
        )

    def passes(self, seconds: float) -> None:
        self.seconds += seconds

    def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.seconds += seconds
