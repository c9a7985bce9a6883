"""Rebuild completions exactly as imported, with their current metadata.

Reads over a connection, a few rows at a time; knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import Final

from sqlalchemy import Connection, text

from webapp.embedded.documents.api_json import (
    join_lines,
    one_line_source,
    strip_whitespace,
    write_given_completion,
)
from webapp.embedded.documents.records import CompletionRecord, index_text
from webapp.embedded.finding.filters import build_selection
from webapp.embedded.finding.walking import ListCursor, walk
from webapp.embedded.store.queries import COMPLETION_IDS, MESSAGES_GIVEN, START
from webapp.exact_json import list_slots, parse

_COMPLETION: Final = text("SELECT seq, wire_json, given_json FROM completions WHERE id = :id")
_COUNT: Final = text(
    "SELECT coalesce(max(position) + 1, 0) FROM messages"
    " WHERE completion = (SELECT seq FROM completions WHERE id = :id)"
)

_KEYS_AT_ONCE: Final = 500
_MESSAGES_AT_ONCE: Final = 10
"""A message may have 20 MB."""

MAX_REMEMBERED: Final = 8_192
"""Characters of texts whose form as given is remembered. With that form, which is as long, those of
512 completions have 8 million characters at most, of up to four bytes."""


@dataclass(frozen=True, slots=True)
class Key:
    """The id of a completion with its sort key."""

    id: str
    created: int
    seq: int


START_KEY: Final = Key("", START["asc"], START["asc"])
"""A key before all others."""


def read_keys_after(
    connection: Connection,
    after: Key,
    *,
    model: str | None = None,
    metadata: Sequence[tuple[str, str]] = (),
) -> list[Key]:
    """Read the page of keys after `after`, oldest first, of completions that pass the filters.

    The list is empty after the last one.
    """
    places = walk(
        connection,
        build_selection(model=model, metadata=metadata),
        order="asc",
        after=ListCursor(None, after.created, after.seq),
        rows=_KEYS_AT_ONCE,
        is_bounded=False,
    ).places
    if not places:
        return []
    rows = connection.execute(COMPLETION_IDS, {"seqs": [one.seq for one in places]})
    ids: dict[int, str] = {row.seq: row.id for row in rows}
    return [Key(ids[one.seq], one.created, one.seq) for one in places]


def iter_original_json(connection: Connection, completion_id: str) -> Iterator[str]:
    """Yield a completion as one line of JSON, in pieces; nothing if there is none of this id."""
    row = connection.execute(_COMPLETION, {"id": index_text(completion_id)}).one_or_none()
    if row is None:
        return
    head = _restore_head(row.given_json, row.wire_json)
    messages = {slot.name.text: slot for slot in list_slots(head)}["messages"]
    yield head[: messages.start + 1]
    for position, message in enumerate(_iter_messages(connection, row.seq)):
        yield f",{message}" if position else message
    yield head[messages.end - 1 :]


def write_as_given(given_json: str, wire_json: str, completion_id: str) -> str:
    """Write a completion as it was given, without its messages, with its current metadata."""
    if len(given_json) + len(wire_json) > MAX_REMEMBERED:
        return write_given_completion(_restore_head(given_json, wire_json), completion_id)
    return _write_small(given_json, wire_json, completion_id)


@lru_cache(maxsize=512)
def _write_small(given_json: str, wire_json: str, completion_id: str) -> str:
    """Write a small completion as it was given; lists and pages ask for the same ones again."""
    return write_given_completion(_restore_head(given_json, wire_json), completion_id)


def matches_original(connection: Connection, completion: CompletionRecord) -> bool:
    """Return whether `completion` equals the stored one of its id, apart from white space.

    Their texts are compared, and not their digests: that of the stored one is from its import, and
    no longer fits if its metadata were replaced since.
    """
    row = connection.execute(_COMPLETION, {"id": completion.id}).one()
    head = _restore_head(row.given_json, row.wire_json)
    if strip_whitespace(head) != strip_whitespace(completion.given_json):
        return False
    pairs = zip_longest(_iter_messages(connection, row.seq), completion.messages)
    return all(
        stored is not None
        and other is not None
        and strip_whitespace(stored) == strip_whitespace(other.given_json)
        for stored, other in pairs
    )


def count_messages(connection: Connection, completion_id: str) -> int:
    """Count the input messages of a completion, by one seek; 0 if it does not exist."""
    return int(connection.execute(_COUNT, {"id": index_text(completion_id)}).scalar_one())


def _iter_messages(connection: Connection, seq: int) -> Iterator[str]:
    options = {"yield_per": _MESSAGES_AT_ONCE}
    with connection.execute(MESSAGES_GIVEN, {"completion": seq}, execution_options=options) as rows:
        yield from (join_lines(row.given_json) for row in rows)


def _restore_head(given_json: str, wire_json: str) -> str:
    """Restore the imported text without its messages, with the current metadata.

    If the metadata were replaced, the id is added to a text that had none: it was made from the
    old content, and another one would be made from the new content.
    """
    head = join_lines(given_json)
    stored = {slot.name.text: wire_json[slot.start : slot.end] for slot in list_slots(wire_json)}
    original = {slot.name.text: slot for slot in list_slots(head)}
    metadata, old = stored["metadata"], original.get("metadata")
    given = "null" if old is None else head[old.start : old.end]
    if metadata == ("{}" if given == "null" else one_line_source(parse(given))):
        return head
    own_id = original.get("id")
    has_id = own_id is not None and head[own_id.start : own_id.end] != "null"
    if old is None:
        head = f'{head[:-1]},"metadata":{metadata}}}'
    else:
        head = f"{head[: old.start]}{metadata}{head[old.end :]}"
    if not has_id:
        head = f'{head[:-1]},"id":{stored["id"]}}}'
    return head
