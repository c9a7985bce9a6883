"""One database: an engine to read with and two to write with, and statements over many rows.

StoreError      the database cannot be opened; one line, for the person who named it
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from threading import Lock
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, TextClause, text
from sqlalchemy.exc import DBAPIError

_WRITES: Final = "writes"
_TAKES_LOCK: Final = "write_lock"

_FAILURE_SECONDS: Final = 1.0
"""How long a failure is repeated to other threads: each attempt may wait for a time-out."""

ROWS_AT_ONCE: Final = 500

_LISTED: Final = {
    "sqlite": "SELECT value FROM json_each(:values)",
    "postgresql": "SELECT value FROM unnest(CAST(:values AS bigint[])) AS listed (value)",
}
_VALUES_AT_ONCE: Final = 5_000

_T = TypeVar("_T")


class StoreError(Exception):
    """The database cannot be opened; the message is one line with a remedy."""


@dataclass(frozen=True, slots=True)
class Database:
    """Three engines over one pool of connections.

    A transaction of `reader` sees one moment of the database from its first statement to its
    last: a completion deleted meanwhile still has all its messages. A transaction of `exclusive`
    begins by waiting for the one write lock, so that such transactions come one after the other
    and each reads everything that those before it wrote.

    Transactions of `writer` run side by side where the database can do that (PostgreSQL), and
    with those of `exclusive`: constraints and locks of rows keep them apart, and numbers come from
    sequences, not in the order of commits. SQLite has one writer at a time, whichever it is.
    """

    reader: Engine
    writer: Engine
    exclusive: Engine

    @classmethod
    def from_engine(cls, engine: Engine, **write_options: object) -> Database:
        """Return the database of `engine`.

        Its "begin" event honours `may_write` and `takes_write_lock`.
        """
        writer = engine.execution_options(**{_WRITES: True}, **write_options)
        return cls(engine, writer, writer.execution_options(**{_TAKES_LOCK: True}))

    @property
    def name(self) -> str:
        """The database's name without host, user and password."""
        return self.reader.url.database or self.reader.url.get_backend_name()

    def look_up(self, query: TextClause, binds: Mapping[str, object]) -> Sequence[Any]:
        """Return the rows of one short query, which have the columns as attributes."""
        with self.reader.connect() as connection:
            return connection.execute(query, binds).all()

    def read(self, query: Callable[[Connection], _T]) -> _T:
        """Return what `query` reads in one transaction, which a replica may run.

        It is called again, with another connection, if the replica fails.
        """
        with self.reader.connect() as connection:
            return query(connection)

    def read_rows(self, query: TextClause, binds: Mapping[str, object]) -> Sequence[Any]:
        """Return the rows of one query that may read much, as `look_up` and `read` do."""
        return self.look_up(query, binds)

    def close(self) -> None:
        self.reader.dispose()


def may_write(connection: Connection) -> bool:
    """Return whether the transaction that begins on `connection` may write."""
    return _WRITES in connection.get_execution_options()


def takes_write_lock(connection: Connection) -> bool:
    """Return whether the transaction that begins on `connection` must wait for the write lock."""
    return _TAKES_LOCK in connection.get_execution_options()


def lock_rows(connection: Connection, select: str) -> TextClause:
    """Build a query that locks its rows for other writers until the transaction ends.

    In SQLite a transaction that may write is the only one anyway.
    """
    return text(f"{select} FOR UPDATE" if connection.dialect.name == "postgresql" else select)


class DatabaseOpener:
    """Opens one database, once for all threads. `get` raises the `StoreError` of `open`."""

    def __init__(self, open: Callable[[], Database]) -> None:
        self._open = open
        self._lock = Lock()
        self._database: Database | None = None
        self._failure: StoreError | None = None
        self._failed_at = 0.0

    def get(self, *, insists: bool = False) -> Database:
        """Open the database, or return the one that is open already.

        Within a second after a failure, raise the same again, unless the caller `insists`.
        """
        if self._database is not None:
            return self._database
        with self._lock:
            if self._database is None:
                is_recent = time.monotonic() - self._failed_at < _FAILURE_SECONDS
                if self._failure is not None and is_recent and not insists:
                    raise self._failure.with_traceback(None)
                try:
                    self._database = self._open()
                except StoreError as error:
                    self._failure = error
                    self._failed_at = time.monotonic()
                    raise
            return self._database

    def close(self) -> None:
        """Close the database if it is open."""
        if self._database is not None:
            self._database.close()


def insert_rows(
    connection: Connection, statement: TextClause, rows: Iterable[Mapping[str, object]]
) -> None:
    """Insert a few rows at a time: the driver keeps several copies of all that it inserts."""
    rows = iter(rows)
    while some := list(islice(rows, ROWS_AT_ONCE)):
        # PostgreSQL's driver begins and ends a pipeline for a list, also of one row.
        values = some if len(some) > 1 else some[0]
        if connection.dialect.name == "sqlite":
            # Its driver takes the names as they are; SQLAlchemy would rewrite each row.
            connection.exec_driver_sql(statement.text, values)
        else:
            connection.execute(statement, values)


def insert_whole(
    connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Insert rows with these columns, whose texts have no NUL.

    PostgreSQL gets them as a COPY: as single rows, they take its driver and the server several
    times as long.
    """
    rows = iter(rows)
    while some := list(islice(rows, ROWS_AT_ONCE)):
        if connection.dialect.name == "postgresql":
            copied = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
            driver: Any = connection.connection.driver_connection
            with report_driver(connection), driver.cursor() as cursor, cursor.copy(copied) as copy:
                for row in some:
                    copy.write_row(row)
        else:
            places = ", ".join("?" * len(columns))
            statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
            connection.exec_driver_sql(statement, some)


@contextmanager
def report_driver(connection: Connection) -> Iterator[None]:
    """Raise errors of the driver, which is used without SQLAlchemy here, as SQLAlchemy does."""
    errors = connection.dialect.loaded_dbapi.Error
    try:
        yield
    except errors as error:
        raise DBAPIError.instance(None, None, error, errors, dialect=connection.dialect) from error


def execute_with_values(connection: Connection, statement: str, values: Iterable[int]) -> list[Any]:
    """Execute a statement that reads `({listed})`, which has the column `value`, some at a time.

    Return the rows that it returns.
    """
    dialect = connection.dialect.name
    built = text(statement.format(listed=_LISTED[dialect]))
    rows: list[Any] = []
    left = iter(values)
    while some := list(islice(left, _VALUES_AT_ONCE)):
        written = some if dialect == "postgresql" else f"[{','.join(map(str, some))}]"
        result = connection.execute(built, {"values": written})
        rows += result if result.returns_rows else ()
    return rows
