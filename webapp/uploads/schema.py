"""The table of uploads: the state and the report of each. Times are in whole unix seconds."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Connection, Index, MetaData, Table, Text

from webapp.database import Schema

_VERSION_1: Final = MetaData()

Table(
    "uploads",
    _VERSION_1,
    Column("id", Text, primary_key=True),
    Column("begun", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("report", Text, nullable=False),
    Index("uploads_by_time", "begun"),
)


def _create_tables(connection: Connection) -> None:
    _VERSION_1.create_all(connection, checkfirst=False)


SCHEMA: Final = Schema(steps=(_create_tables,), prefix="upload_")
