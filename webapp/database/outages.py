"""Distinguish an outage of a database from a fault in a statement or in its data, and count both.

After an outage the same statement may succeed unchanged; after any other error it may not.
"""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, ExceptionContext, event
from sqlalchemy.exc import DBAPIError, OperationalError, TimeoutError

from webapp.database.engine import StoreError
from webapp.monitoring.metrics import count_statement, count_store_error

_STARTED: Final = "readback_started"


class Outage(Enum):
    """Why a database cannot be used; `sentence` completes "It failed because …"."""

    DOWN = "down"
    FULL = "full"
    READ_ONLY = "read-only"
    LOCKED = "locked"
    CANCELLED = "cancelled"
    DENIED = "denied"
    DAMAGED = "damaged"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]

    @property
    def may_pass(self) -> bool:
        """Whether it can end without anybody changing the settings or repairing the data."""
        return self not in (Outage.DENIED, Outage.DAMAGED)


_SENTENCES: Final = {
    Outage.DOWN: "the database cannot be reached",
    Outage.FULL: "the disk of the database is full",
    Outage.READ_ONLY: "the database is read-only",
    Outage.LOCKED: "another program has locked the database",
    Outage.CANCELLED: "the database cancelled a query, such as one that took too long",
    Outage.DENIED: "the database may not be opened",
    Outage.DAMAGED: "the database is damaged",
}

_SQLITE: Final = {
    sqlite3.SQLITE_FULL: Outage.FULL,
    sqlite3.SQLITE_READONLY: Outage.READ_ONLY,
    sqlite3.SQLITE_BUSY: Outage.LOCKED,
    sqlite3.SQLITE_LOCKED: Outage.LOCKED,
    sqlite3.SQLITE_PROTOCOL: Outage.LOCKED,
    sqlite3.SQLITE_CANTOPEN: Outage.DOWN,
    sqlite3.SQLITE_IOERR: Outage.DOWN,
    sqlite3.SQLITE_NOMEM: Outage.DOWN,
    sqlite3.SQLITE_PERM: Outage.DENIED,
    sqlite3.SQLITE_AUTH: Outage.DENIED,
    sqlite3.SQLITE_CORRUPT: Outage.DAMAGED,
    sqlite3.SQLITE_NOTADB: Outage.DAMAGED,
}
_SQLITE_PRIMARY: Final = 0xFF
"""The part of an extended result code that holds the primary one."""

# The longest prefix of a SQLSTATE decides.
_SQLSTATES: Final = {
    "08": Outage.DOWN,
    "25006": Outage.READ_ONLY,
    "25P03": Outage.DOWN,
    "28": Outage.DENIED,
    "3D": Outage.DENIED,
    "40": Outage.LOCKED,
    "42501": Outage.DENIED,
    "42P01": Outage.DAMAGED,
    "53": Outage.DOWN,
    "53100": Outage.FULL,
    "55P03": Outage.LOCKED,
    "57": Outage.DOWN,
    "57014": Outage.CANCELLED,
    "58": Outage.DOWN,
    "XX001": Outage.DAMAGED,
    "XX002": Outage.DAMAGED,
}

_ERRNOS: Final = {
    errno.ENOSPC: Outage.FULL,
    errno.EDQUOT: Outage.FULL,
    errno.EFBIG: Outage.FULL,
    errno.EROFS: Outage.READ_ONLY,
    errno.EIO: Outage.DOWN,
    errno.ESTALE: Outage.DOWN,
    errno.ENOTCONN: Outage.DOWN,
    errno.EMFILE: Outage.DOWN,
    errno.ENFILE: Outage.DOWN,
}


_DEADLOCKS: Final = frozenset({"40001", "40P01"})
_ATTEMPTS: Final = 5

_T = TypeVar("_T")

DRIVER_ERRORS: Final = (DBAPIError, TimeoutError)
"""The errors of a statement: of the driver, and if all connections stayed in use."""
DATABASE_ERRORS: Final = (StoreError, *DRIVER_ERRORS)
"""The same, and those of opening a database."""


class StoreUnavailable(StoreError):
    """The database cannot be opened because of an outage."""

    def __init__(self, message: str, outage: Outage) -> None:
        super().__init__(message)
        self.outage = outage


def find_outage(error: BaseException) -> Outage | None:
    """Find the outage that caused `error`, or None if it is another fault."""
    match error:
        case StoreUnavailable():
            return error.outage
        case TimeoutError():
            # All connections stayed in use.
            return Outage.LOCKED
        case DBAPIError():
            return _find_driver_outage(error)
        case OSError():
            return _ERRNOS.get(error.errno or 0)
    return None


def retry_deadlocks(write: Callable[[], _T]) -> _T:
    """Run `write`, a whole transaction, again if it met a deadlock, and return its result.

    PostgreSQL ends one of two transactions that wait for each other.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return write()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _DEADLOCKS:
                raise
    return write()


def _find_driver_outage(error: DBAPIError) -> Outage | None:
    driver_error = error.orig
    if isinstance(driver_error, sqlite3.Error):
        # The module's own errors, such as that of a closed connection, have no code.
        code: int = getattr(driver_error, "sqlite_errorcode", 0)
        return _SQLITE.get(code & _SQLITE_PRIMARY)
    state: str | None = getattr(driver_error, "sqlstate", None)
    if state is None:
        # A connection that fails, breaks or takes too long has no SQLSTATE.
        is_connection = isinstance(error, OperationalError)
        return Outage.DOWN if error.connection_invalidated or is_connection else None
    return next((_SQLSTATES[state[:n]] for n in (5, 2) if state[:n] in _SQLSTATES), None)


def time_statements() -> None:
    """Count from now on; forks of this process do so as well."""

    @event.listens_for(Engine, "before_cursor_execute")
    def begin(connection: Connection, *_: Any) -> None:
        connection.info[_STARTED] = time.perf_counter()

    @event.listens_for(Engine, "after_cursor_execute")
    def end(connection: Connection, *_: Any) -> None:
        count_statement(time.perf_counter() - connection.info[_STARTED])

    @event.listens_for(Engine, "handle_error")
    def fail(context: ExceptionContext) -> None:
        if context.sqlalchemy_exception is not None:
            _count_outage(context.sqlalchemy_exception)


@contextmanager
def report_driver(connection: Connection) -> Iterator[None]:
    """Raise errors of the driver, which is used without SQLAlchemy here, as SQLAlchemy does.

    The work of the driver is counted as one statement.
    """
    errors = connection.dialect.loaded_dbapi.Error
    started = time.perf_counter()
    try:
        yield
    except errors as error:
        raised = DBAPIError.instance(None, None, error, errors, dialect=connection.dialect)
        _count_outage(raised)
        raise raised from error
    count_statement(time.perf_counter() - started)


def _count_outage(error: BaseException) -> None:
    outage = find_outage(error)
    if outage is not None:
        count_store_error(outage.value)
