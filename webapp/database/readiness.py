"""Find out whether a database answers, for those that ask often."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Final

from sqlalchemy import text

from webapp.database.engine import DatabaseOpener
from webapp.database.migrations import Schema
from webapp.database.outages import DATABASE_ERRORS, find_outage

_SECONDS: Final = 1.0
"""For how long an answer is repeated."""


class Readiness:
    """Asks `database` at most once a second, in one thread at a time; others get the last answer.

    Reads the version table of `schema`: a query without a table needs no file in SQLite.
    """

    def __init__(
        self,
        database: DatabaseOpener,
        schema: Schema,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._query = text(f"SELECT version FROM {schema.version_table}")
        self._clock = clock
        self._lock = Lock()
        self._checked_at: float | None = None
        self._problem: str | None = "the database has not been asked yet"

    def find_problem(self) -> str | None:
        """Find out why the database cannot be used, without naming it; None if it can."""
        if self._lock.acquire(blocking=False):
            try:
                if self._checked_at is None or self._clock() - self._checked_at >= _SECONDS:
                    problem = None
                    try:
                        with self._database.get().reader.connect() as connection:
                            connection.execute(self._query)
                    except DATABASE_ERRORS as error:
                        outage = find_outage(error)
                        problem = outage.sentence if outage else "the database cannot be used"
                    self._problem, self._checked_at = problem, self._clock()
            finally:
                self._lock.release()
        return self._problem
