"""The store's tables, and the steps from each version of them to the next.

Rows are in plain rowid tables: a page is one seek in an index, and the wire form, which every
answer needs, comes before the given text, which few need.
"""

from __future__ import annotations

import time
from typing import Final

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
    text,
)

from webapp.database import Schema

MAX_INLINE: Final = 64 * 1024
"""Characters of a stored JSON text that a page holds; larger ones are read one at a time."""

_VERSION_1: Final = MetaData()

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


def _create_progress(connection: Connection) -> None:
    """Add the row with the form of all rows, and the last row rebuilt in a newer one."""
    connection.execute(text("CREATE TABLE rebuilt (form INTEGER NOT NULL, seq BIGINT NOT NULL)"))
    connection.execute(text("INSERT INTO rebuilt (form, seq) VALUES (0, 0)"))


def _mark_large_texts(connection: Connection) -> None:
    """Mark the rows whose wire form a page does not hold.

    SQLite reads all of a text to find its length. It has 0 and 1 in the head of the row, so a
    page passes over large texts without reading them.
    """
    for table in ("completions", "messages"):
        connection.execute(
            text(f"ALTER TABLE {table} ADD COLUMN is_large INTEGER NOT NULL DEFAULT 0")
        )
        connection.execute(
            text(f"UPDATE {table} SET is_large = 1 WHERE length(wire_json) > {MAX_INLINE}")
        )


def mark_large(wire_json: str) -> int:
    """Return the value of `is_large` for a row with this wire form."""
    return int(len(wire_json) > MAX_INLINE)


def _add_time_of_storing(connection: Connection) -> None:
    """Add when a completion was stored; for those that are there already, that is now."""
    connection.execute(text("ALTER TABLE completions ADD COLUMN stored BIGINT"))
    connection.execute(text("UPDATE completions SET stored = :now"), {"now": int(time.time())})


SCHEMA: Final = Schema(
    steps=(_create_tables, _create_progress, _mark_large_texts, _add_time_of_storing)
)
