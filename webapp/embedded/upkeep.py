"""Keep a store's derived tables complete in the background: old rows, the index, findings."""

from __future__ import annotations

from threading import Thread
from typing import Final

from webapp.database import StoreError, find_outage
from webapp.embedded.finding.checking import Assess
from webapp.embedded.store.store import Store
from webapp.redaction import get_logger

log = get_logger("readback.embedded")

_SECONDS: Final = 60.0
"""The longest wait for completions that another process adds."""


class Upkeep:
    """Completes the derived rows of a store, after each add and once a minute.

    `assess` checks completions by the version `rules` of the rules.
    """

    def __init__(self, store: Store, assess: Assess, *, rules: int) -> None:
        self._store = store
        self._assess = assess
        self._rules = rules

    def begin(self) -> None:
        """Begin in a thread that ends with the process."""
        Thread(target=self._run, name="upkeep", daemon=True).start()

    def complete(self) -> None:
        """Complete the rows of all completions that are stored now. A failure is logged."""
        try:
            self._store.complete()
            self._store.check(self._assess, rules=self._rules)
        except Exception as error:
            if isinstance(error, StoreError) or find_outage(error) is not None:
                problem = str(error).partition("\n")[0]
                log.warning("The store's index could not be completed yet: %s", problem)
            else:
                log.exception("The store's index could not be completed.")

    def _run(self) -> None:
        while True:
            self._store.added.clear()
            self.complete()
            self._store.added.wait(_SECONDS)
