"""A database as the store sees it, whichever it is: one engine to read with, one to write with.

Knows no table and no SQL; what is true of one database alone is in the module of its name.

    StoreError      the store cannot be opened; one line, for the person who named it
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine

_LOCKED: Final = "write_lock"


class StoreError(Exception):
    """The store cannot be opened; the message is one line and says what to do about it."""


@dataclass(frozen=True, slots=True)
class Database:
    """Two engines over one pool of connections.

    A transaction of `reader` sees one moment of the database from its first statement to its
    last: a completion that is deleted meanwhile still has all its messages. A transaction of
    `writer` begins by waiting for the one write lock, so that writers come one after the other,
    each reads what all before it wrote, and the order of `seq` is the order of commits.
    """

    reader: Engine
    writer: Engine

    @property
    def name(self) -> str:
        """The database without host, user and password."""
        return self.reader.url.database or self.reader.url.get_backend_name()

    def close(self) -> None:
        self.reader.dispose()


def over(engine: Engine, **write_options: object) -> Database:
    """The database behind `engine`, which takes the lock where `takes_write_lock` says so."""
    return Database(engine, engine.execution_options(**{_LOCKED: True}, **write_options))


def takes_write_lock(connection: Connection) -> bool:
    """Whether the transaction that begins on `connection` is to wait for the write lock."""
    return _LOCKED in connection.get_execution_options()
