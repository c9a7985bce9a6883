"""Notes of readers on messages, ranges of them and answers; they are not part of the completion.

Each note is kept for the server that its completion is read from. Times are stored in
milliseconds since 1970.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text, text

from webapp.database import DATABASE_ERRORS, DatabaseOpener, Schema
from webapp.exact_json import Object, Value
from webapp.redaction import get_logger

log = get_logger("readback")

MAX_NOTES: Final = 200
"""On one completion; all of them are on one page."""
MAX_CHARACTERS: Final = 4_000
"""Of a note."""

_VERSION_1: Final = MetaData()

Table(
    "notes",
    _VERSION_1,
    Column("id", Text, primary_key=True),
    # The server that the completion is read from; see `webapp.pins.name_place`.
    Column("place", Text, nullable=False),
    Column("completion", Text, nullable=False),
    Column("first", Integer),
    Column("last", Integer),
    Column("choice", Integer),
    Column("author", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("edited", BigInteger),
    Column("text", Text, nullable=False),
    Index("notes_by_completion", "place", "completion", "created", "id"),
)

SCHEMA: Final = Schema(steps=(partial(_VERSION_1.create_all, checkfirst=False),), prefix="note_")

_COLUMNS: Final = "id, author, name, created, edited, text, first, last, choice"
_OF: Final = "FROM notes WHERE place = :place AND completion = :completion"
_LIST: Final = text(f"SELECT {_COLUMNS} {_OF} ORDER BY created, id")
_STATE: Final = text(f"SELECT count(*), max(created), max(edited) {_OF}")
_COUNT: Final = text(f"SELECT count(*) {_OF}")
_FIND: Final = text(f"SELECT {_COLUMNS} {_OF} AND id = :id")
_ADD: Final = text(
    f"INSERT INTO notes (place, completion, {_COLUMNS}) VALUES (:place, :completion, :id, :author,"
    " :name, :created, NULL, :text, :first, :last, :choice)"
)
_EDIT: Final = text(
    "UPDATE notes SET text = :text, edited = :edited"
    " WHERE place = :place AND completion = :completion AND id = :id"
)
_REMOVE: Final = text(f"DELETE {_OF} AND id = :id")
_REMOVE_ALL: Final = text(f"DELETE {_OF}")

MEMBER: Final = "readback_notes"
"""The member of a shared completion that has its notes."""

__all__ = [
    "MEMBER",
    "MAX_CHARACTERS",
    "MAX_NOTES",
    "SCHEMA",
    "Note",
    "Notes",
    "read_notes",
    "write_notes",
]


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


class Notes:
    """The notes on the completions of one `place`. `now` returns unix seconds.

    Changes and `find` raise `StoreError` or an error of the database. A page can do without notes,
    so listing them raises nothing: while the database is down, the list is empty.
    """

    def __init__(
        self, database: DatabaseOpener, place: str, *, now: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._place = place
        self._now = now

    def list(self, completion_id: str) -> tuple[Note, ...]:
        """List the notes on a completion, the earliest first."""
        try:
            with self._database.get().reader.connect() as connection:
                rows = connection.execute(_LIST, self._bind(completion_id))
                return tuple(_read(row) for row in rows)
        except DATABASE_ERRORS as error:
            log.warning("notes cannot be looked up: %s", type(error).__name__)
            return ()

    def find_state(self, completion_id: str) -> tuple[int | None, ...]:
        """Find a value that changes with the notes on a completion."""
        try:
            (row,) = self._database.get().look_up(_STATE, self._bind(completion_id))
            return tuple(row)
        except DATABASE_ERRORS:
            return ()

    def find(self, completion_id: str, note_id: str) -> Note | None:
        with self._database.get().reader.connect() as connection:
            binds = self._bind(completion_id) | {"id": note_id}
            row = connection.execute(_FIND, binds).one_or_none()
        return None if row is None else _read(row)

    def add(self, completion_id: str, note: Note) -> Note | None:
        """Add a note with a new id and the current time; return None if there are too many."""
        now = int(self._now() * 1000)
        added = replace(note, id=secrets.token_hex(8))
        binds = self._bind(completion_id)
        with self._database.get().exclusive.begin() as connection:
            if connection.execute(_COUNT, binds).scalar_one() >= MAX_NOTES:
                return None
            values = {name: getattr(added, name) for name in _COLUMNS.split(", ")}
            connection.execute(_ADD, binds | values | {"created": now})
        return replace(added, created=now // 1000)

    def edit(self, completion_id: str, note_id: str, text: str) -> None:
        """Replace the text of a note, if it was not deleted meanwhile."""
        binds = self._bind(completion_id) | {"id": note_id}
        with self._database.get().exclusive.begin() as connection:
            connection.execute(_EDIT, binds | {"text": text, "edited": int(self._now() * 1000)})

    def remove(self, completion_id: str, note_id: str) -> None:
        binds = self._bind(completion_id) | {"id": note_id}
        with self._database.get().exclusive.begin() as connection:
            connection.execute(_REMOVE, binds)

    def remove_all(self, completion_id: str) -> int:
        """Remove the notes on a completion that is deleted; return their number."""
        with self._database.get().exclusive.begin() as connection:
            return connection.execute(_REMOVE_ALL, self._bind(completion_id)).rowcount

    def _bind(self, completion_id: str) -> dict[str, Any]:
        return {"place": self._place, "completion": completion_id}


def _read(row: Any) -> Note:
    """Read the note of a row, whose times are in milliseconds."""
    values = row._asdict()
    edited = values.pop("edited")
    created = values.pop("created") // 1000
    return Note(**values, created=created, edited=None if edited is None else edited // 1000)
