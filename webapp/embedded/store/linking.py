"""Find the conversation that a completion belongs to, and the completion that it continues.

A completion continues another if its messages begin with the other's, best if the other's answer
follows. They may come in any order: an earlier request may be stored after a later one.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, TextClause, text

from webapp.embedded.documents.facts import Chain

RETRY_SECONDS: Final = 600
"""Two equal requests that begin a conversation are tries of one if no more time is between."""
_MOST_CANDIDATES: Final = 500

# The deepest of the digests at which a stored completion ends. `key` is its place in the list.
_DEEPEST: Final = {
    "sqlite": text(
        "SELECT key, value AS hash FROM json_each(:hashes)"
        " WHERE EXISTS (SELECT 1 FROM ends WHERE hash = value) ORDER BY key DESC"
    ),
    "postgresql": text(
        "SELECT key - 1 AS key, value AS hash FROM"
        " unnest(CAST(:hashes AS bigint[])) WITH ORDINALITY AS listed (value, key)"
        " WHERE EXISTS (SELECT 1 FROM ends WHERE hash = value) ORDER BY key DESC"
    ),
}
_END: Final = (
    "SELECT e.completion, e.is_answer, f.conversation FROM ends AS e"
    " JOIN facts AS f ON f.completion = e.completion WHERE e.hash = :hash AND {}"
    " ORDER BY e.created {}, e.completion {} LIMIT 1"
)
_END_BEFORE: Final = text(_END.format("e.created <= :created", "DESC", "DESC"))
_END_AFTER: Final = text(_END.format("e.created > :created", "ASC", "ASC"))
_SAME_INPUT: Final = text(
    "SELECT f.conversation FROM ends AS e JOIN facts AS f ON f.completion = e.completion"
    " WHERE e.hash = :hash AND e.created BETWEEN :least AND :most AND e.is_answer = 0 LIMIT 1"
)
_LATER: Final = text(
    "SELECT f.completion, f.created, f.conversation, f.hashes, f.parent, f.parent_depth,"
    " p.created AS parent_created FROM facts AS f LEFT JOIN facts AS p ON p.completion = f.parent"
    " WHERE f.opening = :opening AND f.depth > :depth AND f.parent_depth <= :depth + 1"
    " ORDER BY f.depth LIMIT :rows"
)
_ADOPT: Final = text(
    "UPDATE facts SET parent = :parent, parent_depth = :depth WHERE completion = :completion"
)
_JOIN: Final = text("UPDATE facts SET conversation = :kept WHERE conversation = :joined")
_SESSION: Final = text(
    "SELECT f.conversation FROM metadata AS m JOIN facts AS f ON f.completion = m.completion"
    " WHERE m.key = :key AND m.value = :value AND m.completion <> :seq"
    " ORDER BY m.created DESC, m.completion DESC LIMIT 1"
)
_CONVERSATION: Final = text("SELECT conversation FROM facts WHERE completion = :seq")


@dataclass(frozen=True, slots=True)
class Link:
    """The conversation of a completion, and the one that it continues, if any.

    The first `depth` messages are those of the parent, with its answer if that is repeated.
    """

    conversation: int
    parent: int | None = None
    depth: int = 0


def find_link(connection: Connection, chain: Chain, *, seq: int, created: int) -> Link:
    """Return the link of a completion that is not stored yet.

    Completions that continue it and were stored before become part of its conversation.
    """
    parent = _find_parent(connection, chain, created)
    conversations = {seq}
    if parent is not None:
        conversations.add(parent.conversation)
    elif chain.hashes and not chain.is_weak and created:
        binds = {
            "hash": chain.end,
            "least": created - RETRY_SECONDS,
            "most": created + RETRY_SECONDS,
        }
        conversations.update(connection.execute(_SAME_INPUT, binds).scalars())
    conversations |= _adopt_later(connection, chain, seq, created)
    conversation = _merge(connection, conversations)
    if parent is None:
        return Link(conversation)
    return Link(conversation, parent.parent, parent.depth)


def join_session(
    connection: Connection, seq: int, conversation: int | None, pairs: Sequence[tuple[str, str]]
) -> None:
    """Join the conversation of `seq` with those that have one of the metadata `pairs`."""
    for key, value in pairs:
        binds = {"key": key, "value": value, "seq": seq}
        other = connection.execute(_SESSION, binds).scalar()
        if other is None:
            continue
        if conversation is None:
            conversation = connection.execute(_CONVERSATION, {"seq": seq}).scalar()
        if conversation is not None:
            conversation = _merge(connection, {conversation, other})


def pack_hashes(hashes: Sequence[int]) -> bytes:
    """Return the digests as bytes, eight for each."""
    return struct.pack(f">{len(hashes)}q", *hashes)


def unpack_hashes(packed: bytes) -> Sequence[int]:
    """Return the digests in `packed`."""
    return struct.unpack(f">{len(packed) // 8}q", packed)


def _find_parent(connection: Connection, chain: Chain, created: int) -> Link | None:
    """Return the completion with the longest beginning of the messages; the latest, if several."""
    if len(chain.hashes) < 2:
        return None
    found = connection.execute(
        _DEEPEST[connection.dialect.name], {"hashes": _bind_hashes(connection, chain.hashes[:-1])}
    )
    for at, hashed in found.all():
        end = _find_end(connection, hashed, created)
        if end is not None and (at > 0 or end.is_answer or not chain.is_weak):
            return Link(end.conversation, end.completion, at + 1)
    return None


def _find_end(connection: Connection, hashed: int, created: int) -> Any:
    binds = {"hash": hashed, "created": created}
    statements: tuple[TextClause, ...] = (_END_BEFORE, _END_AFTER)
    rows = (connection.execute(statement, binds).one_or_none() for statement in statements)
    return next((row for row in rows if row is not None), None)


def _adopt_later(connection: Connection, chain: Chain, seq: int, created: int) -> set[int]:
    """Become the parent of stored completions that continue this one; return their conversations.

    Those that already continue a longer beginning of theirs, or a later try, keep their parent.
    """
    if not chain.hashes:
        return set()
    at = len(chain.hashes)
    binds = {"opening": chain.opening, "depth": at, "rows": _MOST_CANDIDATES}
    conversations = set()
    for later in connection.execute(_LATER, binds).all():
        hashes = unpack_hashes(later.hashes)
        repeats_answer = hashes[at] in chain.answers
        if hashes[at - 1] != chain.end or (chain.is_weak and at == 1 and not repeats_answer):
            continue
        depth = at + repeats_answer
        offered = (depth, *_rank(created, later.created), seq)
        if later.parent_created is None or offered > (
            later.parent_depth,
            *_rank(later.parent_created, later.created),
            later.parent,
        ):
            adopted = {"parent": seq, "depth": depth, "completion": later.completion}
            connection.execute(_ADOPT, adopted)
        conversations.add(later.conversation)
    return conversations


def _rank(created: int, child: int) -> tuple[bool, int]:
    """Rank parents of equal depth: the last before the child, else the first after it."""
    return (True, created) if created <= child else (False, -created)


def _merge(connection: Connection, conversations: set[int]) -> int:
    """Make one conversation of several, and return it."""
    kept = min(conversations)
    for joined in sorted(conversations - {kept}):
        connection.execute(_JOIN, {"kept": kept, "joined": joined})
    return kept


def _bind_hashes(connection: Connection, hashes: Sequence[int]) -> object:
    if connection.dialect.name == "postgresql":
        return list(hashes)
    return "[" + ",".join(map(str, hashes)) + "]"
