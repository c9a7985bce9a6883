"""One database: an engine to read with and two to write with.

StoreError      the database cannot be opened; one line, for the person who named it
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, TextClause, text

_WRITES: Final = "writes"
_TAKES_LOCK: Final = "write_lock"

_FAILURE_SECONDS: Final = 1.0
"""How long a failure is repeated to other threads: each attempt may wait for a time-out."""

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
        """Return the result of `query` in one transaction, which a replica may run.

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
