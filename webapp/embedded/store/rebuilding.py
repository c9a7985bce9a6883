"""Rebuild the columns derived from the given texts, in rows that an older program has stored.

The rows are rebuilt in order, a few in each transaction, and the place is kept in the database:
a rebuild that is interrupted resumes where it stopped, and several processes can share it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, TextClause, text

from webapp.database import Database, lock_rows, report_failures
from webapp.embedded.documents.api_json import (
    serialize_completion,
    serialize_message,
    with_metadata,
)
from webapp.embedded.documents.records import index_text, parse_stored
from webapp.embedded.store.schema import mark_large
from webapp.exact_json import Object, parse
from webapp.redaction import get_logger
from webapp.timestamps import parse_time

log = get_logger("readback.embedded")

FORM: Final = 2
"""Counts the changes of `serialize_completion`, `serialize_message`, `parse_time` that alter the
stored rows; raise it with each, so that older rows are rebuilt."""

_BYTES_AT_ONCE: Final = 8 * 1024 * 1024

_PROGRESS: Final = text("SELECT form, seq FROM rebuilt")
_SET_PROGRESS: Final = text("UPDATE rebuilt SET form = :form, seq = :seq")
_NEXT_COMPLETION: Final = (
    "SELECT seq, id, wire_json, given_json FROM completions WHERE seq > :after ORDER BY seq LIMIT 1"
)
_SET_COMPLETION: Final = text(
    "UPDATE completions SET created = :created, model = :model, is_large = :is_large,"
    " wire_json = :wire_json WHERE seq = :seq"
)
_SET_CREATED: Final = tuple(
    text(f"UPDATE {table} SET created = :created WHERE completion = :seq")
    for table in ("metadata", "facts", "ends", "tags")
)
_NEXT_MESSAGE: Final = text(
    "SELECT position, id, wire_json, given_json FROM messages"
    " WHERE completion = :completion AND position > :after ORDER BY position LIMIT 1"
)
_SET_MESSAGE: Final = text(
    "UPDATE messages SET is_large = :is_large, wire_json = :wire_json"
    " WHERE completion = :completion AND position = :position"
)


def rebuild(database: Database, *, bytes_at_once: int = _BYTES_AT_ONCE) -> None:
    """Bring all rows to the current form; return at once if they have it.

    A transaction ends after the row with which it has read `bytes_at_once`.

    Raises `StoreUnavailable` if the database cannot be used now.
    """
    with report_failures(database):
        with database.reader.connect() as connection:
            form = connection.execute(_PROGRESS).scalar_one()
        while form < FORM:
            with database.exclusive.begin() as connection:
                form = _rebuild_some(connection, bytes_at_once)


def _rebuild_some(connection: Connection, bytes_at_once: int) -> int:
    """Rebuild the next rows, and return the form that all rows have then."""
    form, seq = connection.execute(_PROGRESS).one()
    if form >= FORM:
        return int(form)
    size = 0
    for row in _iter_rows(connection, lock_rows(connection, _NEXT_COMPLETION), seq, "seq"):
        seq = row.seq
        size += len(row.given_json) + _rebuild_completion(connection, row)
        if size > bytes_at_once:
            connection.execute(_SET_PROGRESS, {"form": form, "seq": seq})
            return int(form)
    connection.execute(_SET_PROGRESS, {"form": FORM, "seq": 0})
    return FORM


def _iter_rows(
    connection: Connection, statement: TextClause, after: int, key: str, **binds: object
) -> Iterator[Any]:
    """Yield the rows after `after` one by one: a single text may have 20 MB."""
    while row := connection.execute(statement, {**binds, "after": after}).one_or_none():
        after = getattr(row, key)
        yield row


def _rebuild_completion(connection: Connection, row: Any) -> int:
    """Rebuild a completion and its messages, and return the characters of its messages.

    A row that another program has damaged stays as it is.
    """
    given, stored = parse_stored(row.given_json), parse_stored(row.wire_json)
    metadata = stored.get("metadata") if isinstance(stored, Object) else None
    if not isinstance(given, Object) or metadata is None:
        log.warning("%s could not be read and stays as it was stored.", row.id)
        return 0
    fresh = parse(serialize_completion(given, row.id))
    assert isinstance(fresh, Object)
    model = given.text("model")
    created = parse_time(given.get("created")) or 0
    wire_json = with_metadata(fresh, metadata.source)
    derived = {
        "seq": row.seq,
        "created": created,
        "model": None if model is None else index_text(model),
        "is_large": mark_large(wire_json),
        "wire_json": wire_json,
    }
    # The metadata may have been replaced since; their rows are up to date.
    connection.execute(_SET_COMPLETION, derived)
    for statement in _SET_CREATED:
        connection.execute(statement, {"seq": row.seq, "created": created})
    size = 0
    for message in _iter_rows(connection, _NEXT_MESSAGE, -1, "position", completion=row.seq):
        size += len(message.given_json)
        said = parse_stored(message.given_json)
        wire_json = message.wire_json if said is None else serialize_message(said, message.id)
        if wire_json != message.wire_json:
            place = {"completion": row.seq, "position": message.position}
            built = {"is_large": mark_large(wire_json), "wire_json": wire_json}
            connection.execute(_SET_MESSAGE, place | built)
    return size
