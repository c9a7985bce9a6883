"""List the sources that a message cites, and locate the ranges of its text that cite them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from webapp.messages import Annotation, Message, UrlCitation
from webapp.rendering.citations.offsets import Indexes, Range

_AWKWARD: Final = "a mark there may change the text"


@dataclass(frozen=True, slots=True)
class CitedSpan:
    """A cited range of the text, as sent; `note` says why it has no mark in the text.

    `number` counts the places of a message from 1, `times` how often the same one was sent.
    """

    number: int
    start: int | None
    end: int | None
    in_text: bool = False
    note: str | None = None
    times: int = 1

    @property
    def description(self) -> str:
        """`6 to 11`, then the note and the number of times, if any.

        Servers that know no place send 0 and 0.
        """
        again = f"sent {self.times:,} times" if self.times > 1 else ""
        if self.start == self.end == 0:
            return f"no place given, {again}" if again else "no place given"
        start = "" if self.start is None else f"{self.start}"
        end = "" if self.end is None else f"to {self.end}"
        words = f"{start} {end}" if start and end else f"from {start}" if start else end
        return ", ".join(word for word in (words, self.note, again) if word)


@dataclass(frozen=True, slots=True)
class Source:
    """A cited source, numbered from 1, with the places that cite it.

    Citations that differ only in their range have one source. `units` is the assumed
    unit of their indexes, or None if it makes no difference.
    """

    number: int
    annotation: Annotation
    places: tuple[CitedSpan, ...] = ()
    units: str | None = None

    @property
    def in_text(self) -> bool:
        """Whether the text has a mark of this source."""
        return any(place.in_text for place in self.places)

    def unmark(self, numbers: Collection[int] | None = None) -> Source:
        """Remove the marks at the places with these numbers, or at any."""
        places = (
            replace(place, in_text=False, note=_AWKWARD)
            if place.in_text and (numbers is None or place.number in numbers)
            else place
            for place in self.places
        )
        return replace(self, places=tuple(places))


@dataclass(frozen=True, slots=True)
class Cited:
    """The list of sources below a message, with notes that concern all of them.

    `left_out` annotations are beyond the budget; the page shows their JSON only.
    """

    sources: tuple[Source, ...]
    notes: tuple[str, ...] = ()
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """The range of a mark in code points, and the number of its place."""

    start: int
    end: int
    place: int


def list_sources(message: Message, sources: tuple[Source, ...] | None, *, limit: int) -> Cited:
    """List the sources of `message`, from at most `limit` of its annotations.

    `sources` are those whose marks its one text shows, or None if it shows none.
    """
    annotations = message.annotations
    known = list_unmarked(annotations[:limit]) if sources is None else sources
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
    return Cited(known, tuple(notes), max(0, len(annotations) - limit))


def list_unmarked(annotations: Sequence[Annotation]) -> tuple[Source, ...]:
    """List all sources in order, for a text without marks."""
    return locate_sources(None, annotations)[0]


def locate_sources(
    text: str | None, annotations: Sequence[Annotation]
) -> tuple[tuple[Source, ...], tuple[Span, ...]]:
    """Locate the sources, and the ranges of `text` that can be marked, in order of the sources."""
    groups = _group_by_source(annotations)
    cited = [(group.cited, one) for group in groups for one in group.ranges]
    indexes = Indexes.infer(text or "", cited)
    units = indexes.units if indexes.is_ambiguous(cited) else None
    taken = _TakenRanges()
    sources: list[Source] = []
    spans: list[Span] = []
    number = 0
    for at, group in enumerate(groups, start=1):
        places = []
        for one, times in group.ranges.items():
            number += 1
            found = None if text is None else _find_span(one, indexes, taken, at, number)
            if isinstance(found, Span):
                spans.append(found)
            note = found if isinstance(found, str) else None
            places.append(CitedSpan(number, *one, isinstance(found, Span), note, times))
        sources.append(Source(at, group.annotation, tuple(places), units))
    return tuple(sources), tuple(spans)


@dataclass(slots=True)
class _Group:
    """Citations that differ only in their range, and how often each range was sent."""

    annotation: Annotation
    ranges: dict[Range, int] = field(default_factory=dict)

    @property
    def cited(self) -> UrlCitation:
        assert isinstance(self.annotation, UrlCitation)
        return self.annotation


def _group_by_source(annotations: Sequence[Annotation]) -> list[_Group]:
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


def _find_span(
    one: Range, indexes: Indexes, taken: _TakenRanges, source: int, place: int
) -> Span | str:
    """Find the range in code points, or the reason why it cannot be marked."""
    start, end = one
    if start is None or end is None:
        if start is None and end is None:
            return "no place given"
        return "only its start is given" if end is None else "only its end is given"
    if start == end:
        return "empty"
    if start > end:
        return "ends before it starts"
    if start < 0 or end > indexes.length:
        return "outside the text"
    first, last = indexes.offset(start), indexes.offset(end)
    if first is None or last is None:
        return "cuts a character in two"
    other = taken.take(first, last, source)
    return Span(first, last, place) if other is None else f"overlaps source {other}"


class _TakenRanges:
    """The ranges that have a mark already; ranges may share an end, but not overlap."""

    def __init__(self) -> None:
        self._ends: list[int] = []
        self._by_end: dict[int, tuple[int, int]] = {}

    def take(self, start: int, end: int, source: int) -> int | None:
        """Take the range, or return the number of the source whose range it overlaps."""
        at = bisect_left(self._ends, end)
        if at and self._ends[at - 1] > start:
            return self._by_end[self._ends[at - 1]][1]
        is_shared = at < len(self._ends) and self._ends[at] == end
        following = at + is_shared
        if following < len(self._ends):
            first, owner = self._by_end[self._ends[following]]
            if first < end:
                return owner
        if is_shared:
            first, owner = self._by_end[end]
            self._by_end[end] = (min(first, start), owner)
        else:
            insort(self._ends, end)
            self._by_end[end] = (start, source)
        return None
