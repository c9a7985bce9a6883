"""Find out whether a database answers, for those that ask often."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from threading import Lock
from typing import Final

from sqlalchemy import text

from webapp.database.engine import DatabaseOpener
from webapp.database.migrations import Schema
from webapp.database.outages import DATABASE_ERRORS, Outage, find_outage

_SECONDS: Final = 1.0
"""For how long an answer is repeated."""
_PATIENCE: Final = 3.0
"""Seconds after which a database that has not answered counts as down."""


class Readiness:
    """Asks `database` at most once a second, in one thread at a time.

    Meanwhile others get the last answer, or that there is none for too long. Reads the version
    table of `schema`: a query without a table needs no file in SQLite.
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
        self._asked_at = math.inf
        self._checked_at: float | None = None
        self._problem: str | None = "the database has not been asked yet"

    def find_problem(self) -> str | None:
        """Find out why the database cannot be used, without naming it; None if it can."""
        if not self._lock.acquire(blocking=False):
            is_slow = self._clock() - self._asked_at > _PATIENCE
            return Outage.DOWN.sentence if is_slow else self._problem
        try:
            self._asked_at = self._clock()
            if self._checked_at is None or self._asked_at - self._checked_at >= _SECONDS:
                self._problem = self._ask()
                self._checked_at = self._clock()
            return self._problem
        finally:
            self._asked_at = math.inf
            self._lock.release()

    def _ask(self) -> str | None:
        try:
            with self._database.get().reader.connect() as connection:
                connection.execute(self._query)
        except DATABASE_ERRORS as error:
            outage = find_outage(error)
            return outage.sentence if outage else "the database cannot be used"
        return None
