"""A note, and its form in the snapshot of a share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from webapp.exact_json import Object, Value

MEMBER: Final = "readback_notes"
"""The member of a shared completion that has its notes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A note on the input messages `first` to `last`, on an answer, or on the transcript.

    Messages are numbered from 1, and so are the answers, by `choice`. Without any of them the note
    is on the transcript as a whole. `author` is the identity of the reader who wrote it, `name`
    is for people to read. Times are in unix seconds; `edited` is None if it never was.
    """

    id: str
    author: str
    name: str
    created: int
    edited: int | None = None
    text: str
    first: int | None = None
    last: int | None = None
    choice: int | None = None

    @property
    def place(self) -> str:
        """The place in words: `message 9`, `messages 9 to 15`, `the answer`, `the transcript`."""
        if self.first is None:
            if self.choice is None:
                return "the transcript"
            return "the answer" if self.choice == 1 else f"choice {self.choice}"
        if self.last is None or self.last == self.first:
            return f"message {self.first:,}"
        return f"messages {self.first:,} to {self.last:,}"


def write_notes(notes: Sequence[Note]) -> str:
    """Write notes as JSON for a snapshot, without the identities of their authors."""
    return json.dumps(
        [
            {
                "first": one.first,
                "last": one.last,
                "choice": one.choice,
                "name": one.name,
                "created": one.created,
                "edited": one.edited,
                "text": one.text,
            }
            for one in notes
        ]
    )


def read_notes(completion: Value) -> tuple[Note, ...]:
    """Read the notes in a shared completion; everything else is left out."""
    items = completion.items(MEMBER) if isinstance(completion, Object) else None
    return tuple(
        Note(
            id=f"shared-{at}",
            author="",
            name=item.text("name") or "",
            created=item.integer("created") or 0,
            edited=item.integer("edited"),
            text=item.text("text") or "",
            first=item.integer("first"),
            last=item.integer("last"),
            choice=item.integer("choice"),
        )
        for at, item in enumerate(items or ())
        if isinstance(item, Object)
    )
