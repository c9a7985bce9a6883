"""Open a SQLite file: its permissions, its pragmas, and how a transaction begins."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, ExceptionContext, TextClause, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from webapp.database.engine import Database, StoreError, may_write
from webapp.database.outages import Outage, StoreUnavailable, find_outage
from webapp.folders import make_private_folder
from webapp.monitoring.metrics import count_statement

_BUSY_SECONDS: Final = 60
_WAL_ATTEMPTS: Final = 100
_CONNECTIONS: Final = 8


@dataclass(frozen=True, slots=True)
class _SqliteDatabase(Database):
    """A database in a SQLite file; `_idle` are connections of finished look-ups."""

    _idle: list[PoolProxiedConnection] = field(default_factory=list, init=False)

    def look_up(self, query: TextClause, binds: Mapping[str, object]) -> Sequence[Any]:
        """Return the rows of one short query, at a tenth of the cost of a transaction.

        The driver is asked without the engine, which asks again after a failure, to report it. The
        connection stays out of the pool, whose checks take as long as the query.
        """
        connection = None
        with contextlib.suppress(IndexError):
            connection = self._idle.pop()
        try:
            connection = connection or self.reader.raw_connection()
            started = time.perf_counter()
            # A statement of its own sees one moment of the database without a transaction.
            cursor = connection.cursor()
            cursor.execute(query.text, binds)
            found = cursor.fetchall()
            make_row = _find_row_maker(cursor.description)
            cursor.close()
            count_statement(time.perf_counter() - started)
        except sqlite3.Error:
            if connection is not None:
                connection.close()
            return Database.look_up(self, query, binds)
        # The pool decides about the others; see `close_read_only`.
        if len(self._idle) < _CONNECTIONS and os.access(self.name, os.W_OK):
            self._idle.append(connection)
        else:
            connection.close()
        return list(map(make_row, found))

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()
        Database.close(self)


@lru_cache(maxsize=256)
def _find_row_maker(columns: tuple[tuple[str, ...], ...]) -> Callable[[Sequence[Any]], Any]:
    names = [column[0] for column in columns]
    row_type: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
    # The class itself takes a frame of Python for each row.
    return partial(tuple.__new__, row_type)


def open_sqlite(url: URL) -> Database:
    """Open the database in the file that `url` names.

    A new file, and each folder made for it, is readable by its owner alone.

    Raises `StoreError` if the URL names no file or the file cannot be created.
    """
    if not url.database or url.database == ":memory:":
        raise StoreError("The store needs a file, such as sqlite:////var/lib/readback/store.db.")
    path = Path(url.database)
    _create_file(path)
    engine = create_engine(
        url,
        # Parameters are people's messages; they must not get into the text of an error.
        hide_parameters=True,
        pool_size=_CONNECTIONS,
        max_overflow=-1,
        connect_args={"timeout": _BUSY_SECONDS},
    )

    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        try:
            _set_up(connection)
        except BaseException:
            # Nobody else closes it, and the error that is kept would keep it too.
            connection.close()
            raise

    def close_read_only(_connection: sqlite3.Connection | None, entry: ConnectionPoolEntry) -> None:
        # All connections of a process share what SQLite knows of a file: one that stays open
        # keeps it read-only for those made later, after the file can be written again.
        if not os.access(path, os.W_OK):
            entry.invalidate()

    event.listen(engine, "connect", set_up)
    event.listen(engine, "checkin", close_read_only)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", _drop_read_only_connections)
    return _SqliteDatabase.from_engine(engine)


def _create_file(path: Path) -> None:
    """Create the file and its folders, unless they exist. Raise `StoreError` if that fails."""
    try:
        make_private_folder(path.parent)
        # Open new files only: closing one that SQLite has open in this process would drop
        # its locks.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        sentence = f"The store {path} cannot be created: {error.strerror}."
        raise StoreUnavailable(sentence, find_outage(error) or Outage.DENIED) from error


def _set_up(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging, so that readers and a writer work side by side.

    The switch needs the file to itself and does not wait for it. While another process has the
    file, an empty write transaction does the waiting.
    """
    connection.isolation_level = None
    for attempt in range(1, _WAL_ATTEMPTS + 1):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or attempt == _WAL_ATTEMPTS:
                raise
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    # With WAL this survives a crash of the process at any moment; only a power cut can lose
    # the last transactions, and never the file.
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin(connection: Connection) -> None:
    """Begin a transaction, with the write lock if it may write.

    A transaction that reads first and then writes fails at once if another process wrote in
    between; one that takes the write lock first waits for its turn.
    """
    connection.exec_driver_sql("BEGIN IMMEDIATE" if may_write(connection) else "BEGIN")


def _drop_read_only_connections(context: ExceptionContext) -> None:
    """Let new connections replace all of the pool after a disk was read-only or failed.

    A connection that was made while its file was read-only can never write.
    """
    outage = find_outage(context.sqlalchemy_exception) if context.sqlalchemy_exception else None
    if outage in (Outage.READ_ONLY, Outage.DOWN):
        cursor = context.execution_context and context.execution_context.cursor
        if cursor:
            # The error refers to it, and SQLite keeps a closed connection until it is gone.
            cursor.close()
        context.is_disconnect = True
