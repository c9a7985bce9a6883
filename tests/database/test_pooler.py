"""A pooler in transaction mode before PostgreSQL: each transaction may get another connection."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.support.pgbouncer import run_pgbouncer
from tools.postgres import PostgresServer
from tools.store_rows import add, completion
from webapp.database import open_database
from webapp.embedded import Store
from webapp.embedded.documents.records import Metadata
from webapp.embedded.store.pages import PageRequest

pytestmark = pytest.mark.process


def test_many_threads_share_few_connections_to_the_server(postgres: PostgresServer) -> None:
    """Often enough for the driver to prepare its statements, which belong to one connection."""

    def use(store: Store, name: str) -> int:
        for at in range(10):
            one = f"{name}-{at}"
            add(store, completion(one, messages=3))
            assert store.retrieve_completion(one) is not None
            page = store.list_messages(one, PageRequest(None, 2, "asc"))
            assert page is not None and page.has_more
            metadata = Metadata(f'{{"at":"{at}"}}', (("at", str(at)),))
            assert store.replace_metadata(one, metadata) is not None
        assert store.delete_completion(f"{name}-0")
        return len(store.list_completions(PageRequest(None, 100, "desc")).ids)

    with (
        postgres.database() as direct,
        run_pgbouncer(postgres, direct, connections=2) as pooled,
        closing(Store(pooled)) as store,
        ThreadPoolExecutor(8) as threads,
    ):
        list(threads.map(lambda name: use(store, name), "abcdefgh"))
        store.complete()
        assert len(store.list_completions(PageRequest(None, 100, "desc")).ids) == 72


def test_statements_are_prepared_on_connections_to_the_server_itself_only(
    postgres: PostgresServer,
) -> None:
    with (
        postgres.database() as direct,
        run_pgbouncer(postgres, direct, connections=2) as pooled,
    ):
        for url, is_prepared in ((direct, True), (pooled, False)):
            with closing(open_database(url)) as database, database.reader.connect() as connection:
                driver_connection = connection.connection.driver_connection
                assert driver_connection is not None
                assert (driver_connection.prepare_threshold is not None) == is_prepared
