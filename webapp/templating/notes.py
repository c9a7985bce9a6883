"""The notes on a transcript, for readers who have logged in, and in shares that have them."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from webapp.access import ANYONE, find_reader
from webapp.access.reader import LOCAL
from webapp.caching.inputs import read_input
from webapp.completions import Completion
from webapp.notes import Note, read_notes
from webapp.services import services
from webapp.transcript import Entry


@dataclass(frozen=True, slots=True)
class PageNotes:
    """The notes on a transcript, by the place that they are shown at."""

    notes: tuple[Note, ...]

    @property
    def of_whole(self) -> tuple[Note, ...]:
        return tuple(one for one in self.notes if one.first is None and one.choice is None)

    def at(self, entry: Entry) -> tuple[Note, ...]:
        """List the notes to show beside a message: those that begin with it."""
        if entry.choice is not None:
            return tuple(one for one in self.notes if one.choice == entry.choice_number)
        if entry.number is None:
            return ()
        return tuple(one for one in self.notes if one.first == entry.number)

    def count_in_lines(self, starts: Sequence[int | None]) -> Counter[int]:
        """Count the notes in each line of an outline, by the number it starts with."""
        numbers = [one for one in starts if one is not None]
        places = (bisect_right(numbers, one.first) for one in self.notes if one.first is not None)
        return Counter(numbers[place - 1] for place in places if place)


def may_note() -> bool:
    """Return whether the reader has an identity, and so reads and writes notes."""
    found, reader = services(), find_reader()
    if found.share is not None or found.notes is None or reader is None:
        return False
    return reader.way not in (ANYONE.way, LOCAL.way)


def may_change_note(note: Note) -> bool:
    """Return whether the reader may edit and delete a note."""
    reader = find_reader()
    if reader is None or not may_note():
        return False
    return reader.administrator or reader.identity == note.author


def list_notes(completion_id: str) -> tuple[Note, ...]:
    """List the notes on a completion, none for readers who do not read notes."""
    store = services().notes
    return store.list(completion_id) if store is not None and may_note() else ()


def find_notes(completion_id: str, completion: Completion | None) -> PageNotes | None:
    """Find the notes on a transcript as an input of the page; None if it has none to show."""
    if services().share is not None:
        found = read_notes(completion.json) if completion is not None else ()
        return PageNotes(found) if found else None
    store = services().notes
    if store is None or not may_note():
        return None
    # Before the notes themselves: a change in between must differ from what was noted.
    read_input(partial(store.find_state, completion_id))
    return PageNotes(store.list(completion_id))
