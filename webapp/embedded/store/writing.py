"""Write the texts and metadata of completions, within a transaction of the store."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final

from sqlalchemy import Connection, text

from webapp.database import insert_rows, lock_rows
from webapp.embedded.documents.api_json import with_metadata
from webapp.embedded.documents.records import (
    CompletionRecord,
    Metadata,
    extract_pairs,
    index_text,
)
from webapp.embedded.finding.checking import queue
from webapp.embedded.store.deriving import Derived, refresh_derived, replace_metadata_rows
from webapp.embedded.store.originals import matches_original
from webapp.embedded.store.schema import mark_large
from webapp.exact_json import Object, parse

_DIGEST: Final = "SELECT digest FROM completions WHERE id = :id"
_TO_UPDATE: Final = "SELECT seq, created, wire_json FROM completions WHERE id = :id"
_LAST_SEQ: Final = text(
    # A conversation keeps its number after the completion with that `seq` was deleted.
    "SELECT max(coalesce((SELECT max(seq) FROM completions), 0),"
    " coalesce((SELECT max(conversation) FROM facts), 0))"
)
_NEXT_SEQS: Final = text("SELECT nextval('completions_seq') FROM generate_series(1, :count)")
_ADD_COMPLETION: Final = text(
    "INSERT INTO completions (seq, id, created, model, digest, is_large, wire_json, given_json,"
    " stored) VALUES (:seq, :id, :created, :model, :digest, :is_large, :wire_json, :given_json,"
    " :stored) ON CONFLICT (id) DO NOTHING"
)
_ADD_MESSAGES: Final = text(
    "INSERT INTO messages (completion, position, id, is_large, wire_json, given_json)"
    " VALUES (:completion, :position, :id, :is_large, :wire_json, :given_json)"
)
_ADD_METADATA: Final = text(
    "INSERT INTO metadata (completion, key, value, created)"
    " VALUES (:completion, :key, :value, :created)"
)
_REPLACE_WIRE: Final = text(
    "UPDATE completions SET is_large = :is_large, wire_json = :wire_json WHERE seq = :seq"
)
_TO_AMEND: Final = (
    "SELECT seq, created, wire_json FROM completions WHERE id = :id AND digest = :digest"
)
_AMEND: Final = text(
    "UPDATE completions SET model = :model, digest = :digest, is_large = :is_large,"
    " wire_json = :wire_json, given_json = :given_json WHERE seq = :seq"
)
_DELETE_METADATA: Final = text("DELETE FROM metadata WHERE completion = :seq")


class Outcome(Enum):
    """The outcome of adding one completion to the store."""

    ADDED = "added"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"


def reserve_seqs(connection: Connection, count: int) -> Sequence[int]:
    """Reserve `count` new values of `seq`, in order."""
    if connection.dialect.name == "postgresql":
        return connection.execute(_NEXT_SEQS, {"count": count}).scalars().all()
    first = connection.execute(_LAST_SEQ).scalar_one() + 1
    return range(first, first + count)


def replace_metadata(
    connection: Connection, completion_id: str, metadata: Metadata, keys: Sequence[str]
) -> str | None:
    """Replace all metadata of a completion and return its JSON, or None if there is none."""
    statement = lock_rows(connection, _TO_UPDATE)
    row = connection.execute(statement, {"id": index_text(completion_id)}).one_or_none()
    if row is None:
        return None
    stored = parse(row.wire_json)
    assert isinstance(stored, Object)
    wire_json = with_metadata(stored, metadata.json)
    replaced = {"seq": row.seq, "is_large": mark_large(wire_json), "wire_json": wire_json}
    connection.execute(_REPLACE_WIRE, replaced)
    connection.execute(_DELETE_METADATA, {"seq": row.seq})
    pairs = _iter_metadata(row.seq, row.created, metadata.pairs)
    insert_rows(connection, _ADD_METADATA, pairs)
    replace_metadata_rows(connection, row.seq, metadata.pairs, keys=keys)
    return wire_json


def add_record(connection: Connection, completion: CompletionRecord, seq: int) -> Outcome:
    """Add one completion, without its messages and metadata."""
    row = {
        "seq": seq,
        "id": completion.id,
        "created": completion.created,
        "model": completion.model,
        "digest": completion.digest,
        "is_large": mark_large(completion.wire_json),
        "wire_json": completion.wire_json,
        "given_json": completion.given_json,
        "stored": int(time.time()),
    }
    while connection.execute(_ADD_COMPLETION, row).rowcount == 0:
        # The stored one may be deleted until its row is locked.
        digest = connection.execute(lock_rows(connection, _DIGEST), {"id": completion.id}).scalar()
        if digest is not None:
            is_same = digest == completion.digest or matches_original(connection, completion)
            return Outcome.UNCHANGED if is_same else Outcome.CONFLICT
    return Outcome.ADDED


def amend_record(
    connection: Connection,
    earlier: CompletionRecord,
    later: CompletionRecord,
    keys: Sequence[str],
) -> bool:
    """Replace a completion by a later version, which has the same id, time and messages.

    Its metadata, which may have been replaced since, stay. Return False if `earlier` is not stored.
    """
    statement = lock_rows(connection, _TO_AMEND)
    binds = {"id": earlier.id, "digest": earlier.digest}
    row = connection.execute(statement, binds).one_or_none()
    if row is None:
        return False
    stored, amended = parse(row.wire_json), parse(later.wire_json)
    assert isinstance(stored, Object)
    assert isinstance(amended, Object)
    metadata = stored.get("metadata")
    wire_json = later.wire_json if metadata is None else with_metadata(amended, metadata.source)
    replaced = {
        "seq": row.seq,
        "model": later.model,
        "digest": later.digest,
        "is_large": mark_large(wire_json),
        "wire_json": wire_json,
        "given_json": later.given_json,
    }
    connection.execute(_AMEND, replaced)
    derived = Derived(row.seq, row.created, later.model, extract_pairs(metadata), later.facts)
    refresh_derived(connection, [derived], keys=keys)
    queue(connection, [row.seq])
    return True


def add_parts(connection: Connection, completions: Sequence[tuple[int, CompletionRecord]]) -> None:
    """Add the messages and metadata of completions that were added, each with its `seq`."""
    messages = (
        {
            "completion": seq,
            "position": position,
            "id": message.id,
            "is_large": mark_large(message.wire_json),
            "wire_json": message.wire_json,
            "given_json": message.given_json,
        }
        for seq, completion in completions
        for position, message in enumerate(completion.messages)
    )
    insert_rows(connection, _ADD_MESSAGES, messages)
    metadata = (
        row
        for seq, completion in completions
        for row in _iter_metadata(seq, completion.created, completion.metadata)
    )
    insert_rows(connection, _ADD_METADATA, metadata)


def _iter_metadata(
    seq: int, created: int, pairs: Sequence[tuple[str, str]]
) -> Iterator[dict[str, object]]:
    for key, value in pairs:
        yield {"completion": seq, "key": key, "value": value, "created": created}
