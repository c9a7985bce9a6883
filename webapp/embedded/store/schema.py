"""The store's tables, their version, and the way from an older version to this one.

Owns the shape of the database; knows nothing of what is written into it. Rows live in plain
rowid tables: a page is one seek in an index, and the wire form, which every answer needs, comes
before the given text, which few do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    inspect,
    text,
)
from sqlalchemy.exc import DatabaseError

from webapp.database.engine import Database, StoreError

Step: TypeAlias = Callable[[Connection], None]

_VERSION_1: Final = MetaData()

Table("schema_version", _VERSION_1, Column("version", Integer, nullable=False))

Table(
    "completions",
    _VERSION_1,
    # A BIGINT and not SQLite's INTEGER PRIMARY KEY: that one is the rowid, which a comparison
    # of (created, seq) cannot seek by, and completions of one second would be read through.
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("created", BigInteger, nullable=False),
    Column("model", Text),
    Column("digest", Text, nullable=False),
    Column("wire_json", Text, nullable=False),
    Column("given_json", Text, nullable=False),
    Index("completions_by_time", "created", "seq"),
    Index("completions_by_model", "model", "created", "seq"),
)

Table(
    "messages",
    _VERSION_1,
    Column("completion", ForeignKey("completions.seq", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("wire_json", Text, nullable=False),
    Column("given_json", Text, nullable=False),
    UniqueConstraint("completion", "id"),
)

Table(
    "metadata",
    _VERSION_1,
    Column("completion", ForeignKey("completions.seq", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Index("metadata_by_pair", "key", "value", "created", "completion"),
)


def _create_tables(connection: Connection) -> None:
    _VERSION_1.create_all(connection, checkfirst=False)
    connection.execute(text("INSERT INTO schema_version (version) VALUES (0)"))


STEPS: Final[tuple[Step, ...]] = (_create_tables,)
"""Step n leads from version n to n + 1. Only ever appended to: old stores walk them all."""


def prepare(database: Database, steps: Sequence[Step] = STEPS) -> bool:
    """Brings the database to the version after the last of `steps`; whether it was empty.

    Raises `StoreError` when it cannot be reached, is of a newer version, or none of ours.
    """
    try:
        with database.reader.connect() as connection:
            found = _version(connection, database.name)
        if found == len(steps):
            return False
        with database.writer.begin() as connection:
            return _migrate(connection, steps, database.name)
    except DatabaseError as error:
        problem = str(error.orig).strip().partition("\n")[0]
        raise StoreError(f"The store {database.name} cannot be opened: {problem}.") from error


def _migrate(connection: Connection, steps: Sequence[Step], name: str) -> bool:
    """Reads the version again: another process may have been here since."""
    found = _version(connection, name)
    if found > len(steps):
        raise StoreError(
            f"The store {name} has schema version {found}, and this program "
            f"knows versions up to {len(steps)}. Use a newer Readback."
        )
    if found == len(steps):
        return False
    for step in steps[found:]:
        step(connection)
    connection.execute(
        text("UPDATE schema_version SET version = :version"), {"version": len(steps)}
    )
    return found == 0


def _version(connection: Connection, name: str) -> int:
    tables = inspect(connection).get_table_names()
    if "schema_version" in tables:
        return int(connection.execute(text("SELECT version FROM schema_version")).scalar_one())
    if tables:
        raise StoreError(
            f"The database {name} belongs to another program: "
            "it has tables, and none of them is Readback's."
        )
    return 0
