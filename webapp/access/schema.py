"""The tables of sessions, of the settings they depend on, and of the record."""

from __future__ import annotations

from functools import partial
from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, Table, Text

from webapp.database import Schema

_VERSION_1: Final = MetaData()

# Times are in milliseconds since 1970.
Table(
    "access_sessions",
    _VERSION_1,
    Column("digest", Text, primary_key=True),
    Column("identity", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("administrator", Boolean, nullable=False),
    Column("way", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Index("access_sessions_by_identity", "identity", "seen"),
)

Table(
    "access_bases",
    _VERSION_1,
    Column("way", Text, primary_key=True),
    Column("basis", Text, primary_key=True),
    Column("since", BigInteger, nullable=False),
)

Table(
    "access_record",
    _VERSION_1,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("time", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("completion", Text),
    Column("entry", Text, nullable=False),
    Index("access_record_by_time", "time"),
)


SCHEMA: Final = Schema(steps=(partial(_VERSION_1.create_all, checkfirst=False),), prefix="access_")
