"""Prepare a page of the list: its rows by their days, and links to the next ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from webapp.completions import Completion, scalar_text
from webapp.conversations import Conversation
from webapp.finding import (
    RowNumbers,
)
from webapp.finding.query import SORTS
from webapp.ids import is_valid_id
from webapp.reading.listing import ListPage
from webapp.reading.previews import Row
from webapp.templating.finding.filters import Filters, Kind, fits_in_link
from webapp.upstream import End, NotSupported

_MAX_SUGGESTED: Final = 50


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list, which begins after `after`; `problem` is set if there is no list.

    `limit` is the one that the address names. `day` is the last day that the reader already has,
    `2026-11-17`, if these rows are appended to others. `conversations` are those that rows stand
    for, by the ids of the rows; the server groups them if it `can_fold`. `pinned`
    are the rows above the others, `pins` the ids of all that is pinned. `unchecked` completions are
    missing, since the filters ask for findings of the checks.
    """

    rows: tuple[Row, ...] = ()
    filters: Filters = Filters()
    page: ListPage = ListPage()
    after: str | None = None
    problem: NotSupported | None = None
    limit: str | None = None
    day: str | None = None
    conversations: Mapping[str, Conversation] = field(default_factory=dict)
    numbers: Mapping[str, RowNumbers] = field(default_factory=dict)
    can_fold: bool = False
    pinned: tuple[Row, ...] = ()
    pins: frozenset[str] = frozenset()
    unchecked: int = 0

    @property
    def shown(self) -> tuple[Row, ...]:
        """The rows of the kind that the filters ask for, but those pinned above them."""
        kind = self.filters.kind
        above = {row.completion.id for row in self.pinned}
        rows = (row for row in self.rows if row.completion.id not in above)
        return tuple(row for row in rows if kind is None or is_of_kind(row, kind))

    @property
    def has_days(self) -> bool:
        """Whether the rows are in the order of time, and so have the days as headings."""
        return self.filters.column == "time"

    @property
    def days(self) -> Iterator[tuple[str | None, tuple[Row, ...]]]:
        """The rows of each day with its heading, which is None where the day goes on."""
        if not self.has_days:
            if self.shown:
                yield None, self.shown
            return
        day = self.day
        rows: list[Row] = []
        heading: str | None = None
        for row in self.shown:
            at = _find_day(row.completion)
            if at != day:
                if rows:
                    yield heading, tuple(rows)
                day, rows, heading = at, [], _describe_day(at)
            rows.append(row)
        if rows:
            yield heading, tuple(rows)

    @property
    def lacks_sorted(self) -> str | None:
        """The number that the list is sorted by, if no completion of it has one."""
        column = SORTS.get(self.filters.column)
        numbers = [self.numbers.get(row.completion.id or "") for row in self.rows]
        if column is None or self.after or not any(numbers):
            return None
        has_one = any(getattr(one, column, None) is not None for one in numbers)
        return None if has_one else self.filters.column

    @property
    def is_empty(self) -> bool:
        """Whether nothing matches, on any page."""
        page = self.page
        is_end = page.end is not End.CUT_OFF and not page.unreadable and not page.next_after
        return is_end and not self.rows and not self.after

    @property
    def ignores_filters(self) -> bool:
        """Whether the server sent completions that do not match, and none that do."""
        completions = self.page.completions
        return bool(completions) and not any(map(self.filters.are_applied_to, completions))

    @property
    def next_url(self) -> str:
        shown = self.shown
        day = _find_day(shown[-1].completion) if shown and self.has_days else self.day
        return self.filters.url(after=self.page.next_after, limit=self.limit, day=day)

    @property
    def newer_url(self) -> str | None:
        """Return the URL that counts completions newer than the first row, if it is polled."""
        first = self.rows[0].completion.id if self.rows else None
        is_start = not self.after and self.filters.sort == "time"
        if not is_start or first is None or not is_valid_id(first):
            return None
        return self.filters.url(newer=first) if self.filters.can_have_words else None

    @property
    def suggestions(self) -> dict[str, list[str]]:
        """Suggestions for the form, by the ids of their elements."""
        metadata = [one for row in self.rows for one in row.completion.metadata]
        return {
            "models": _suggest(row.completion.model or "" for row in self.rows),
            "metadata-keys": _suggest(one.name.text for one in metadata),
            "metadata-values": _suggest(scalar_text(one.value) or "" for one in metadata),
        }


def is_of_kind(row: Row, kind: Kind) -> bool:
    """Return whether a completion is of the kind of a filter."""
    marks = (*(row.question.marks if row.question else ()), *row.answer.marks)
    rule = row.failure.rule if row.failure else None
    if kind == "cut off":
        return rule in ("cut off", "broken off")
    if kind == "failed":
        return row.failure is not None
    if kind == "tools":
        return any(mark.startswith("call:") for mark in marks)
    if kind == "refused" and rule == "refused":
        return True
    return {"images": "image", "audio": "audio", "refused": "refused"}[kind] in marks


def clock_time(seconds: int) -> str:
    """Format the time of day in UTC, `14:03`; empty if it is not a time."""
    moment = _read_time(seconds)
    return moment.strftime("%H:%M") if moment else ""


def time_beside(seconds: int, other: int | None) -> str:
    """Format a time in UTC beside another, `14:03:09`, with its date if that is another one.

    Empty if it is not a time.
    """
    moment, beside = _read_time(seconds), _read_time(other)
    if moment is None:
        return ""
    is_same_day = beside is not None and moment.date() == beside.date()
    return moment.strftime("%H:%M:%S" if is_same_day else "%Y-%m-%d %H:%M:%S")


def _suggest(texts: Iterable[str]) -> list[str]:
    usable = (text for text in texts if text.strip() and fits_in_link(text))
    return sorted(list(dict.fromkeys(usable))[:_MAX_SUGGESTED])


def _read_time(seconds: int | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _find_day(completion: Completion) -> str | None:
    moment = _read_time(completion.created)
    return moment.strftime("%Y-%m-%d") if moment else None


def _describe_day(day: str | None) -> str:
    if day is None:
        return "No date"
    date = datetime.strptime(day, "%Y-%m-%d")
    return f"{date:%A}, {date.day} {date:%B} {date.year} (UTC)"
