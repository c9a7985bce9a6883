"""Open the database at an address, and migrate the tables of each owner in it.

Knows no owner's tables. What is true of SQLite or PostgreSQL alone is in the module of that name.
"""

from __future__ import annotations

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from webapp.database.engine import Database, StoreError
from webapp.database.migrations import Schema, Step, migrate
from webapp.database.opening import DatabaseOpener
from webapp.database.outages import Outage, StoreUnavailable, find_outage
from webapp.database.postgres import open_postgres
from webapp.database.sqlite import open_sqlite

__all__ = [
    "Database",
    "DatabaseOpener",
    "Outage",
    "Schema",
    "Step",
    "StoreError",
    "StoreUnavailable",
    "find_outage",
    "hide_password",
    "migrate",
    "open_database",
]


def open_database(database_url: str) -> Database:
    """Return the database at `database_url`.

    Raises `StoreError` if that is no URL of a SQLite or PostgreSQL database.
    """
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise StoreError("The store's address is not a database URL.") from error
    match url.get_backend_name():
        case "sqlite":
            return open_sqlite(url)
        case "postgresql":
            return open_postgres(url)
        case other:
            raise StoreError(f"The store can be in SQLite or PostgreSQL, not in {other}.")


def hide_password(database_url: str) -> str:
    """Return `database_url` with its password masked, to show and to log."""
    return make_url(database_url).render_as_string(hide_password=True)
