"""Prepare one page of a comparison: its rows, and its groups of settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from webapp.addresses.building import url_for
from webapp.analysis.differences import (
    Budget,
    Difference,
    Row,
    compare_choices,
    compare_messages,
    compare_settings,
    summarize_tools,
)
from webapp.formatting import count, first_words
from webapp.media import InlineMedia
from webapp.reading.comparing import Comparison, Fold, Side, compare_sides
from webapp.reading.previews import preview_question
from webapp.templating.addresses import MessageImages, place_url
from webapp.templating.comparing.pieces import (
    Block,
    Cutter,
    FindImage,
    PieceKind,
    ShownDifference,
)
from webapp.transcript import Entry

ROWS: Final = 20
"""Differences on one page."""

_MAX_ASKED: Final = 5
"""Messages among which a title is sought."""

_MAX_OF_ONE: Final = 30
"""Differences shown of one message, or of one group of settings."""

_LINES_OF_SETTINGS: Final = 7
"""Lines of settings before the first message that differs, which is to be on the first screen."""

_MAX_SAID: Final = 4
_LONGEST_SAID: Final = 200
"""Characters of names in the summary of a group; servers send names of any length."""


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row with the entries of both sides; `number` counts the rows from 1.

    A message that only one side has is shown by `block`; of one that changed, `left_out` counts
    the differences that are not shown.
    """

    number: int
    row: Row
    a: Entry | None
    b: Entry | None
    differences: tuple[ShownDifference, ...] = ()
    block: Block | None = None
    left_out: int = 0

    @property
    def entry(self) -> Entry:
        entry = self.b or self.a
        assert entry is not None
        return entry


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """The differences of one group of settings, `is_folded` to its `summary` if they are long."""

    name: str
    differences: tuple[ShownDifference, ...]
    left_out: int
    is_folded: bool
    summary: str


@dataclass
class ComparisonView:
    """One page of the comparison of `a` and `b`, from row `start` on, counted from 0."""

    a: Side
    b: Side
    is_exact: bool
    start: int = 0
    _budget: Budget = field(default_factory=Budget)
    _cutter: Cutter = field(default_factory=Cutter)

    def find_title(self, side: Side) -> str:
        """Find the first words of the question, or the id if nobody asked one."""
        text = preview_question(side.iter_messages(0, min(side.inputs, _MAX_ASKED))).text
        return first_words(text, 100) or side.completion_id

    @cached_property
    def comparison(self) -> Comparison:
        return compare_sides(self.a, self.b, self._budget, is_exact=self.is_exact)

    @cached_property
    def total(self) -> int:
        """The number of rows on all pages."""
        return len(self.comparison.rows)

    @property
    def is_preference_pair(self) -> bool:
        """Whether the messages are the same and the answers are not."""
        rows = self.comparison.rows
        is_answer = len(rows) == 1 and rows[0].a == self.a.inputs and rows[0].b == self.b.inputs
        return is_answer and self.a.is_whole and self.b.is_whole

    @cached_property
    def settings(self) -> tuple[ShownGroup, ...]:
        """The differences that are not in messages, group by group."""
        found = compare_settings(
            self.a.completion, self.b.completion, self._budget, is_exact=self.is_exact
        )
        if self.a.choice and self.b.choice:
            choices = compare_choices(
                self.a.choice, self.b.choice, self._budget, is_exact=self.is_exact
            )
            found = {"Answer": choices, **found} if choices else found
        groups = []
        room = _LINES_OF_SETTINGS
        for name, differences in found.items():
            shown, left_out = self._show_all(differences, lambda kind, media: None)
            lines = left_out + sum(one.lines for one in shown)
            is_folded = lines > room
            room -= 0 if is_folded else lines
            groups.append(
                ShownGroup(name, shown, left_out, is_folded, self._summarize(name, differences))
            )
        return tuple(groups)

    def _summarize(self, group: str, differences: tuple[Difference, ...]) -> str:
        """Name in a line the differences in a group: the tools by name, or the first places."""
        said = summarize_tools(self.a.completion, self.b.completion) if group == "Tools" else []
        prefix = f"{group.lower()}."
        places = dict.fromkeys(
            one.place.removeprefix(prefix)
            for one in differences
            if not (said and one.place.startswith(("tools", "functions")))
        )
        said += list(places)[:_MAX_SAID]
        said = [one if len(one) <= _LONGEST_SAID else f"{one[:_LONGEST_SAID]}…" for one in said]
        further = len(places) - _MAX_SAID
        return " · ".join((*said, f"{further:,} more") if further > 0 else said)

    @property
    def headline(self) -> str:
        """Where the first difference is: `199 messages unchanged, then: message 200 differs`."""
        sections = self.comparison.sections
        first = next((one for one in sections if isinstance(one, Row)), None)
        unchanged = count(self.comparison.unchanged, "message")
        if first is None and self.settings:
            names = ", ".join(group.name.lower() for group in self.settings)
            return f"{unchanged} unchanged; what differs: {names}."
        if first is None:
            return f"All that was compared is the same: {unchanged}."
        before = sections[0]
        head = (
            f"{count(before.count, 'message')} unchanged, then: "
            if isinstance(before, Fold)
            else ""
        )
        side, at = (self.a, first.a) if first.a is not None else (self.b, first.b)
        what = self.name(side, at or 0)
        state = {"changed": "differs", "added": "is only in B", "removed": "is only in A"}
        sentence = f"{head}{what} {state[first.state]}."
        return sentence[:1].upper() + sentence[1:]

    @property
    def counts(self) -> list[str]:
        """The totals, without those that are zero."""
        comparison = self.comparison
        unchanged = count(comparison.unchanged, "message") + " unchanged"
        if comparison.formal:
            unchanged += f" ({comparison.formal:,} apart from ids or JSON formatting)"
        words = {"changed": "changed", "removed": "only in A", "added": "only in B"}
        numbers = [(comparison.count(state), said) for state, said in words.items()]
        return [unchanged, *(f"{number:,} {said}" for number, said in numbers if number)]

    def name(self, side: Side, at: int) -> str:
        """Name a message, as `message 200`, or `the answer`."""
        return "the answer" if at >= side.inputs else f"message {at + 1:,}"

    def iter_sections(self) -> Iterator[Fold | ShownRow]:
        """Yield the folds and rows of this page."""
        number = 0
        for section in self.comparison.sections:
            is_here = self.start <= number < self.start + ROWS
            if isinstance(section, Fold):
                if is_here or number == self.total:
                    yield section
                continue
            number += 1
            if is_here:
                yield self._show_row(section, number)

    @property
    def next_start(self) -> int | None:
        """The first row of the next page; None on the last."""
        end = self.start + ROWS
        return end if end < self.total else None

    def place_url(self, side: Side, entry: Entry) -> str:
        """Build the address of a message in its transcript; an answer is on the last page."""
        last = next(side.listed.parse(side.inputs - 1, side.inputs), None) if side.inputs else None
        is_answer = entry.place is not None
        message_id = last.id if is_answer and last else entry.message.id
        return place_url(side.completion_id, message_id, entry.anchor)

    def url(self, **changes: Any) -> str:
        """Build the address of this comparison with `changes`."""
        query: dict[str, Any] = {
            "a": self.a.completion_id,
            "b": self.b.completion_id,
            "a_choice": self.a.place or None,
            "b_choice": self.b.place or None,
            "exact": "1" if self.is_exact else None,
        }
        endpoint = changes.pop("endpoint", "compare.show")
        return url_for(endpoint, **{**query, **changes})

    def row_url(self, number: int) -> str:
        """Return the address of a row, from 1, on this page or another."""
        start = (number - 1) // ROWS * ROWS
        here = "" if start == self.start else self.url(start=start or None)
        return f"{here}#d-{number}"

    def _show_row(self, row: Row, number: int) -> ShownRow:
        a = None if row.a is None else self.a.find_entry(row.a)
        b = None if row.b is None else self.b.find_entry(row.b)
        images = {
            kind: MessageImages(side.completion_id, entry)
            for kind, side, entry in (("deleted", self.a, a), ("inserted", self.b, b))
            if entry is not None
        }

        def find_image(kind: PieceKind, media: InlineMedia) -> str | None:
            return images["deleted" if kind == "deleted" else "inserted"].find_url(media)

        if a is not None and b is not None:
            found = compare_messages(a.message, b.message, self._budget, is_exact=self.is_exact)
            shown, left_out = self._show_all(found, find_image)
            return ShownRow(number, row, a, b, shown, left_out=left_out)
        only = b or a
        assert only is not None
        kind: PieceKind = "inserted" if a is None else "deleted"
        block = self._cutter.cut_message(only.message, kind, find_image)
        return ShownRow(number, row, a, b, block=block)

    def _show_all(
        self, found: tuple[Difference, ...], find_image: FindImage
    ) -> tuple[tuple[ShownDifference, ...], int]:
        shown = found[:_MAX_OF_ONE]
        cut = tuple(self._cutter.cut_difference(one, find_image) for one in shown)
        return cut, len(found) - len(cut)
