"""The store in a SQLite file: what is true of SQLite alone.

Owns files, permissions, pragmas and how a transaction begins; knows no table.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL

from webapp.database.engine import Database, StoreError, over, takes_write_lock

_BUSY_SECONDS: Final = 60
_WAL_ATTEMPTS: Final = 100


def sqlite_database(url: URL) -> Database:
    """The database in the file that `url` names; a new one is readable by its owner alone."""
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
    return over(engine)


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
    """Begins by taking the lock where it is needed at all.

    A transaction that starts by reading and then writes fails at once when another process
    wrote in between; one that takes the write lock first waits for its turn.
    """
    immediate = takes_write_lock(connection)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
