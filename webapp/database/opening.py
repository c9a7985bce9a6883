"""Open a database on first use, and again after a failure."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Final

from webapp.database.engine import Database, StoreError

_FAILURE_SECONDS: Final = 1.0
"""How long a failure is repeated to other threads: each attempt may wait for a time-out."""


class DatabaseOpener:
    """Opens one database, once for all threads. `get` raises the `StoreError` of `open`."""

    def __init__(self, open: Callable[[], Database]) -> None:
        self._open = open
        self._lock = Lock()
        self._database: Database | None = None
        self._failure: StoreError | None = None
        self._failed_at = 0.0

    def get(self, *, insists: bool = False) -> Database:
        """Return the database, opened if it is not open yet.

        Within a second after a failure, raise the same again, unless the caller `insists`.
        """
        if self._database is not None:
            return self._database
        with self._lock:
            if self._database is None:
                is_recent = time.monotonic() - self._failed_at < _FAILURE_SECONDS
                if self._failure is not None and is_recent and not insists:
                    raise self._failure.with_traceback(None)
                self._database = self._try()
            return self._database

    def close(self) -> None:
        """Close the database if it is open."""
        if self._database is not None:
            self._database.close()

    def _try(self) -> Database:
        try:
            return self._open()
        except StoreError as error:
            self._failure = error
            self._failed_at = time.monotonic()
            raise
