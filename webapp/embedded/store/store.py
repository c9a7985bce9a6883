"""The store: completions and their input messages in a database, read and written by id.

Owns transactions. Speaks JSON texts and the API's words; knows nothing of HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, TextClause, text

from webapp.database import migrate, open_database
from webapp.embedded.documents.api_json import with_metadata
from webapp.embedded.documents.records import CompletionRecord, Metadata, index_text
from webapp.embedded.store.originals import matches_original
from webapp.embedded.store.pages import JsonPage, PageRequest, UnknownCursor
from webapp.embedded.store.queries import (
    COMPLETION_CURSOR,
    MESSAGE_CURSOR,
    START,
    completions_page,
    messages_page,
)
from webapp.embedded.store.schema import SCHEMA
from webapp.exact_json import Object, parse

_RETRIEVE: Final = text("SELECT wire_json FROM completions WHERE id = :id")
_SEQ: Final = text("SELECT seq FROM completions WHERE id = :id")
_DIGEST: Final = text("SELECT digest FROM completions WHERE id = :id")
_FOR_UPDATE: Final = text("SELECT seq, created, wire_json FROM completions WHERE id = :id")
_LAST_SEQ: Final = text("SELECT coalesce(max(seq), 0) FROM completions")
_ADD_COMPLETION: Final = text(
    "INSERT INTO completions (seq, id, created, model, digest, wire_json, given_json)"
    " VALUES (:seq, :id, :created, :model, :digest, :wire_json, :given_json)"
)
_ADD_MESSAGES: Final = text(
    "INSERT INTO messages (completion, position, id, wire_json, given_json)"
    " VALUES (:completion, :position, :id, :wire_json, :given_json)"
)
_ADD_METADATA: Final = text(
    "INSERT INTO metadata (completion, key, value, created)"
    " VALUES (:completion, :key, :value, :created)"
)
_REPLACE_WIRE: Final = text("UPDATE completions SET wire_json = :wire_json WHERE seq = :seq")
_DELETE_METADATA: Final = text("DELETE FROM metadata WHERE completion = :seq")
_DELETE: Final = text("DELETE FROM completions WHERE id = :id")

_ROWS_AT_ONCE: Final = 500


class Outcome(Enum):
    """What became of a completion that was given to the store."""

    ADDED = "added"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"


class Store:
    """Stored completions in the database at `database_url`, such as `sqlite:////srv/store.db`
    or `postgresql+psycopg://readback@db.example/readback`.

    Safe to share between threads, and the database between processes. Raises `StoreError`
    when it cannot be opened. `is_new` tells whether opening it created it.
    """

    def __init__(self, database_url: str) -> None:
        self._database = open_database(database_url)
        try:
            self.is_new: Final = migrate(self._database, SCHEMA)
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        """Closes all connections; for when no other thread uses the store any more."""
        self._database.close()

    def reading(self) -> Connection:
        """A connection that sees one moment of the store, for what reads a few rows at a time."""
        return self._database.reader.connect()

    def list_completions(
        self,
        page: PageRequest,
        *,
        model: str | None = None,
        metadata: Sequence[tuple[str, str]] = (),
    ) -> JsonPage:
        """Completions by time, those of one model or with all metadata pairs if so asked.

        Raises `UnknownCursor`.
        """
        binds: dict[str, object] = {"model": index_text(model)} if model is not None else {}
        for at, (key, value) in enumerate(metadata):
            binds |= {f"key{at}": index_text(key), f"value{at}": index_text(value)}
        statement = completions_page(page.order, by_model=model is not None, pairs=len(metadata))
        with self._database.reader.connect() as connection:
            start = START[page.order], START[page.order]
            created, seq = _cursor(connection, COMPLETION_CURSOR, page, start)
            return _page(connection, statement, page, binds | {"created": created, "seq": seq})

    def retrieve_completion(self, completion_id: str) -> str | None:
        """A completion's JSON; None when there is none of this id."""
        with self._database.reader.connect() as connection:
            return connection.execute(_RETRIEVE, {"id": index_text(completion_id)}).scalar()

    def replace_metadata(self, completion_id: str, metadata: Metadata) -> str | None:
        """A completion's JSON with all of its metadata replaced; None when there is none."""
        with self._database.writer.begin() as connection:
            row = connection.execute(_FOR_UPDATE, {"id": index_text(completion_id)}).one_or_none()
            if row is None:
                return None
            stored = parse(row.wire_json)
            assert isinstance(stored, Object)
            wire_json = with_metadata(stored, metadata.json)
            connection.execute(_REPLACE_WIRE, {"seq": row.seq, "wire_json": wire_json})
            connection.execute(_DELETE_METADATA, {"seq": row.seq})
            _insert(connection, _ADD_METADATA, _pairs(row.seq, row.created, metadata.pairs))
            return wire_json

    def delete_completion(self, completion_id: str) -> bool:
        """Deletes a completion and its messages; False when there is none of this id."""
        with self._database.writer.begin() as connection:
            return connection.execute(_DELETE, {"id": index_text(completion_id)}).rowcount == 1

    def list_messages(self, completion_id: str, page: PageRequest) -> JsonPage | None:
        """A completion's input messages in their order; None when there is no such completion.

        Raises `UnknownCursor`.
        """
        with self._database.reader.connect() as connection:
            completion = connection.execute(_SEQ, {"id": index_text(completion_id)}).scalar()
            if completion is None:
                return None
            binds: dict[str, object] = {"completion": completion}
            start = (START[page.order],)
            (position,) = _cursor(connection, MESSAGE_CURSOR, page, start, binds)
            return _page(
                connection, messages_page(page.order), page, binds | {"position": position}
            )

    def add(self, completions: Sequence[CompletionRecord]) -> list[Outcome]:
        """Adds completions in one transaction and tells what became of each, in their order.

        Nothing that is stored is overwritten: the same content again changes nothing, other
        content under a stored id is a conflict.
        """
        with self._database.writer.begin() as connection:
            first = connection.execute(_LAST_SEQ).scalar_one() + 1
            return [_add(connection, one, seq) for seq, one in enumerate(completions, first)]


def _cursor(
    connection: Connection,
    statement: TextClause,
    page: PageRequest,
    start: tuple[int, ...],
    binds: Mapping[str, object] | None = None,
) -> Sequence[Any]:
    if page.after is None:
        return start
    after = {"after": index_text(page.after)}
    row = connection.execute(statement, {**(binds or {}), **after}).one_or_none()
    if row is None:
        raise UnknownCursor(page.after)
    return row


def _page(
    connection: Connection, statement: TextClause, page: PageRequest, binds: Mapping[str, object]
) -> JsonPage:
    """Asks for one row more than the page holds, to know whether there are more."""
    rows = connection.execute(statement, {**binds, "rows": page.limit + 1}).all()
    shown = rows[: page.limit]
    return JsonPage(
        ids=tuple(row.id for row in shown),
        data=tuple(row.wire_json for row in shown),
        has_more=len(rows) > page.limit,
    )


def _add(connection: Connection, completion: CompletionRecord, seq: int) -> Outcome:
    digest = connection.execute(_DIGEST, {"id": completion.id}).scalar()
    if digest is not None:
        same = digest == completion.digest or matches_original(connection, completion)
        return Outcome.UNCHANGED if same else Outcome.CONFLICT
    row = {
        "seq": seq,
        "id": completion.id,
        "created": completion.created,
        "model": completion.model,
        "digest": completion.digest,
        "wire_json": completion.wire_json,
        "given_json": completion.given_json,
    }
    connection.execute(_ADD_COMPLETION, row)
    _insert(connection, _ADD_MESSAGES, _message_rows(seq, completion))
    _insert(connection, _ADD_METADATA, _pairs(seq, completion.created, completion.metadata))
    return Outcome.ADDED


def _message_rows(seq: int, completion: CompletionRecord) -> Iterator[dict[str, object]]:
    for position, message in enumerate(completion.messages):
        yield {
            "completion": seq,
            "position": position,
            "id": message.id,
            "wire_json": message.wire_json,
            "given_json": message.given_json,
        }


def _pairs(seq: int, created: int, pairs: Sequence[tuple[str, str]]) -> Iterator[dict[str, object]]:
    for key, value in pairs:
        yield {"completion": seq, "key": key, "value": value, "created": created}


def _insert(
    connection: Connection, statement: TextClause, rows: Iterable[dict[str, object]]
) -> None:
    """A few at a time: the driver keeps several copies of what it is given at once."""
    rows = iter(rows)
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        connection.execute(statement, some)
