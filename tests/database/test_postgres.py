"""What is true of a store in PostgreSQL alone: its connections, encodings and query plans."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any, get_args

import pytest
from sqlalchemy import Connection, NullPool, TextClause, create_engine, text

from tools.postgres import PostgresServer
from tools.store_rows import add, completion
from webapp.embedded import Store, StoreError
from webapp.embedded.store.pages import Order, PageRequest
from webapp.embedded.store.queries import (
    COMPLETION_CURSOR,
    MESSAGE_CURSOR,
    select_completions,
    select_messages,
)
from webapp.redaction import hide_password

ORDERS = get_args(Order)
FIRST = PageRequest(None, 20, "asc")
FILLED = (
    "INSERT INTO completions SELECT n, 'c' || n, n / 10, 'm' || n % 10, '', '{}', '{}'"
    " FROM generate_series(1, 20000) AS n",
    "INSERT INTO messages SELECT 1, n, 'm' || n, '{}', '{}' FROM generate_series(1, 20000) AS n",
    "INSERT INTO metadata SELECT n, key, CAST(n % 2 AS text), n / 10"
    " FROM generate_series(1, 20000) AS n, (VALUES ('a'), ('b'), ('c')) AS keys (key)",
)
BINDS = {f"key{at}": key for at, key in enumerate("abc")} | {f"value{at}": "1" for at in range(3)}
BINDS_OF_PAGES: dict[str, object] = {
    **BINDS,
    "completion": 1,
    "position": 10_000,
    "created": 1000,
    "seq": 10_000,
    "model": "m1",
    "after": "c7",
    "rows": 21,
}


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as address:
        yield address


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> Iterator[Connection]:
    """A store's database with 20,000 completions, 20,000 messages of one, and statistics."""
    with postgres.database() as address:
        Store(address).close()
        with create_engine(address, poolclass=NullPool).connect() as connection:
            for statement in (*FILLED, "ANALYZE"):
                connection.execute(text(statement))
            yield connection


def steps(database: Connection, statement: TextClause) -> list[dict[str, Any]]:
    """The steps of the plan, the outer ones first."""
    explain = text(f"EXPLAIN (FORMAT JSON) {statement.text}")
    [root] = database.execute(explain, BINDS_OF_PAGES).scalar_one()
    found, unread = [], [root["Plan"]]
    while unread:
        found.append(unread.pop())
        unread.extend(found[-1].get("Plans", ()))
    return found


def assert_seeks(plan: list[dict[str, Any]], *indexes: str) -> None:
    """Only indexes are read, one of those named in its order; nothing is sorted."""
    scans = {"Limit", "Nested Loop", "Index Scan", "Index Only Scan", "Memoize"}
    assert {step["Node Type"] for step in plan} <= scans
    ranges = [step for step in plan if step.get("Index Name") in indexes]
    assert ranges
    assert all("Index Cond" in step for step in ranges)


@pytest.mark.parametrize("order", ORDERS)
def test_a_page_of_messages_is_a_seek(database: Connection, order: Order) -> None:
    assert_seeks(steps(database, select_messages(order)), "messages_pkey")


@pytest.mark.parametrize("order", ORDERS)
def test_a_page_of_completions_is_a_seek(database: Connection, order: Order) -> None:
    plan = steps(database, select_completions(order, by_model=False, pairs=0))

    assert_seeks(plan, "completions_by_time")


@pytest.mark.parametrize("order", ORDERS)
def test_a_page_of_one_model_is_a_seek(database: Connection, order: Order) -> None:
    """By time, passing over the others, where the model is a common one."""
    plan = steps(database, select_completions(order, by_model=True, pairs=0))

    assert_seeks(plan, "completions_by_time", "completions_by_model")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("by_model", [False, True])
@pytest.mark.parametrize("pairs", [1, 2, 3])
def test_a_page_by_metadata_is_a_seek(
    database: Connection, order: Order, by_model: bool, pairs: int
) -> None:
    plan = steps(database, select_completions(order, by_model=by_model, pairs=pairs))

    assert_seeks(plan, "metadata_by_pair")


def test_a_cursor_is_found_by_its_id(database: Connection) -> None:
    assert_seeks(steps(database, COMPLETION_CURSOR), "completions_id_key")
    assert_seeks(steps(database, MESSAGE_CURSOR), "messages_completion_id_key")


def test_a_server_that_was_restarted_is_not_noticed(
    store: Store, url: str, postgres: PostgresServer
) -> None:
    add(store, completion("c1"))

    postgres.drop_connections(url)

    assert store.list_completions(FIRST).ids == ("c1",)
    postgres.drop_connections(url)
    assert store.delete_completion("c1")


def test_a_server_that_cannot_be_reached_is_told_in_one_line() -> None:
    with pytest.raises(StoreError) as caught:
        Store("postgresql+psycopg://somebody:secret@127.0.0.1:1/readback")

    assert str(caught.value).startswith("The store readback cannot be opened: connection failed")
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_database_that_does_not_exist_is_told(postgres: PostgresServer) -> None:
    with pytest.raises(StoreError, match='database "none" does not exist'):
        Store(postgres.url("none"))


def test_a_database_in_another_encoding_is_refused(postgres: PostgresServer) -> None:
    refusal = pytest.raises(StoreError, match="is in LATIN1, which cannot hold every text")
    with postgres.database_in("LATIN1") as url, refusal:
        Store(url)


@pytest.mark.parametrize("scheme", ["postgresql+psycopg2", "mysql+pymysql"])
def test_another_driver_or_database_is_refused(scheme: str) -> None:
    with pytest.raises(StoreError, match="PostgreSQL|postgresql"):
        Store(f"{scheme}://db.example/readback")


def test_the_driver_need_not_be_named(url: str) -> None:
    with closing(Store(url.replace("+psycopg", ""))) as store:
        add(store, completion("c1"))
        assert store.list_completions(FIRST).ids == ("c1",)


def test_a_store_can_have_a_schema_of_its_own_in_a_database_with_other_tables(url: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE bookmarks (url TEXT)")
        connection.exec_driver_sql("CREATE SCHEMA readback")

    with closing(Store(f"{url}&options=-csearch_path%3Dreadback")) as store:
        add(store, completion("c1"))
        assert json.loads(store.retrieve_completion("c1") or "")["id"] == "c1"


def test_an_address_is_shown_without_its_password() -> None:
    shown = hide_password("postgresql+psycopg://readback:secret@db.example/readback")

    assert shown == "postgresql+psycopg://readback:***@db.example/readback"
