"""Counts of the completions that pass some filters: over time, by model, failure and tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from webapp.finding.query import Query

OUTCOMES: Final = (
    *("broken off", "content filter", "refused", "cut off"),
    *("tool calls", "stop", "other"),
)
"""How a completion ended: each has the first one that fits. The first four are failed answers."""
MAX_BARS: Final = 120
MAX_NAMES: Final = 21
"""Models, and tools, that are counted; the most frequent ones, one more than a page shows."""


@dataclass(frozen=True, slots=True)
class Tally:
    """A number of completions and the sums of their tokens, in the prompt and in the answer.

    The sums are those of the `known` completions that have counts; None if none does.
    """

    completions: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    known: int = 0


@dataclass(frozen=True, slots=True)
class Bar:
    """The completions created from `start` until before `end`, in Unix seconds."""

    start: int
    end: int
    tally: Tally = Tally()
    outcomes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Overview:
    """The counts of all completions that pass the filters.

    `bars` follow each other, the empty ones as well; `timeless` completions are in none, since
    nobody said when they were created. `models` and `tools` are the most frequent ones, which may
    not be all; None is the model of completions that name none, and `tools` count the completions
    that call them. `failures` are tags, such as `failure:length`. If `counted_from` is not None,
    there were too many to count, and only those since that time are. `counted_at` is when they
    were counted. If it `lacks_old`, older completions are yet to be prepared.
    """

    total: Tally = Tally()
    outcomes: Mapping[str, int] = field(default_factory=dict)
    bars: tuple[Bar, ...] = ()
    timeless: int = 0
    models: tuple[tuple[str | None, Tally], ...] = ()
    failures: Mapping[str, int] = field(default_factory=dict)
    tools: tuple[tuple[str, int], ...] = ()
    counted_from: int | None = None
    counted_at: int | None = None
    lacks_old: bool = False


class OverviewSource(Protocol):
    """Counts all stored completions."""

    def summarize(self, query: Query) -> Overview:
        """Count the completions that pass the filters of `query`; its texts do not matter."""
        ...
