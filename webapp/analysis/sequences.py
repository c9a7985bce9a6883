"""Follow failing calls to their end: a later success of the same thing, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from webapp.analysis.runs import RunCall

WITHIN: Final = 12
"""A call so many calls after a failure, or fewer, counts as the next try."""


@dataclass(frozen=True, slots=True)
class Step:
    """Consecutive calls of one name that all failed or all did not."""

    label: str
    count: int
    is_failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingCalls:
    """Failing calls that belong together, from the first failure to the last call of interest.

    `is_recovered` is true if each thing that failed was called again and did not fail.
    """

    calls: tuple[RunCall, ...]
    is_recovered: bool

    @property
    def steps(self) -> tuple[Step, ...]:
        steps: list[Step] = []
        for call in self.calls:
            is_failed = call.failure is not None
            if steps and (steps[-1].label, steps[-1].is_failed) == (call.label, is_failed):
                steps[-1] = Step(call.label, steps[-1].count + 1, is_failed)
            else:
                steps.append(Step(call.label, 1, is_failed))
        return tuple(steps)

    @property
    def failures(self) -> int:
        return sum(call.failure is not None for call in self.calls)

    @property
    def first(self) -> RunCall:
        return self.calls[0]

    @property
    def last_message(self) -> int | None:
        last = self.calls[-1]
        return next((number for number in last.results[::-1] if number), last.message)


def find_sequences(calls: Sequence[RunCall]) -> tuple[FailingCalls, ...]:
    """Find the failing sequences of a run; those that overlap are one."""
    sequences: list[FailingCalls] = []
    start = 0
    while start < len(calls):
        if calls[start].failure is None:
            start += 1
            continue
        end, is_recovered = _follow(calls, start)
        place = start + 1
        while place < end:
            if calls[place].failure is not None:
                other_end, other_recovered = _follow(calls, place)
                end, is_recovered = max(end, other_end), is_recovered and other_recovered
            place += 1
        sequences.append(FailingCalls(calls=tuple(calls[start:end]), is_recovered=is_recovered))
        start = end
    return tuple(sequences)


def _follow(calls: Sequence[RunCall], start: int) -> tuple[int, bool]:
    """Find the end of the sequence from the failure at `start`, and whether it succeeded."""
    wanted = calls[start].tool, calls[start].label
    last = start
    place = start + 1
    while place < len(calls) and place <= last + WITHIN:
        if (calls[place].tool, calls[place].label) == wanted:
            if calls[place].failure is None and not calls[place].lacks_result:
                return place + 1, True
            if calls[place].failure is not None:
                last = place
        place += 1
    return last + 1, False
