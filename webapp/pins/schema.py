"""The table of pins. Times are in milliseconds since 1970."""

from __future__ import annotations

from functools import partial
from typing import Final

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

from webapp.database import Schema

_VERSION_1: Final = MetaData()

Table(
    "pins",
    _VERSION_1,
    # The server that the completion is read from; see `name_place`.
    Column("place", Text, primary_key=True),
    Column("completion", Text, primary_key=True),
    Column("pinned", BigInteger, nullable=False),
)


SCHEMA: Final = Schema(steps=(partial(_VERSION_1.create_all, checkfirst=False),), prefix="pin_")
