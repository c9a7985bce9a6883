"""Open the database at an address, and migrate the tables of each owner in it.

Knows no owner's tables. The modules `sqlite` and `postgres` hold the differences, `rows` the
statements over many rows, `replicas` the reads on other servers, and `waiting` how long those may
take to answer.
"""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from webapp.database.engine import Database, DatabaseOpener, StoreError, lock_rows
from webapp.database.migrations import Schema, Step, migrate, migrate_all, report_failures
from webapp.database.outages import (
    DATABASE_ERRORS,
    DRIVER_ERRORS,
    Outage,
    StoreUnavailable,
    find_outage,
    retry_deadlocks,
)
from webapp.database.postgres import open_postgres
from webapp.database.replicas import ReplicatedDatabase, open_replica
from webapp.database.rows import ROWS_AT_ONCE, execute_with_values, insert_rows, insert_whole
from webapp.database.sqlite import open_sqlite

__all__ = [
    "DATABASE_ERRORS",
    "DRIVER_ERRORS",
    "ROWS_AT_ONCE",
    "Database",
    "DatabaseOpener",
    "Outage",
    "Schema",
    "Step",
    "StoreError",
    "StoreUnavailable",
    "find_outage",
    "insert_rows",
    "insert_whole",
    "lock_rows",
    "migrate",
    "migrate_all",
    "open_database",
    "open_later",
    "execute_with_values",
    "report_failures",
    "retry_deadlocks",
]


def open_database(
    database_url: str, *, replica_url: str | None = None, is_patient: bool = False
) -> Database:
    """Open the database at `database_url`, with the replica at `replica_url` to read from.

    If it `is_patient`, reads may take longer than its server allows; writes always may.

    Raises `StoreError` if that is not a URL of a SQLite or PostgreSQL database.
    """
    url = _parse_url(database_url, "store")
    match url.get_backend_name():
        case "sqlite":
            return open_sqlite(url)
        case "postgresql":
            database = open_postgres(url, is_patient=is_patient)
            if replica_url is None:
                return database
            replica = open_replica(_parse_url(replica_url, "replica"))
            return ReplicatedDatabase.from_database(database, replica)
        case other:
            raise StoreError(f"The store can be in SQLite or PostgreSQL, not in {other}.")


def _parse_url(database_url: str, whose: str) -> URL:
    """Parse the address of a database. Raises `StoreError` if it is malformed."""
    try:
        url = make_url(database_url)
        if url.port is not None and not 0 < url.port < 2**16:
            raise ValueError(url.port)
    except (ArgumentError, ValueError):
        # The cause would quote a part of the address, which may be its password.
        raise StoreError(
            f"The {whose}'s address is not a database URL, or its port is not from 1 to 65535. In "
            "a user name and a password, / : ? # and @ must be written as %2F %3A %3F %23 and %40."
        ) from None
    if url.get_backend_name() != "sqlite" and "@" in f"{url.host}{url.database}":
        # A part of the password was read as the host or the database; a driver would quote it.
        raise StoreError(
            f"The {whose}'s address has an @ in its user name, its password or its database's name."
            " It must be written as %40."
        )
    return url


def open_later(database_url: str, *schemas: Schema, is_patient: bool = False) -> DatabaseOpener:
    """Prepare the database at `database_url`, to be opened and migrated on first use."""

    def open_and_migrate() -> Database:
        database = open_database(database_url, is_patient=is_patient)
        try:
            migrate_all(database, schemas)
        except BaseException:
            database.close()
            raise
        return database

    return DatabaseOpener(open_and_migrate)
