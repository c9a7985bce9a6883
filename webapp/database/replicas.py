"""Read on a replica in place of its primary, without missing anything that has been committed.

A replica lags behind. So each transaction first asks the primary for the end of its log, and then
waits until the replica has replayed the log to that end; after a short while it runs on the primary
instead. By the documentation of PostgreSQL, it then sees all that was committed before:

- Before a commit is reported, its record is flushed to the log. With `synchronous_commit = off` it
  has only been inserted (Asynchronous Commit).
- The changes of a transaction are visible to every snapshot that the replica takes after its
  commit was replayed (Hot Standby).
- In REPEATABLE READ the first statement takes the snapshot, so the replica is asked in a
  transaction that ends before the one that reads. COMMIT AND CHAIN keeps both on one server, also
  if a pooler or a balancer has several.

Positions in the log can be compared only within one timeline of one cluster.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, TextClause, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, TimeoutError

from webapp.database.engine import Database, StoreError
from webapp.database.outages import DATABASE_ERRORS, Outage, find_outage
from webapp.database.postgres import create_postgres_engine
from webapp.monitoring.metrics import count_replicated_read
from webapp.redaction import get_logger

log = get_logger("readback")

_T = TypeVar("_T")

_PAUSES: Final = (0.001, 0.002, 0.004, 0.008, 0.016, 0.02)
"""Seconds between the questions to a replica that lags."""
_BEHIND_SECONDS: Final = 0.25
_FAILED_SECONDS: Final = 10.0
"""For which a replica is not asked after it was too far behind, and after a failure."""
_POOL_SECONDS: Final = 1.0
"""The longest wait for a free connection."""
_QUERY_SECONDS: Final = 10.0
"""Without a byte, after which a query is given up: half of the time that a page may take."""

_OPTIONS: Final = {
    # Two statements that are sent as one cannot be prepared.
    "prepare_threshold": None,
    "connect_timeout": 2,
}
"""Of connections."""
_CONFLICTS: Final = frozenset({"40001", "40P01"})
"""The replay removed rows, or took locks, that a query needed."""
_NO_ANSWER: Final = "08006"
"""Of the failure of an `ImpatientConnection`."""

_END: Final = text(
    "SELECT system_identifier, current_database() AS database, current_schema() AS schema,"
    " substr(pg_walfile_name(lsn), 1, 8) AS timeline, CAST(lsn - '0/0' AS bigint) AS position"
    " FROM pg_control_system(), (SELECT CASE WHEN pg_is_in_recovery() THEN NULL"
    " WHEN current_setting('synchronous_commit') = 'off' THEN pg_current_wal_insert_lsn()"
    " ELSE pg_current_wal_flush_lsn() END AS lsn) AS log"
)
# After a failover the file that this reads has the new timeline from the next restart point on.
_REPLAYED: Final = (
    "SELECT system_identifier, current_database() AS database, current_schema() AS schema,"
    " lpad(upper(to_hex(greatest(timeline_id, min_recovery_end_timeline))), 8, '0') AS timeline,"
    " CASE WHEN pg_is_in_recovery()"
    " THEN CAST(pg_last_wal_replay_lsn() - '0/0' AS bigint) END AS position"
    " FROM pg_control_system(), pg_control_checkpoint(), pg_control_recovery(); COMMIT AND CHAIN"
)


class Replica:
    """A server that replays the log of a primary; after a failure it is left alone for a while."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.engine: Final = engine
        self._clock = clock
        self._lock = Lock()
        self._resumes_at = 0.0
        self._problem: str | None = None

    def may_be_asked(self) -> bool:
        """Return whether to ask it now; after a failure, only one thread does so at first."""
        with self._lock:
            if self._clock() < self._resumes_at:
                return False
            if self._problem is not None:
                self._resumes_at = self._clock() + _FAILED_SECONDS
            return True

    def catches_up(self, connection: Connection, end: Any) -> bool:
        """Wait until it has replayed the log up to `end`; return whether it has, in time.

        Then `connection` is in a new transaction. Raises `StoreError` if it is no replica of the
        primary.
        """
        pauses = iter(_PAUSES)
        while _ask_position(connection, end) < end.position:
            pause = next(pauses, None)
            if pause is None:
                with self._lock:
                    self._resumes_at = self._clock() + _BEHIND_SECONDS
                return False
            time.sleep(pause)
        return True

    def note_success(self) -> None:
        with self._lock:
            was_failing, self._problem, self._resumes_at = self._problem is not None, None, 0.0
        if was_failing:
            log.warning("The replica is read again.")

    def note_failure(self, error: Exception) -> None:
        """Log a failure once, and leave the replica alone if the next read would fail too."""
        outage = find_outage(error)
        state = getattr(getattr(error, "orig", None), "sqlstate", None)
        # A conflict can end the connection. If the server is down, the next read cannot connect.
        was_cut = isinstance(error, DBAPIError) and error.connection_invalidated
        is_busy = isinstance(error, TimeoutError) or outage is Outage.CANCELLED
        if is_busy or state in _CONFLICTS or (was_cut and state != _NO_ANSWER):
            return
        if isinstance(error, StoreError):
            problem = str(error)
        else:
            problem = outage.sentence if outage else "a query failed there"
        with self._lock:
            self._resumes_at = self._clock() + _FAILED_SECONDS
            is_known, self._problem = problem == self._problem, problem
        if not is_known:
            log.warning("The replica is not read: %s.", problem)


@dataclass(frozen=True, slots=True)
class ReplicatedDatabase(Database):
    """A database that is read on a replica, unless that lags or fails."""

    replica: Replica
    _asked: Engine

    @classmethod
    def from_database(cls, primary: Database, replica: Replica) -> ReplicatedDatabase:
        asked = primary.reader.execution_options(isolation_level="AUTOCOMMIT")
        return cls(primary.reader, primary.writer, primary.exclusive, replica, asked)

    def read(self, query: Callable[[Connection], _T]) -> _T:
        if self.replica.may_be_asked() and (end := self.find_end()) is not None:
            try:
                with self.replica.engine.connect() as connection:
                    if self.replica.catches_up(connection, end):
                        with _waiting_longer(connection):
                            found = query(connection)
                        self.replica.note_success()
                        count_replicated_read("replica")
                        return found
            except DATABASE_ERRORS as error:
                self.replica.note_failure(error)
        count_replicated_read("primary")
        return Database.read(self, query)

    def read_rows(self, query: TextClause, binds: Mapping[str, object]) -> Sequence[Any]:
        return self.read(lambda connection: connection.execute(query, binds).all())

    def close(self) -> None:
        self.replica.engine.dispose()
        Database.close(self)

    def find_end(self) -> Any:
        """Find the end of the primary's log; None if it is in recovery, or cannot say it."""
        try:
            with self._asked.connect() as connection:
                end = connection.execute(_END).one()
        except DBAPIError as error:
            outage = find_outage(error)
            if outage is not None and outage.may_pass:
                raise
            # Some servers that speak its protocol have no such log, or deny it.
            self.replica.note_failure(StoreError("the primary does not say where its log ends"))
            return None
        return None if end.position is None else end


def open_replica(url: URL) -> Replica:
    """Open the replica at `url`. Connects on first use. Raises the errors of `open_postgres`."""
    engine = create_postgres_engine(url, options=_OPTIONS, pool_seconds=_POOL_SECONDS)
    # Only now it is known that the driver is installed.
    from webapp.database.waiting import connect

    event.listen(engine, "do_connect", connect)
    return Replica(engine)


@contextmanager
def _waiting_longer(connection: Connection) -> Iterator[None]:
    driver: Any = connection.connection.driver_connection
    usual, driver.patience = driver.patience, _QUERY_SECONDS
    try:
        yield
    finally:
        driver.patience = usual


def _ask_position(connection: Connection, end: Any) -> int:
    """Ask how far a replica is. Raise `StoreError` if that cannot be compared with `end`."""
    replayed = connection.exec_driver_sql(_REPLAYED).one()
    if replayed.position is None:
        raise StoreError("it is no replica, or was promoted")
    if replayed.system_identifier != end.system_identifier:
        raise StoreError("it is a replica of another server")
    if (replayed.database, replayed.schema) != (end.database, end.schema):
        raise StoreError("its address names another database or schema")
    if replayed.timeline != end.timeline:
        raise StoreError("it has not followed the last failover yet")
    position: int = replayed.position
    return position
