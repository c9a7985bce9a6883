"""From a database's address to the database; knows which kinds there are, and no more of them."""

from __future__ import annotations

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from webapp.database.engine import Database, StoreError
from webapp.database.postgres import postgres_database
from webapp.database.sqlite import sqlite_database


def open_database(database_url: str) -> Database:
    """The database at `database_url`. Raises `StoreError` for what is none of ours."""
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise StoreError("The store's address is not a database URL.") from error
    match url.get_backend_name():
        case "sqlite":
            return sqlite_database(url)
        case "postgresql":
            return postgres_database(url)
        case other:
            raise StoreError(f"The store can be in SQLite or PostgreSQL, not in {other}.")


def without_password(database_url: str) -> str:
    """`database_url` as it may be shown and logged."""
    return make_url(database_url).render_as_string(hide_password=True)
