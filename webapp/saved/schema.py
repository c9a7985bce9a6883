"""The table of saved filters."""

from __future__ import annotations

from functools import partial
from typing import Final

from sqlalchemy import Column, MetaData, Table, Text

from webapp.database import Schema

_VERSION_1: Final = MetaData()

Table(
    "saved_filters",
    _VERSION_1,
    Column("name", Text, primary_key=True),
    # The query of the list's address.
    Column("query", Text, nullable=False),
)


SCHEMA: Final = Schema(steps=(partial(_VERSION_1.create_all, checkfirst=False),), prefix="saved_")
