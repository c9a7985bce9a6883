"""The sources a message cites, and which range of its text belongs to each."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from webapp.messages import Annotation, Message, UrlCitation
from webapp.rendering.citations.offsets import Indexes, Range

_AWKWARD: Final = "a mark there may change the text"


@dataclass(frozen=True, slots=True)
class Place:
    """A range of the text, as sent; `note` tells why it is not marked there.

    `number` counts the places of a message from 1, `times` how often it was sent.
    """

    number: int
    start: int | None
    end: int | None
    in_text: bool = False
    note: str | None = None
    times: int = 1

    @property
    def told(self) -> str:
        """`6 to 11`, and what else there is to say of it."""
        words = {
            (False, False): "",
            (True, False): f"from {self.start}",
            (False, True): f"to {self.end}",
            (True, True): f"{self.start} to {self.end}",
        }[self.start is not None, self.end is not None]
        again = f"sent {self.times:,} times" if self.times > 1 else ""
        return ", ".join(word for word in (words, self.note, again) if word)


@dataclass(frozen=True, slots=True)
class Source:
    """One cited source: `number` from 1, and where it is cited.

    Citations that differ in nothing but their range are one source. `units` is what indexes
    were taken to count, None where it makes no difference.
    """

    number: int
    annotation: Annotation
    places: tuple[Place, ...] = ()
    units: str | None = None

    @property
    def in_text(self) -> bool:
        """Whether a mark of it stands in the text."""
        return any(place.in_text for place in self.places)

    def unmarked(self, numbers: Collection[int]) -> Source:
        """The same source, with no mark at the places of these numbers."""
        places = (
            replace(place, in_text=False, note=_AWKWARD) if place.number in numbers else place
            for place in self.places
        )
        return replace(self, places=tuple(places))


@dataclass(frozen=True, slots=True)
class Cited:
    """What stands below a message that cites: its sources, and what must be said of them all.

    `left_out` annotations are beyond the budget and stand there as JSON alone.
    """

    sources: tuple[Source, ...]
    notes: tuple[str, ...] = ()
    left_out: int = 0


def list_sources(message: Message, sources: tuple[Source, ...] | None, *, limit: int) -> Cited:
    """The sources of `message`, as they were placed in its one text, or None where they were not.

    `limit` is how many of its annotations are looked at.
    """
    given = message.annotations
    known = listed(given[:limit]) if sources is None else sources
    places = [place for source in known for place in source.places]
    notes = []
    if places and message.text_count > 1:
        notes.append(
            "The message has several texts, and the server does not say to which one the places "
            "belong; they are not marked."
        )
    elif any(not place.in_text and place.note is None for place in places):
        notes.append("The places are not marked in the text as it is shown.")
    units = {source.units for source in known if source.units}
    notes += [f"Places are counted in {one}." for one in units]
    return Cited(known, tuple(notes), max(0, len(given) - limit))


@dataclass(frozen=True, slots=True)
class Span:
    """Where a mark belongs: code points of the text, and the number of its place."""

    start: int
    end: int
    place: int


def listed(annotations: Sequence[Annotation]) -> tuple[Source, ...]:
    """All sources in their order, none of them marked in a text."""
    return locate(None, annotations)[0]


def locate(
    text: str | None, annotations: Sequence[Annotation]
) -> tuple[tuple[Source, ...], tuple[Span, ...]]:
    """The sources, and the ranges of `text` that can be marked, in the order of the sources."""
    groups = _grouped(annotations)
    cited = [(group.cited, one) for group in groups for one in group.ranges]
    reading = Indexes.of(text or "", cited)
    units = reading.units if reading.matters_for(cited) else None
    taken = _Taken()
    sources, spans, number = [], [], 0
    for at, group in enumerate(groups, start=1):
        places = []
        for one, times in group.ranges.items():
            number += 1
            found = None if text is None else _find(one, reading, taken, at, number)
            if isinstance(found, Span):
                spans.append(found)
            note = found if isinstance(found, str) else None
            places.append(Place(number, *one, isinstance(found, Span), note, times))
        sources.append(Source(at, group.annotation, tuple(places), units))
    return tuple(sources), tuple(spans)


@dataclass(slots=True)
class _Group:
    """Citations that differ in their range only; how often each range was sent."""

    annotation: Annotation
    ranges: dict[Range, int] = field(default_factory=dict)

    @property
    def cited(self) -> UrlCitation:
        assert isinstance(self.annotation, UrlCitation)
        return self.annotation


def _grouped(annotations: Sequence[Annotation]) -> list[_Group]:
    groups: dict[object, _Group] = {}
    for at, annotation in enumerate(annotations):
        if not isinstance(annotation, UrlCitation):
            groups[at] = _Group(annotation)
            continue
        extras = tuple((one.name.source, one.value.source) for one in annotation.extras)
        group = groups.setdefault((annotation.url, annotation.title, extras), _Group(annotation))
        one = (annotation.start_index, annotation.end_index)
        group.ranges[one] = group.ranges.get(one, 0) + 1
    return list(groups.values())


def _find(one: Range, reading: Indexes, taken: _Taken, source: int, place: int) -> Span | str:
    """The range in code points, or why it cannot be marked."""
    start, end = one
    if start is None or end is None:
        return _missing(start, end)
    if start == end:
        return "empty"
    if start > end:
        return "ends before it starts"
    if start < 0 or end > reading.length:
        return "outside the text"
    first, last = reading.offset(start), reading.offset(end)
    if first is None or last is None:
        return "cuts a character in two"
    other = taken.take(first, last, source)
    return Span(first, last, place) if other is None else f"overlaps source {other}"


def _missing(start: int | None, end: int | None) -> str:
    if start is None and end is None:
        return "no place given"
    return "only its start is given" if end is None else "only its end is given"


class _Taken:
    """The ranges that have their mark already; they may share an end, but not overlap."""

    def __init__(self) -> None:
        self._ends: list[int] = []
        self._by_end: dict[int, tuple[int, int]] = {}

    def take(self, start: int, end: int, source: int) -> int | None:
        """Takes the range; gives the source whose range it overlaps when it cannot."""
        at = bisect_left(self._ends, end)
        if at and self._ends[at - 1] > start:
            return self._by_end[self._ends[at - 1]][1]
        known = at < len(self._ends) and self._ends[at] == end
        following = at + known
        if following < len(self._ends):
            first, owner = self._by_end[self._ends[following]]
            if first < end:
                return owner
        if known:
            first, owner = self._by_end[end]
            self._by_end[end] = (min(first, start), owner)
        else:
            insort(self._ends, end)
            self._by_end[end] = (start, source)
        return None
