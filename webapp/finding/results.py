"""The results of a search, the counts of an overview, and the interface of a searcher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from webapp.finding.query import Query


_AROUND: Final = 80
"""Characters around a match that are shown with it."""

OUTCOMES: Final = (
    *("broken off", "content filter", "refused", "cut off"),
    *("tool calls", "stop", "other"),
)
"""How a completion ended: each has the first one that fits. The first four are failed answers."""
MAX_BARS: Final = 120
MAX_NAMES: Final = 21
"""Models, and tools, that are counted; the most frequent ones, one more than a page shows."""


class Cursor(NamedTuple):
    """The last completion that a search has looked at, in the order of the list."""

    created: int
    seq: int


@dataclass(frozen=True, slots=True)
class Hit:
    """One passage with a match, and the words around the first one, as they were written.

    `position` is that of an input message, or None for a choice and for metadata; `message_id`
    is its id.
    """

    scope: str
    role: str
    position: int | None
    message_id: str | None
    before: str
    match: str
    after: str


@dataclass(frozen=True, slots=True)
class Found:
    """A completion that a search found; `count` counts its passages with a match, shown or not."""

    id: str
    created: int
    model: str | None
    question: str
    messages: int
    total_tokens: int | None
    hits: tuple[Hit, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Results:
    """The completions found, newest first.

    `cursor` continues the search, and is None at its end. `is_cut` is whether its time ended
    before the page was full. `searched` counts the completions looked at.
    """

    found: tuple[Found, ...]
    cursor: Cursor | None
    is_cut: bool
    searched: int


@dataclass(frozen=True, slots=True)
class RowNumbers:
    """The numbers of a completion in the list; durations are in milliseconds, None if unknown.

    `failed_calls` is 0 as well until a completion was checked.
    """

    messages: int
    total_tokens: int | None = None
    duration_ms: int | None = None
    first_token_ms: int | None = None
    failed_calls: int = 0


class Finder(Protocol):
    """Searches all stored completions."""

    def find_numbers(self, ids: Sequence[str]) -> Mapping[str, RowNumbers]:
        """Find the numbers of stored completions by their ids."""
        ...

    def count_newer(
        self,
        completion_id: str,
        query: Query,
        *,
        model: str | None,
        metadata: Sequence[tuple[str, str]],
        most: int,
    ) -> int:
        """Count the newer completions that pass the filters, at most `most`.

        Of a completion that is not stored, nothing is newer.
        """
        ...

    def count_unchecked(self, most: int) -> int:
        """Count the completions that the checks have yet to read, at most `most`."""
        ...

    def count_faults(self, completion_id: str, *, rules: int) -> int | None:
        """Count the errors and warnings that `rules` found in a completion; None if not checked."""
        ...

    def search(self, query: Query, *, after: Cursor | None, limit: int, seconds: float) -> Results:
        """Search for up to `limit` completions after a cursor, for at most `seconds`."""
        ...


def cut_before(text: str, start: int) -> str:
    """Return the words before a match in `text`, whole as far as it has spaces."""
    if start <= _AROUND:
        return text[:start]
    near = text[start - _AROUND : start]
    return f"…{near.partition(' ')[2] or near}"


def cut_after(text: str, end: int) -> str:
    """Return the words after a match that ends at `end`, likewise."""
    if end + _AROUND >= len(text):
        return text[end:]
    near = text[end : end + _AROUND]
    return f"{near.rpartition(' ')[0] or near}…"


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
