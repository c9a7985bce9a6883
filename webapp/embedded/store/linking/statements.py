"""Queries that find stored completions by the digests that they share with others."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, text

from webapp.embedded.documents.chains import End

PLACES: Final = (
    ("facts", "input", f"{End.INPUT:d}"),
    ("facts", "answer", f"{End.ANSWER:d}"),
    ("ends", "hash", "is_answer"),
)
"""Of the stored digests by which completions are found: a table, its column, and their kind.

An older program kept all of them in `ends`; those of facts are filled later, in batches.
"""

# Queries for all completions of a batch at once, since most have few relatives.
STORED_ENDS: Final = (
    "SELECT value FROM ({{listed}}) AS l WHERE coalesce({found}) IS NOT NULL"
).format(
    found=", ".join(
        f"(SELECT 1 FROM {table} WHERE {digest} = value LIMIT 1)" for table, digest, _ in PLACES
    )
)
DEPTHS: Final = (
    "SELECT value, (SELECT max(depth) FROM facts WHERE opening = value) AS depth"
    " FROM ({listed}) AS l"
)
TAKEN: Final = (
    "SELECT value FROM ({listed}) AS l"
    " WHERE EXISTS (SELECT 1 FROM facts WHERE conversation = value)"
)
ENDS: Final = text(
    "SELECT s.created, s.completion, s.kind, f.conversation, c.model FROM ("
    + " UNION ALL ".join(
        f"SELECT * FROM (SELECT created, completion, {kind} AS kind FROM {table}"
        f" WHERE {digest} = :hash AND created <= :latest AND {kind} <> {End.SOUGHT:d}"
        f" ORDER BY created DESC, completion DESC LIMIT :rows) AS s"
        for table, digest, kind in PLACES
    )
    + ") AS s"
    " JOIN facts AS f ON f.completion = s.completion JOIN completions AS c ON c.seq = s.completion"
    " ORDER BY s.created DESC, s.completion DESC LIMIT :rows"
)
# Of those within the time, all before a completion are tries of one, and so are all after it,
# unless their metadata name several conversations.
SAME_INPUT: Final = text(
    " UNION ".join(
        f"SELECT * FROM (SELECT e.completion, f.conversation FROM {table} AS e"
        " JOIN facts AS f ON f.completion = e.completion"
        f" JOIN completions AS c ON c.seq = e.completion WHERE e.{digest} = :hash"
        f" AND e.created BETWEEN :least AND :most AND {kind} = {End.INPUT:d} AND c.model = :model"
        f" AND f.parent IS NULL ORDER BY e.created {order} LIMIT :rows) AS s"
        for table, digest, kind in PLACES
        for order in ("ASC", "DESC")
    )
)
PAIRS: Final = text(
    "SELECT completion, key, value FROM metadata WHERE completion IN :seqs"
).bindparams(bindparam("seqs", expanding=True))
SYSTEMS: Final = text("SELECT completion, system FROM facts WHERE completion IN :seqs").bindparams(
    bindparam("seqs", expanding=True)
)
RUNS: Final = text(
    "SELECT completion, hash, is_answer FROM ends WHERE completion IN :seqs"
    f" AND is_answer IN ({End.RUN:d}, {End.SOUGHT:d})"
).bindparams(bindparam("seqs", expanding=True))
MEMBER: Final = (
    "SELECT f.completion, f.created, f.conversation, f.hashes, f.parent, f.parent_depth, c.model,"
    " p.created AS parent_created, p.model AS parent_model, g.opening AS parent_opening, f.opening,"
    " g.depth AS parent_count"
    " FROM facts AS f JOIN completions AS c ON c.seq = f.completion"
    " LEFT JOIN completions AS p ON p.seq = f.parent"
    " LEFT JOIN facts AS g ON g.completion = f.parent"
)
LATER: Final = text(
    f"{MEMBER} WHERE f.opening = :opening AND f.depth > :depth AND f.parent_depth <= :depth + 1"
    " ORDER BY f.depth LIMIT :rows"
)
SOUGHT: Final = text(
    f"{MEMBER} JOIN ends AS e ON e.completion = f.completion WHERE e.hash = :hash"
    f" AND e.is_answer = {End.SOUGHT:d} AND e.created BETWEEN :least AND :most"
    " ORDER BY e.created LIMIT :rows"
)
AS_DEEP: Final = text(
    "SELECT f.created, f.completion, f.conversation, c.model, f.hashes FROM facts AS f"
    " JOIN completions AS c ON c.seq = f.completion"
    " WHERE f.opening = :opening AND f.depth = :depth AND f.created <= :latest"
    " ORDER BY f.created DESC, f.completion DESC LIMIT :rows"
)
HAS_ANSWER: Final = text(
    " UNION ALL ".join(
        f"SELECT 1 FROM {table} WHERE completion = :seq AND {digest} = :hash"
        f" AND {kind} = {End.ANSWER:d}"
        for table, digest, kind in PLACES
    )
    + " LIMIT 1"
)
MEMBERS: Final = text("SELECT completion, parent FROM facts WHERE conversation = :conversation")
SESSION: Final = text(
    "SELECT f.conversation FROM metadata AS m JOIN facts AS f ON f.completion = m.completion"
    " WHERE m.key = :key AND m.value = :value AND m.completion <> :seq"
    " ORDER BY m.created DESC, m.completion DESC LIMIT 1"
)
CHILDREN: Final = text(
    "SELECT hashes FROM facts WHERE conversation = :conversation AND parent = :parent LIMIT :rows"
)
PARENT: Final = text(
    "SELECT f.parent, p.created FROM facts AS f JOIN completions AS p ON p.seq = f.parent"
    " WHERE f.completion = :seq"
)
CONVERSATION: Final = text("SELECT conversation FROM facts WHERE completion = :seq")
