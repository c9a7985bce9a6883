"""The results of a search, and the interface of a searcher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from webapp.finding.query import Query


_AROUND: Final = 80
"""Characters around a match that are shown with it."""


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
