"""Connections to the store's database, and everything that is true of SQLite alone.

Owns files, permissions, pragmas and how a transaction begins; knows no table.

    StoreError      the store cannot be opened; one line, for the person who named it
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

WRITING: Final = {"begin": "BEGIN IMMEDIATE"}
"""Execution options of a connection that will write.

A SQLite transaction that starts by reading and then writes fails at once when another process
wrote in between; one that takes the write lock first waits for its turn.
"""

_BUSY_SECONDS: Final = 60
_WAL_ATTEMPTS: Final = 100


class StoreError(Exception):
    """The store cannot be opened; the message is one line and says what to do about it."""


def open_engine(database_url: str) -> Engine:
    """An engine for `database_url`; a SQLite file is created, readable by its owner alone."""
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise StoreError("The store's address is not a database URL.") from error
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url)
    return create_engine(url, hide_parameters=True)


def _sqlite_engine(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise StoreError("The store needs a file, such as sqlite:////var/lib/readback/store.db.")
    _create_file(Path(url.database))
    engine = create_engine(
        url,
        # Parameters are people's messages; they have no place in an error's text.
        hide_parameters=True,
        pool_size=8,
        max_overflow=-1,
        connect_args={"timeout": _BUSY_SECONDS},
    )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _create_file(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Only a file that is new is opened here: closing one that SQLite has open in this
        # process would drop its locks.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StoreError(f"The store {path} cannot be created: {error.strerror}.") from error


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    _use_wal(connection)
    # With WAL this survives the end of the process at any moment; only a power cut can take
    # the last transactions, and never the file.
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Readers and a writer side by side.

    The switch needs the file to itself and does not wait for it, so when another process is
    in the way an empty write transaction, which does wait, stands in for the waiting.
    """
    for _ in range(_WAL_ATTEMPTS):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    connection.execute("PRAGMA journal_mode=WAL")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
