"""Filters of the list, saved under a name; all readers of this Readback have the same."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import Column, MetaData, Table, Text, text

from webapp.database import DATABASE_ERRORS, DatabaseOpener, Schema
from webapp.redaction import get_logger

log = get_logger("readback")

MAX_SAVED: Final = 50
"""Names; all of them are above the list."""
MAX_NAME: Final = 60
"""Characters of a name."""

_VERSION_1: Final = MetaData()

Table(
    "saved_filters",
    _VERSION_1,
    Column("name", Text, primary_key=True),
    # The query of the list's address.
    Column("query", Text, nullable=False),
)

SCHEMA: Final = Schema(steps=(partial(_VERSION_1.create_all, checkfirst=False),), prefix="saved_")

_LIST: Final = text("SELECT name, query FROM saved_filters ORDER BY lower(name), name")
_COUNT: Final = text("SELECT count(*) FROM saved_filters WHERE name <> :name")
_ADD: Final = text(
    "INSERT INTO saved_filters (name, query) VALUES (:name, :query)"
    " ON CONFLICT (name) DO UPDATE SET query = excluded.query"
)
_DELETE: Final = text("DELETE FROM saved_filters WHERE name = :name")

__all__ = ["MAX_NAME", "MAX_SAVED", "SCHEMA", "Saved", "SavedFilters", "clean_name"]


@dataclass(frozen=True, slots=True)
class Saved:
    """Filters under a `name`; `query` is that of the list's address."""

    name: str
    query: str


def clean_name(written: str) -> str | None:
    """Clean a name to one line; None if it is empty, too long or has invisible characters."""
    name = " ".join(written.split())
    return name if name.isprintable() and 0 < len(name) <= MAX_NAME else None


class SavedFilters:
    """The saved filters.

    Changes raise `StoreError` or an error of the database. A page can do without the names, so
    listing them raises nothing: while the database is down, the list is empty.
    """

    def __init__(self, database: DatabaseOpener) -> None:
        self._database = database

    def list_all(self) -> list[Saved]:
        try:
            with self._database.get().reader.connect() as connection:
                return [Saved(row.name, row.query) for row in connection.execute(_LIST)]
        except DATABASE_ERRORS as error:
            log.warning("the saved filters could not be read: %s", type(error).__name__)
            return []

    def save(self, name: str, query: str) -> bool:
        """Save filters, in place of others of this name; return False if there are too many."""
        with self._database.get().exclusive.begin() as connection:
            if connection.execute(_COUNT, {"name": name}).scalar_one() >= MAX_SAVED:
                return False
            connection.execute(_ADD, {"name": name, "query": query})
            return True

    def delete(self, name: str) -> None:
        with self._database.get().exclusive.begin() as connection:
            connection.execute(_DELETE, {"name": name})
