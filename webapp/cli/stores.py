"""Open the store, the shares and the record that commands work on; complete the checks.

The database server may bound the queries of pages; commands may take longer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from webapp.access.record import Record
from webapp.config import Config
from webapp.embedded import Store
from webapp.factories import find_database_url, open_app_database
from webapp.finding import Query
from webapp.shares import ShareStore


@contextmanager
def open_store(config: Config) -> Iterator[Store]:
    """Open the embedded server's store, also if the viewer reads from another server."""
    store = Store(
        find_database_url(config), conversation_keys=config.conversation_keys, is_patient=True
    )
    try:
        yield store
    finally:
        store.close()


def complete_checks(store: Store, query: Query) -> None:
    """Check the completions that no server has checked yet, if the search is for findings."""
    if query.asks_findings:
        # To import the rules takes longer than most searches do.
        from webapp.analysis.assessing import assess_completion
        from webapp.analysis.checks import CHECKS_VERSION

        store.check(assess_completion, rules=CHECKS_VERSION)


@contextmanager
def open_shares(config: Config) -> Iterator[tuple[ShareStore, Record]]:
    """Open the shares and the record, which are in the same database."""
    database = open_app_database(config, is_patient=True)
    try:
        record = Record(database, days=config.access.record_days, now=time.time)
        yield ShareStore(database), record
    finally:
        database.close()
