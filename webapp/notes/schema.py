"""The table of notes. Times are in milliseconds since 1970."""

from __future__ import annotations

from functools import partial
from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

from webapp.database import Schema

_VERSION_1: Final = MetaData()

Table(
    "notes",
    _VERSION_1,
    Column("id", Text, primary_key=True),
    # The server that the completion is read from; see `webapp.pins.name_place`.
    Column("place", Text, nullable=False),
    Column("completion", Text, nullable=False),
    Column("first", Integer),
    Column("last", Integer),
    Column("choice", Integer),
    Column("author", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("edited", BigInteger),
    Column("text", Text, nullable=False),
    Index("notes_by_completion", "place", "completion", "created", "id"),
)


SCHEMA: Final = Schema(steps=(partial(_VERSION_1.create_all, checkfirst=False),), prefix="note_")
