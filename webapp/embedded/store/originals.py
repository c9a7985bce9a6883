"""What was given to the store, given back: the exact texts, with the metadata of today.

Owns the reading of given texts over a connection, a few rows at a time, and the rule by which a
line that was written is known again. Knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from sqlalchemy import Connection, text

from webapp.embedded.documents.api_json import one_line, strip_whitespace, written
from webapp.embedded.documents.records import CompletionRecord, index_text
from webapp.embedded.store.queries import START, completion_keys
from webapp.exact_json import Null, Object, Value, parse

_COMPLETION: Final = text("SELECT seq, wire_json, given_json FROM completions WHERE id = :id")
_MESSAGES: Final = text(
    "SELECT given_json FROM messages WHERE completion = :completion ORDER BY position"
)
_COUNT: Final = text(
    "SELECT coalesce(max(position) + 1, 0) FROM messages"
    " WHERE completion = (SELECT seq FROM completions WHERE id = :id)"
)

_KEYS_AT_ONCE: Final = 500
_MESSAGES_AT_ONCE: Final = 10
"""A message may have 20 MB."""


@dataclass(frozen=True, slots=True)
class Key:
    """A completion's id, and its place among all of them."""

    id: str
    created: int
    seq: int


START_KEY: Final = Key("", START["asc"], START["asc"])
"""Before all others."""


def keys_after(
    connection: Connection,
    after: Key,
    *,
    model: str | None = None,
    metadata: Sequence[tuple[str, str]] = (),
) -> list[Key]:
    """The keys that follow `after` in time, of all completions or of those that pass the filters.

    No more than a page of them; an empty list is the end.
    """
    statement = completion_keys(by_model=model is not None, pairs=len(metadata))
    binds: dict[str, object] = {"created": after.created, "seq": after.seq, "rows": _KEYS_AT_ONCE}
    if model is not None:
        binds["model"] = index_text(model)
    for at, (key, value) in enumerate(metadata):
        binds |= {f"key{at}": index_text(key), f"value{at}": index_text(value)}
    return [Key(*row) for row in connection.execute(statement, binds)]


def iter_original_json(connection: Connection, completion_id: str) -> Iterator[str]:
    """A completion as one line of JSON, in pieces; none when there is none of this id."""
    row = connection.execute(_COMPLETION, {"id": index_text(completion_id)}).one_or_none()
    if row is None:
        return
    head = _head(row.given_json, row.wire_json)
    messages = _value(parse(head), "messages")
    yield head[: messages.start + 1]
    for position, message in enumerate(_messages(connection, row.seq)):
        yield f",{message}" if position else message
    yield head[messages.end - 1 :]


def matches_original(connection: Connection, completion: CompletionRecord) -> bool:
    """Whether `completion` is what `iter_original_json` gives of the stored one with its id.

    Its digest is another one than the stored one's when metadata were replaced since.
    """
    row = connection.execute(_COMPLETION, {"id": completion.id}).one()
    head = _head(row.given_json, row.wire_json)
    if strip_whitespace(head) != strip_whitespace(completion.given_json):
        return False
    pairs = zip_longest(_messages(connection, row.seq), completion.messages)
    return all(
        stored is not None
        and given is not None
        and strip_whitespace(stored) == strip_whitespace(given.given_json)
        for stored, given in pairs
    )


def count_messages(connection: Connection, completion_id: str) -> int:
    """How many input messages a completion has, by one seek; 0 when there is no such one."""
    return int(connection.execute(_COUNT, {"id": index_text(completion_id)}).scalar_one())


def _messages(connection: Connection, seq: int) -> Iterator[str]:
    options = {"yield_per": _MESSAGES_AT_ONCE}
    with connection.execute(_MESSAGES, {"completion": seq}, execution_options=options) as rows:
        yield from (one_line(row.given_json) for row in rows)


def _head(given_json: str, wire_json: str) -> str:
    """The given text without its messages, as it would be given now.

    Unless metadata were replaced it is as it was. Otherwise they stand in the place of the old
    ones, and the id is said even where it was not: it was made from the old content.
    """
    head = one_line(given_json)
    given, stored = parse(head), parse(wire_json)
    metadata = _value(stored, "metadata").source
    old = given.get("metadata") if isinstance(given, Object) else None
    if _wire_metadata(old) == metadata:
        return head
    if old is None:
        head = f'{head[:-1]},"metadata":{metadata}}}'
    else:
        head = f"{head[: old.start]}{metadata}{head[old.end :]}"
    return _with_id(head, _value(stored, "id").source)


def _wire_metadata(given: Value | None) -> str:
    return "{}" if given is None or isinstance(given, Null) else written(given)


def _with_id(head: str, completion_id: str) -> str:
    given = parse(head)
    own = given.get("id") if isinstance(given, Object) else None
    if own is not None and not isinstance(own, Null):
        return head
    return f'{head[:-1]},"id":{completion_id}}}'


def _value(json: Value, name: str) -> Value:
    value = json.get(name) if isinstance(json, Object) else None
    if value is None:
        raise ValueError(f"a stored completion has `{name}`")
    return value
