"""One database: an engine to read with and an engine to write with.

StoreError      the database cannot be opened; one line, for the person who named it
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine

_TAKES_LOCK: Final = "write_lock"


class StoreError(Exception):
    """The database cannot be opened; the message is one line with a remedy."""


@dataclass(frozen=True, slots=True)
class Database:
    """Two engines over one pool of connections.

    A transaction of `reader` sees one moment of the database from its first statement to its
    last: a completion deleted meanwhile still has all its messages. A transaction of `writer`
    begins by waiting for the one write lock. So writers come one after the other, each reads
    everything written before it, and numbers given in a transaction follow the order of commits.
    """

    reader: Engine
    writer: Engine

    @classmethod
    def from_engine(cls, engine: Engine, **write_options: object) -> Database:
        """Return the database of `engine`, whose "begin" event honours `takes_write_lock`."""
        return cls(engine, engine.execution_options(**{_TAKES_LOCK: True}, **write_options))

    @property
    def name(self) -> str:
        """The database's name without host, user and password."""
        return self.reader.url.database or self.reader.url.get_backend_name()

    def close(self) -> None:
        self.reader.dispose()


def takes_write_lock(connection: Connection) -> bool:
    """Return whether the transaction that begins on `connection` must wait for the write lock."""
    return _TAKES_LOCK in connection.get_execution_options()
