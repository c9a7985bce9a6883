"""Store the passages that searches read, and build the index of trigrams for large stores.

In SQLite the table `passages` has a row for each. In PostgreSQL a row and its entries in indexes
take more bytes than most texts, so the passages of one completion and scope share a row of
`passage_groups`, and `passages` is a view of them one by one.

The index is built after the adds, a few rows in each transaction. Rows that are not in it yet are
few, and are read by every search.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sqlalchemy import Connection, text

from webapp.database import Database, insert_rows, retry_deadlocks
from webapp.embedded.documents.facts import Passage
from webapp.embedded.documents.passages import GROUP_SEPARATOR, Scope

_CHARACTERS_AT_ONCE: Final = 256 * 1024
"""In SQLite, writers wait for a transaction of this size, some 30 ms."""
_PASSAGES_AT_ONCE: Final = 4_000
_GROUPS_AT_ONCE: Final = 100
_MAX_GROUP: Final = 64 * 1024
"""Characters after which a group ends."""

SEARCHED: Final = {"sqlite": "passages", "postgresql": "passage_groups"}
"""The table whose column `text` has an index of trigrams, by dialect."""

_ADD_PASSAGE: Final = text(
    "INSERT INTO passages (completion, position, scope, text)"
    " VALUES (:completion, :position, :scope, :text)"
)
_ADD_GROUP: Final = text(
    "INSERT INTO passage_groups (completion, scope, positions, text)"
    " VALUES (:completion, :scope, :positions, :text)"
)
_DELETE: Final = {
    dialect: text(f"DELETE FROM {table} WHERE completion = :seq")
    for dialect, table in SEARCHED.items()
}
_DELETE_SCOPE: Final = {
    dialect: text(f"DELETE FROM {table} WHERE completion = :seq AND scope = :scope")
    for dialect, table in SEARCHED.items()
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
_MARK: Final = text(
    "UPDATE passage_groups SET is_indexed = true WHERE ctid = ANY (ARRAY(SELECT ctid"
    " FROM passage_groups WHERE NOT is_indexed ORDER BY completion LIMIT :rows"
    " FOR UPDATE SKIP LOCKED))"
)


def insert_passages(
    connection: Connection, completions: Iterable[tuple[int, Sequence[Passage]]]
) -> None:
    """Insert the passages of completions, each with its `seq`."""
    if connection.dialect.name == "postgresql":
        groups = (group for seq, passages in completions for group in _iter_groups(seq, passages))
        insert_rows(connection, _ADD_GROUP, groups)
        return
    rows: Iterator[dict[str, object]] = (
        {"completion": seq, "position": one.position, "scope": one.scope.value, "text": one.text}
        for seq, passages in completions
        for one in passages
    )
    insert_rows(connection, _ADD_PASSAGE, rows)


def replace_passages(connection: Connection, seq: int, passages: Sequence[Passage]) -> None:
    connection.execute(_DELETE[connection.dialect.name], {"seq": seq})
    insert_passages(connection, [(seq, passages)])


def replace_metadata_passage(connection: Connection, seq: int, passage: Passage | None) -> None:
    """Replace the passage of the metadata of a completion; delete it if `passage` is None."""
    statement = _DELETE_SCOPE[connection.dialect.name]
    connection.execute(statement, {"seq": seq, "scope": Scope.METADATA.value})
    insert_passages(connection, [(seq, [passage] if passage else [])])


def _iter_groups(seq: int, passages: Sequence[Passage]) -> Iterator[dict[str, object]]:
    """Yield the rows of PostgreSQL for the passages of a completion."""
    by_scope: dict[Scope, list[Passage]] = {}
    for passage in passages:
        by_scope.setdefault(passage.scope, []).append(passage)
    for scope, same in by_scope.items():
        size = start = 0
        for end, passage in enumerate(same, 1):
            size += len(passage.text)
            if size < _MAX_GROUP and end < len(same):
                continue
            yield {
                "completion": seq,
                "scope": scope.value,
                "positions": [one.position for one in same[start:end]],
                "text": GROUP_SEPARATOR.join(one.text for one in same[start:end]),
            }
            size, start = 0, end


def has_trigrams(connection: Connection) -> bool:
    """Return whether the database could make the index."""
    return bool(connection.execute(_EXISTS[connection.dialect.name]).scalar())


def select_unindexed(connection: Connection) -> str:
    """Build the SQL condition on `SEARCHED` that is true for rows that are not indexed yet."""
    if not has_trigrams(connection):
        return "TRUE"
    if connection.dialect.name == "postgresql":
        return "NOT is_indexed"
    return "id > (SELECT indexed FROM derived)"


def index_passages(database: Database) -> None:
    """Add all passages to the index that are not in it, if there is one."""
    with database.reader.connect() as connection:
        if not has_trigrams(connection):
            return

    def index_next() -> int:
        with database.writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                return connection.execute(_MARK, {"rows": _GROUPS_AT_ONCE}).rowcount
            return _index_some(connection)

    while retry_deadlocks(index_next):
        pass


def _index_some(connection: Connection) -> int:
    """Index the next passages in SQLite, and return their number."""
    after = connection.execute(_INDEXED).scalar_one()
    rows = connection.execute(_NEXT, {"after": after, "rows": _PASSAGES_AT_ONCE}).all()
    size = count = 0
    last = after
    for row in rows:
        if count and size + row.size > _CHARACTERS_AT_ONCE:
            break
        size += row.size
        count += 1
        last = row.id
    if count:
        connection.execute(_ADD, {"after": after, "last": last})
        connection.execute(_SET_INDEXED, {"last": last})
    return count
