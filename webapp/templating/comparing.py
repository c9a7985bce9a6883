"""Prepare the page that compares two completions: its rows, and pieces of changed texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

from webapp.addresses.building import url_for
from webapp.analysis.differences import (
    Budget,
    Difference,
    Edit,
    Row,
    compare_choices,
    compare_messages,
    compare_settings,
)
from webapp.exact_json import String, Value, indent
from webapp.formatting import count, first_words, show_blanks
from webapp.messages import Message
from webapp.messages.message import get_text, list_pieces
from webapp.reading.comparing import Comparison, Fold, Side, compare_sides
from webapp.reading.previews import preview_question
from webapp.templating.addresses import place_url
from webapp.transcript import Entry

ROWS: Final = 20
"""Differences on one page."""

_MAX_ASKED: Final = 5
"""Messages among which a title is sought."""

_MAX_OF_ONE: Final = 30
"""Differences shown of one message, or of one group of settings."""

_AROUND: Final = 160
_MAX_OF_PIECE: Final = 4_000
_MAX_OF_PAGE: Final = 200_000

PieceKind: TypeAlias = Literal["equal", "deleted", "inserted", "left out"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text; one that is `left out` has its size in place of its words."""

    kind: PieceKind
    text: str


@dataclass(frozen=True, slots=True)
class ShownDifference:
    """A difference with its text in pieces; `is_long` means that some of them are left out."""

    difference: Difference
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row with the entries of both sides; `number` counts the rows from 1.

    A message that only one side has is shown by `pieces`; of one that changed, `left_out` counts
    the differences that are not shown.
    """

    number: int
    row: Row
    a: Entry | None
    b: Entry | None
    differences: tuple[ShownDifference, ...] = ()
    pieces: tuple[Piece, ...] = ()
    left_out: int = 0

    @property
    def entry(self) -> Entry:
        entry = self.b or self.a
        assert entry is not None
        return entry


@dataclass
class ComparisonView:
    """One page of the comparison of `a` and `b`, from row `start` on, counted from 0."""

    a: Side
    b: Side
    is_exact: bool
    start: int = 0
    _budget: Budget = field(default_factory=Budget)
    _room: int = _MAX_OF_PAGE

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
    def settings(self) -> dict[str, tuple[tuple[ShownDifference, ...], int]]:
        """The differences that are not in messages by their group, and how many are left out."""
        found = compare_settings(
            self.a.completion, self.b.completion, self._budget, is_exact=self.is_exact
        )
        if self.a.choice and self.b.choice:
            choices = compare_choices(
                self.a.choice, self.b.choice, self._budget, is_exact=self.is_exact
            )
            found = {"Answer": choices, **found} if choices else found
        return {group: self._show_all(differences) for group, differences in found.items()}

    @property
    def headline(self) -> str:
        """Where the first difference is: `199 messages unchanged, then: message 200 differs`."""
        sections = self.comparison.sections
        first = next((one for one in sections if isinstance(one, Row)), None)
        unchanged = count(self.comparison.unchanged, "message")
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
        words = {"changed": "changed", "added": "only in B", "removed": "only in A"}
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
        if a is not None and b is not None:
            found = compare_messages(a.message, b.message, self._budget, is_exact=self.is_exact)
            shown, left_out = self._show_all(found)
            return ShownRow(number, row, a, b, shown, left_out=left_out)
        only = b or a
        assert only is not None
        kind: PieceKind = "inserted" if a is None else "deleted"
        return ShownRow(number, row, a, b, pieces=self._cut([(kind, _write(only.message))]))

    def _show_all(self, found: tuple[Difference, ...]) -> tuple[tuple[ShownDifference, ...], int]:
        shown = tuple(ShownDifference(one, self._cut(_split(one))) for one in found[:_MAX_OF_ONE])
        return shown, len(found) - len(shown)

    def _cut(self, pieces: Iterable[tuple[PieceKind, str]]) -> tuple[Piece, ...]:
        """Cut the pieces to the room that is left for them on the page."""
        shown: list[Piece] = []
        for kind, text in pieces:
            if kind == "left out":
                shown.append(Piece(kind, text))
                continue
            most = min(_MAX_OF_PIECE, self._room)
            self._room -= min(len(text), most)
            if begin := text[:most]:
                is_seen = kind == "equal" or not begin.isspace()
                shown.append(Piece(kind, begin if is_seen else show_blanks(begin)))
            if len(text) > most:
                shown.append(Piece("left out", f"{len(text) - most:,} more characters"))
        return tuple(shown)


def _split(difference: Difference) -> Iterator[tuple[PieceKind, str]]:
    """Yield the pieces of a text that changed, or both values."""
    if difference.text is not None:
        yield from _fold_equal(difference.text.edits)
        return
    if difference.before is not None and difference.kind != "moved":
        yield "deleted", _write_value(difference.before, difference)
    if difference.after is not None:
        kind: PieceKind = "equal" if difference.kind == "moved" else "inserted"
        yield kind, _write_value(difference.after, difference)


def _fold_equal(edits: tuple[Edit, ...]) -> Iterator[tuple[PieceKind, str]]:
    """Yield the pieces of `edits` with a few words around each change."""
    for place, edit in enumerate(edits):
        if not edit.is_equal:
            if edit.before:
                yield "deleted", edit.before
            if edit.after:
                yield "inserted", edit.after
            continue
        head = _AROUND if place else 0
        tail = _AROUND if place < len(edits) - 1 else 0
        text = edit.before
        if len(text) <= head + tail + _AROUND:
            yield "equal", text
            continue
        if head:
            yield "equal", text[:head]
        yield "left out", f"{len(text) - head - tail:,} characters unchanged"
        if tail:
            yield "equal", text[-tail:]


def _write_value(value: Value, difference: Difference) -> str:
    """Write a value as text: a string without quotation marks, unless its spelling matters."""
    is_plain = isinstance(value, String) and difference.kind != "respelled"
    return value.text if is_plain and isinstance(value, String) else indent(value)


def _write(message: Message) -> str:
    """Join all texts of a message."""
    pieces = []
    for piece in list_pieces(message):
        text = get_text(piece)
        name = getattr(piece, "name", None)
        written = text if text is not None else indent(piece.json)
        pieces.append(f"{name} {written}" if name else written)
    return "\n".join(pieces)
