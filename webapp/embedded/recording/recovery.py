"""Open the store as soon as its database can be reached, and add the exchanges that wait.

One thread a process, which ends as soon as there is nothing left to do.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Thread
from typing import Final

from webapp.database import StoreError, find_outage
from webapp.embedded.recording.exchange import Exchange
from webapp.embedded.recording.recorder import Recorder
from webapp.embedded.recording.spool import Spool, SpoolFault
from webapp.embedded.store.store import Store
from webapp.http.deadline import SYSTEM_CLOCK, Clock
from webapp.redaction import get_logger

log = get_logger("readback.embedded")

RETRY_SECONDS: Final = 2.0
MAX_RETRY_SECONDS: Final = 60.0
"""The longest wait after errors that are no outages, and hardly pass by themselves."""


class Recovery:
    """Recovers `store` from outages; `fill` is called once if opening the store created it."""

    def __init__(
        self,
        store: Store,
        spool: Spool,
        *,
        fill: Callable[[Store], object] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._store = store
        self.spool: Final = spool
        self._fill = fill
        self._clock = clock
        self._lock = Lock()
        self._is_running = False
        self._is_needed = False

    def open_store(self) -> None:
        """Open the store, now or when its database is back, and add the spooled completions.

        Raise `StoreError` for an address or a database that Readback can never use.
        """
        try:
            self._open()
        except Exception as problem:
            outage = find_outage(problem)
            if outage is None:
                raise
            first_line = str(problem).partition("\n")[0]
            log.error("The store failed, and is tried again: %s", first_line)
            self.spool.begin_outage(outage)
            self.begin()
            return
        if not self.spool.is_empty:
            self.begin()

    def begin(self) -> None:
        """Recover in the background, unless that has begun."""
        with self._lock:
            self._is_needed = True
            if not self._is_running:
                self._is_running = True
                Thread(target=self.run, name="recovery", daemon=True).start()

    def recover(self) -> bool:
        """Try once; return whether nothing is left to do. Raise the error of an outage."""
        self._open()
        return self.spool.drain(self._add) and self.spool.is_empty

    def _open(self) -> None:
        self._store.open()
        if self._fill is not None:
            self._fill(self._store)
            self._fill = None

    def _add(self, exchange: Exchange) -> None:
        recorder = Recorder(
            exchange.request,
            store=self._store,
            request_id=exchange.request_id,
            now=exchange.now,
        )
        recorder.add(exchange)
        self.spool.end_outage()
        log.warning("A completion of the spool is stored now (%s).", exchange.request_id)

    def run(self) -> None:
        """Try until nothing is left to do and no exchange has come since.

        An error that is no outage is logged once, until another one comes, and waited for longer
        each time.
        """
        wait = RETRY_SECONDS
        logged = ""
        while True:
            with self._lock:
                self._is_needed = False
            try:
                is_done = self.recover()
                wait, logged = RETRY_SECONDS, ""
            except Exception as error:
                is_done = False
                outage = find_outage(error)
                if outage is not None:
                    self.spool.begin_outage(outage)
                    wait, logged = RETRY_SECONDS, ""
                else:
                    wait = min(2 * wait, MAX_RETRY_SECONDS)
                    logged = _log_once(error, logged)
            if is_done:
                with self._lock:
                    self._is_running = self._is_needed
                    if not self._is_running:
                        return
            self._clock.sleep(wait)


def _log_once(error: Exception, logged: str) -> str:
    """Log `error` unless its text was `logged` last; return its text."""
    said = f"{type(error).__name__}: {error}".partition("\n")[0]
    if said != logged:
        cause = None if isinstance(error, StoreError | SpoolFault) else error
        log.error("The recovery failed, and is tried again: %s", said, exc_info=cause)
    return said
