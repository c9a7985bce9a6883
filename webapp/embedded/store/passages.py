"""Store the passages that searches read, and build the index of trigrams for large stores.

A row and its entries in indexes take more bytes than most texts, so the passages of one completion
and scope share rows. In PostgreSQL these are of `unindexed_passages` until they are moved to
`passage_groups`, and `passages` is a view of single passages. In SQLite they are of `passages`:
`position` is that of the first passage of a row, `further` are those of the others. A row that an
older program has written holds one passage.

The index is built after the adds, a few rows in each transaction. Rows that are not in it yet are
few, and are read by every search. An older program let them wait in `passage_groups`, too, where
they are not marked with `is_indexed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Final

from sqlalchemy import Connection, TextClause, bindparam, text

from webapp.database import Database, insert_whole, retry_deadlocks
from webapp.embedded.documents.facts import Passage
from webapp.embedded.documents.passages import GROUP_SEPARATOR, Scope

_CHARACTERS_AT_ONCE: Final = 256 * 1024
"""In SQLite, writers wait for a transaction of this size, some 30 ms."""
_PASSAGES_AT_ONCE: Final = 4_000
_GROUPS_AT_ONCE: Final = 100
_MAX_GROUP: Final = {"sqlite": 4 * 1024, "postgresql": 64 * 1024}
"""Characters after which a group ends, by dialect; a text of as many has a row of its own, which
searches need not divide. PostgreSQL compresses long ones. SQLite does not, and looks through all
texts that have the trigrams of a term."""

TABLES: Final = {
    "sqlite": ("passages",),
    "postgresql": ("unindexed_passages", "passage_groups"),
}
"""The tables of passages, by dialect: rows are added to the first, and go on to the next.

Rows are deleted in this order, so that none is missed that is moved meanwhile.
"""
UNINDEXED: Final = {
    "sqlite": "passages WHERE id > (SELECT indexed FROM derived)",
    "postgresql": (
        "(SELECT completion FROM unindexed_passages UNION ALL"
        " SELECT completion FROM passage_groups WHERE NOT is_indexed) AS waiting"
    ),
}
"""The rows that the index does not have yet, by dialect, after FROM."""

_GROUP_COLUMNS: Final = {
    "sqlite": ("scope", "position", "further", "text"),
    "postgresql": ("scope", "positions", "text"),
}
_FIND: Final = (
    "SELECT completion, position, scope, {columns} FROM passages WHERE completion IN :seqs"
    " AND scope IN :scopes AND {contains}"
)
_FOUND: Final = {
    "sqlite": "further, CASE WHEN further <> '' THEN text END AS text",
    "postgresql": "'' AS further",
}
_CONTAINS: Final = {
    "sqlite": "instr(passages.text, :{term}) > 0",
    # The text of the group first, which need not be divided if it does not have the term.
    "postgresql": "position(:{term} in group_text) > 0 AND position(:{term} in text) > 0",
}
_EXISTS: Final = {
    "sqlite": text("SELECT count(*) FROM sqlite_master WHERE name = 'passages_trigrams'"),
    "postgresql": text("SELECT count(to_regclass('passages_trigrams'))"),
}
_INDEXED: Final = text("SELECT indexed FROM derived")
_NEXT: Final = text(
    "SELECT id, length(text) AS size FROM passages WHERE id > :after ORDER BY id LIMIT :rows"
)
_ADD: Final = text(
    "INSERT INTO passages_trigrams (rowid, text)"
    " SELECT id, text FROM passages WHERE id > :after AND id <= :last"
)
_SET_INDEXED: Final = text("UPDATE derived SET indexed = :last")
_INDEX: Final = (
    text(
        "UPDATE passage_groups SET is_indexed = true WHERE ctid = ANY (ARRAY(SELECT ctid"
        " FROM passage_groups WHERE NOT is_indexed AND completion >= :least ORDER BY completion"
        " LIMIT :rows FOR UPDATE SKIP LOCKED)) RETURNING completion"
    ),
    text(
        # Not those of a completion that is being deleted: the two would wait for each other.
        "WITH moved AS (DELETE FROM unindexed_passages WHERE ctid = ANY (ARRAY(SELECT u.ctid"
        " FROM unindexed_passages AS u JOIN completions AS c ON c.seq = u.completion"
        " WHERE u.completion >= :least ORDER BY u.completion LIMIT :rows"
        " FOR UPDATE OF u SKIP LOCKED FOR KEY SHARE OF c SKIP LOCKED))"
        " RETURNING completion, scope, positions, text)"
        " INSERT INTO passage_groups (completion, scope, positions, text)"
        " SELECT * FROM moved RETURNING completion"
    ),
)
"""Add some rows to the index of PostgreSQL, those of an older program first."""


def insert_passages(
    connection: Connection, completions: Iterable[tuple[int, Sequence[Passage]]]
) -> None:
    """Insert the passages of completions, each with its `seq`."""
    dialect = connection.dialect.name
    insert_whole(
        connection,
        TABLES[dialect][0],
        ("completion", *_GROUP_COLUMNS[dialect]),
        (
            (seq, *group)
            for seq, passages in completions
            for group in _iter_groups(dialect, passages)
        ),
    )


def refresh_passages(connection: Connection, seq: int, passages: Sequence[Passage]) -> None:
    """Replace the passages of a completion if others are stored, or in other groups."""
    dialect = connection.dialect.name
    columns = ", ".join(_GROUP_COLUMNS[dialect])
    selects = (f"SELECT {columns} FROM {one} WHERE completion = :seq" for one in TABLES[dialect])
    stored = connection.execute(text(" UNION ALL ".join(selects)), {"seq": seq})
    if sorted(map(tuple, stored)) != sorted(_iter_groups(dialect, passages)):
        for table in TABLES[dialect]:
            connection.execute(text(f"DELETE FROM {table} WHERE completion = :seq"), {"seq": seq})
        insert_passages(connection, [(seq, passages)])


def replace_metadata_passage(connection: Connection, seq: int, passage: Passage | None) -> None:
    """Replace the passage of the metadata of a completion; delete it if `passage` is None."""
    for table in TABLES[connection.dialect.name]:
        delete = text(f"DELETE FROM {table} WHERE completion = :seq AND scope = :scope")
        connection.execute(delete, {"seq": seq, "scope": Scope.METADATA.value})
    insert_passages(connection, [(seq, [passage] if passage else [])])


def _iter_groups(dialect: str, passages: Sequence[Passage]) -> Iterator[tuple[object, ...]]:
    """Yield the rows for the passages of a completion."""
    most = _MAX_GROUP[dialect]
    by_scope: dict[Scope, list[Passage]] = {}
    for passage in passages:
        by_scope.setdefault(passage.scope, []).append(passage)
    for scope, same in by_scope.items():
        size = start = 0
        for end, passage in enumerate(same, 1):
            size += len(passage.text)
            if size < most and end < len(same) and len(same[end].text) < most:
                continue
            positions = [one.position for one in same[start:end]]
            joined = GROUP_SEPARATOR.join([one.text for one in same[start:end]])
            if dialect == "postgresql":
                # The view counts on from the last one, and from 0 if there is none.
                steps = enumerate(pairwise([-1, *positions]), 1)
                kept = max((at for at, (last, one) in steps if one != last + 1), default=0)
                yield scope.value, positions[:kept], joined
            else:
                further = " ".join(map(str, positions[1:]))
                yield scope.value, positions[0], further, joined
            size, start = 0, end


def find_passages(
    connection: Connection, seqs: Sequence[int], terms: Sequence[str], scopes: Sequence[str]
) -> dict[int, list[tuple[int, str]]]:
    """Find the position and scope of each passage with all terms, by its completion."""
    if not seqs:
        return {}
    dialect = connection.dialect.name
    names = {f"term{at}": term for at, term in enumerate(terms)}
    contains = " AND ".join(_CONTAINS[dialect].format(term=name) for name in names)
    statement = text(_FIND.format(columns=_FOUND[dialect], contains=contains)).bindparams(
        bindparam("seqs", expanding=True), bindparam("scopes", expanding=True)
    )
    found: dict[int, list[tuple[int, str]]] = {}
    for row in connection.execute(statement, {**names, "seqs": seqs, "scopes": scopes}):
        places = [row.position]
        if row.further:
            # Each may have another one of the terms. Another program may have changed the text.
            texts = zip(
                [row.position, *map(int, row.further.split())],
                row.text.split(GROUP_SEPARATOR),
                strict=False,
            )
            places = [place for place, said in texts if all(term in said for term in terms)]
        if places:
            found.setdefault(row.completion, []).extend((place, row.scope) for place in places)
    for hits in found.values():
        hits.sort()
    return found


def has_trigrams(connection: Connection) -> bool:
    """Return whether the database could make the index."""
    return bool(connection.execute(_EXISTS[connection.dialect.name]).scalar())


def index_passages(database: Database, *, groups_at_once: int = _GROUPS_AT_ONCE) -> None:
    """Add all passages to the index that are not in it, if there is one.

    In PostgreSQL, a transaction adds at most `groups_at_once` rows.
    """
    with database.reader.connect() as connection:
        if not has_trigrams(connection):
            return
        steps = _INDEX if connection.dialect.name == "postgresql" else (None,)

    def index_next(statement: TextClause | None, least: int) -> int | None:
        """Return the last row or completion of those indexed, or None if none were left."""
        with database.writer.begin() as connection:
            if statement is None:
                return _index_some(connection)
            binds = {"least": least, "rows": groups_at_once}
            return max(connection.execute(statement, binds).scalars(), default=None)

    for statement in steps:
        last: int | None = 0
        while last is not None:
            # A scan from the start would pass over all dead rows each time.
            last = retry_deadlocks(partial(index_next, statement, last))


def _index_some(connection: Connection) -> int | None:
    """Index the next passages in SQLite; return the last row, or None if none were left."""
    after: int = connection.execute(_INDEXED).scalar_one()
    rows = connection.execute(_NEXT, {"after": after, "rows": _PASSAGES_AT_ONCE}).all()
    size = count = 0
    last: int = after
    for row in rows:
        if count and size + row.size > _CHARACTERS_AT_ONCE:
            break
        size += row.size
        count += 1
        last = row.id
    if not count:
        return None
    connection.execute(_ADD, {"after": after, "last": last})
    connection.execute(_SET_INDEXED, {"last": last})
    return last
