"""The table of uploads: the state and the report of each. Times are in whole unix seconds."""

from __future__ import annotations

from functools import partial
from typing import Final

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

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


SCHEMA: Final = Schema(steps=(partial(_VERSION_1.create_all, checkfirst=False),), prefix="upload_")
