"""Prepare the overview of the completions that pass the filters of the list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from webapp.caching.inputs import read_input
from webapp.finding import parse_query
from webapp.finding.results import OUTCOMES, Bar, Overview
from webapp.formatting import count
from webapp.services import services
from webapp.templating.finding.filters import Filters

HEIGHT: Final = 64
_PITCH: Final = 10
_GAP: Final = 2
_LEAST: Final = 2
"""Height of a part of a bar, so that one failure among thousands is seen."""
_DAY: Final = 86_400
_FEW_DAYS: Final = 4 * _DAY
"""Of a shorter time, both ends have a clock time."""
_FAILURES: Final = {
    "has:failure": "any of them",
    "failure:length": "cut off",
    "failure:content_filter": "content filter",
    "failure:refusal": "refused",
    "failure:incomplete": "broken off",
}
_LAST_SECOND: Final = 253_402_300_799
"""Of the year 9999; there is no `datetime` after it."""
_UNITS: Final = ((7 * _DAY, "week"), (_DAY, "day"), (3_600, "hour"), (60, "minute"))


@dataclass(frozen=True, slots=True)
class Segment:
    """The part of a bar with one outcome, from its upper edge on."""

    outcome: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class DrawnBar:
    """A bar from the left edge `x` on, with its numbers in words and the list that it leads to."""

    x: int
    href: str | None
    title: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Strip:
    """The bars, which share one base line, with the failures at the bottom.

    `label` describes all of them; `first` and `last` are the times at both ends, `span` is that of
    one bar.
    """

    width: int
    height: int
    bar_width: int
    bars: tuple[DrawnBar, ...]
    label: str
    first: str
    last: str
    span: str


def find_overview(filters: Filters) -> Overview | None:
    """Count the completions that pass `filters`; None if the server cannot count."""
    source = services().overview
    if source is None:
        return None
    query = parse_query(filters.text)
    if filters.model and query.model not in (None, filters.model):
        return Overview()
    metadata = tuple(dict.fromkeys((*filters.metadata, *query.metadata)))
    asked = replace(query, model=query.model or filters.model, metadata=metadata)
    return read_input(partial(source.summarize, asked))


def draw_strip(overview: Overview, filters: Filters) -> Strip | None:
    """Draw the bars of an overview, each a link to its time; None if no time is known."""
    bars = overview.bars
    if not bars:
        return None
    tallest = max(bars, key=lambda bar: bar.tally.completions)
    most = tallest.tally.completions
    first, last, span = bars[0].start, bars[-1].end, bars[-1].end - bars[-1].start
    return Strip(
        width=len(bars) * _PITCH - _GAP,
        height=HEIGHT + _LEAST * len(OUTCOMES),
        bar_width=_PITCH - _GAP,
        bars=tuple(
            DrawnBar(
                at * _PITCH,
                bar_url(bar, filters),
                f"{describe_time(bar)}, {describe_numbers(bar.outcomes)}",
                tuple(_stack(bar.outcomes, most)),
            )
            for at, bar in enumerate(bars)
            if bar.tally.completions
        ),
        label=f"Completions over time, {count(len(bars), 'bar')} of {_describe_span(span)} each,"
        f" in UTC, from {_write(first, span)} to {_write(last, span)}. The most are"
        f" {count(most, 'completion')}: {describe_time(tallest)}.",
        first=_write(first, span if last - first < _FEW_DAYS else _DAY),
        # The last day is the one before the midnight that it ends with.
        last=_write(last, span) if last - first < _FEW_DAYS else _write(last - 1, _DAY),
        span=_describe_span(span),
    )


def bar_url(bar: Bar, filters: Filters) -> str | None:
    """Return the URL of the list of the time of a bar; completions without a time are in none."""
    return filters.time_url(max(1, bar.start), bar.end)


def describe_failure(tag: str) -> str:
    """Describe a tag of failures in the words of a row of the list: `cut off`, `refused`."""
    return _FAILURES.get(tag, tag.partition(":")[2])


def describe_time(bar: Bar) -> str:
    """Describe the time of a bar in UTC: `2026-11-17`, `2026-11-17 14:00 to 15:00`."""
    span = bar.end - bar.start
    if span == _DAY:
        return _write(bar.start, span)
    end = bar.end - _DAY if span > _DAY else bar.end
    begin, last = _write(bar.start, span), _write(end, span)
    if span < _DAY:
        # A day ends at 24:00, not at the beginning of the next one.
        last = "24:00" if end % _DAY == 0 else last.removeprefix(begin[:11])
    return f"{begin} to {last}"


def describe_numbers(outcomes: Mapping[str, int]) -> str:
    """Describe each outcome with its number: `3 completions: cut off 1, stop 2`."""
    parts = ", ".join(f"{outcome} {number:,}" for outcome, number in outcomes.items())
    return f"{count(sum(outcomes.values()), 'completion')}: {parts}"


def _stack(outcomes: Mapping[str, int], most: int) -> Iterator[Segment]:
    y = HEIGHT + _LEAST * len(OUTCOMES)
    for outcome, number in outcomes.items():
        height = max(_LEAST, number * HEIGHT // most)
        y -= height
        yield Segment(outcome, y, height)


def _write(seconds: int, span: int) -> str:
    """Write a time in UTC, without that of the day if bars are whole days."""
    moment = datetime.fromtimestamp(min(seconds, _LAST_SECOND), UTC)
    return moment.strftime("%Y-%m-%d" if span % _DAY == 0 else "%Y-%m-%d %H:%M")


def _describe_span(seconds: int) -> str:
    unit, name = next((unit, name) for unit, name in _UNITS if seconds % unit == 0)
    return count(seconds // unit, name)
