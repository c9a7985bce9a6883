"""The table of saved filters."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Connection, MetaData, Table, Text

from webapp.database import Schema

_VERSION_1: Final = MetaData()

Table(
    "saved_filters",
    _VERSION_1,
    Column("name", Text, primary_key=True),
    # The query of the list's address.
    Column("query", Text, nullable=False),
)


def _create_tables(connection: Connection) -> None:
    _VERSION_1.create_all(connection, checkfirst=False)


SCHEMA: Final = Schema(steps=(_create_tables,), prefix="saved_")
