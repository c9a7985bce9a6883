"""Build the index of trigrams, by which a search of a large store finds its candidates.

It is built after the adds, a few passages in each transaction. Passages that are not in it yet
are few, and are read by every search.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, text

from webapp.database import Database, retry_deadlocks

_CHARACTERS_AT_ONCE: Final = 256 * 1024
"""In SQLite, writers wait for a transaction of this size, some 30 ms."""
_PASSAGES_AT_ONCE: Final = 500

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
    "UPDATE passages SET is_indexed = true WHERE id IN (SELECT id FROM passages"
    " WHERE NOT is_indexed ORDER BY id LIMIT :rows FOR UPDATE SKIP LOCKED)"
)


def has_trigrams(connection: Connection) -> bool:
    """Check whether the database could make the index."""
    return bool(connection.execute(_EXISTS[connection.dialect.name]).scalar())


def select_unindexed(connection: Connection) -> str:
    """Build the SQL condition on `passages` that is true for those that are not indexed yet."""
    if not has_trigrams(connection):
        return "TRUE"
    if connection.dialect.name == "postgresql":
        return "NOT passages.is_indexed"
    return "passages.id > (SELECT indexed FROM derived)"


def index_passages(database: Database) -> None:
    """Add all passages to the index that are not in it, if there is one."""
    with database.reader.connect() as connection:
        if not has_trigrams(connection):
            return

    def index_next() -> int:
        with database.writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                return connection.execute(_MARK, {"rows": _PASSAGES_AT_ONCE}).rowcount
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
