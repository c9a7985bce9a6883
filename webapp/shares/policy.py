"""The administrator's limits for shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HOUR: Final = 3600
DAY: Final = 24 * HOUR
_LIFETIMES: Final = (HOUR, DAY, 7 * DAY, 30 * DAY)
_USUAL: Final = 7 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Whether there are shares, how long they may last, and whether each needs a passphrase."""

    allows: bool = True
    max_seconds: int = 30 * DAY
    needs_passphrase: bool = False

    @property
    def lifetimes(self) -> tuple[int, ...]:
        """The lifetimes to choose from, in seconds."""
        return tuple(one for one in _LIFETIMES if one <= self.max_seconds) or (self.max_seconds,)

    @property
    def usual(self) -> int:
        """The lifetime that is chosen unless the maker chooses another."""
        return max(one for one in self.lifetimes if one <= _USUAL)
