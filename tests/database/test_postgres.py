"""Properties of stores in PostgreSQL only: connections, encodings and query plans."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any, get_args

import pytest
from sqlalchemy import (
    Connection,
    Engine,
    ExceptionContext,
    NullPool,
    TextClause,
    create_engine,
    text,
)
from sqlalchemy.exc import DBAPIError

from tools.postgres import PostgresServer
from tools.store_rows import add, completion, listening
from webapp.addresses.credentials import hide_password
from webapp.cli.stores import open_shares, open_store
from webapp.config import Config
from webapp.database import Outage, find_outage, insert_whole, open_database
from webapp.embedded import Store, StoreError, StoreUnavailable
from webapp.embedded.finding.filters import build_selection
from webapp.embedded.finding.walking import ListCursor, walk
from webapp.embedded.store.pages import Order, PageRequest
from webapp.embedded.store.queries import (
    COMPLETION_CURSOR,
    MESSAGE_CURSOR,
    select_messages,
)
from webapp.finding import parse_query

ORDERS = get_args(Order)
FIRST = PageRequest(None, 20, "asc")
FILLED = (
    "INSERT INTO completions SELECT n, 'c' || n, n / 10, 'm' || n % 10, '', '{}', '{}'"
    " FROM generate_series(1, 20000) AS n",
    "INSERT INTO messages SELECT 1, n, 'm' || n, '{}', '{}' FROM generate_series(1, 20000) AS n",
    "INSERT INTO metadata SELECT n, key, CAST(n % 2 AS text), n / 10"
    " FROM generate_series(1, 20000) AS n, (VALUES ('a'), ('b'), ('c')) AS keys (key)",
    "INSERT INTO tags SELECT n, tag, n / 10 FROM generate_series(1, 20000) AS n,"
    " (VALUES ('finish:stop'), ('tool:shell')) AS tags (tag)",
    "INSERT INTO facts SELECT n, n / 10, n % 7, n % 1000, 1, 1, 1, n % 500, 1, n, NULL, 0, 1, n, 0,"
    " '' FROM generate_series(1, 20000) AS n",
)
BINDS_OF_PAGES: dict[str, object] = {
    "id": "c1",
    "completion": 1,
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


def test_what_has_nul_is_not_found_and_stored_without_it(url: str) -> None:
    database = open_database(url)
    with closing(database), database.writer.begin() as connection:
        connection.execute(text("CREATE TABLE notes (note TEXT)"))
        insert = text("INSERT INTO notes VALUES (:note)")
        connection.execute(insert, {"note": "a\0b"})
        connection.execute(insert, [{"note": "c"}, {"note": "\0"}])
        notes = connection.execute(text("SELECT note FROM notes")).scalars().all()
        found = connection.execute(text("SELECT 1 FROM notes WHERE note = :x"), {"x": "c\0"}).all()

    assert sorted(notes) == ["a\ufffdb", "c", "\ufffd"]
    assert found == []


def test_a_server_that_does_not_answer_is_an_outage() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        # The driver waits for two seconds at least.
        url = f"postgresql+psycopg://readback@127.0.0.1:{port}/readback?connect_timeout=2"
        with pytest.raises(StoreUnavailable) as raised:
            Store(url)

    assert raised.value.outage is Outage.DOWN


def steps(database: Connection, statement: TextClause) -> list[dict[str, Any]]:
    """The steps of the plan, the outer ones first."""
    explain = text(f"EXPLAIN (FORMAT JSON) {statement.text}")
    [root] = database.execute(explain, BINDS_OF_PAGES).scalar_one()
    return iter_steps(root["Plan"])


def iter_steps(plan: dict[str, Any]) -> list[dict[str, Any]]:
    found, unread = [], [plan]
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
@pytest.mark.parametrize("continues", [False, True])
def test_a_page_of_messages_is_a_seek(database: Connection, continues: bool, order: Order) -> None:
    statement = select_messages(order, continues=continues)
    assert_seeks(steps(database, statement), "messages_pkey")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("words", "sort"),
    [
        ("", None),
        ("model:m1", None),
        ("metadata:a=1 metadata:b=1 model:m1", None),
        ("finish:stop tool:shell", None),
        ("finish:stop tokens:>10", None),
        ("", "total_tokens"),
        ("finish:stop messages:>10 metadata:a=1", "duration_ms"),
    ],
)
def test_a_page_of_completions_is_a_seek(
    database: Connection, words: str, sort: str | None, order: Order
) -> None:
    """Each statement of its walk seeks in an index, and reads no table from end to end."""
    statements: list[tuple[str, Any]] = []

    def note(*args: Any) -> None:
        statements.append((args[2], args[3]))

    with listening(database.engine, "before_cursor_execute", note):
        walk(
            database,
            build_selection(parse_query(words)),
            order=order,
            after=ListCursor(None if sort is None else 500, 1000, 10_000),
            rows=21,
            sort=sort,
            folds=True,
            chunks=(50, 500),
        )
    for statement, binds in statements:
        plan = database.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", binds)
        found = iter_steps(plan.scalar_one()[0]["Plan"])
        assert "Seq Scan" not in {step["Node Type"] for step in found}, statement


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


def test_time_outs_of_the_server_end_no_writing_and_are_outages_of_reading(
    postgres: PostgresServer, url: str
) -> None:
    """The server may bound the statements of all its users, however long imports take."""
    timed = f"{url}&options=-c%20statement_timeout%3D50%20-c%20lock_timeout%3D50"
    slow = text("SELECT pg_sleep(0.06)")
    with closing(open_database(timed)) as database:
        for engine in (database.writer, database.exclusive):
            with engine.begin() as connection:
                connection.execute(slow)
        with database.reader.connect() as connection, pytest.raises(DBAPIError) as raised:
            connection.execute(slow)

    assert find_outage(raised.value) is Outage.CANCELLED


def test_commands_read_for_longer_than_the_server_lets_pages(url: str) -> None:
    timed = f"{url}&options=-c%20statement_timeout%3D50"
    slow = text("SELECT pg_sleep(0.06)")
    config = Config(database_url=timed)
    with open_store(config) as store, store.connect() as connection:
        connection.execute(slow)
    with open_shares(config) as (shares, _):
        assert shares.list_shares() == []


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


def test_rows_are_inserted_as_they_are(url: str) -> None:
    rows = [
        (1, "\"\\u0041'\n\x1d\U0001f600\x7f\u2028", b"\x00\\x", [1, -2], True),
        (2, "x" * 1_000_001, b"", [], None),
        (-(2**62), "\\", None, None, False),
    ]
    columns = {"n": "bigint", "t": "text", "b": "bytea", "a": "integer[]", "o": "boolean"}
    table = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    with closing(open_database(url)) as database, database.writer.begin() as connection:
        connection.execute(text(f"CREATE TABLE kept (other integer DEFAULT 7, {table})"))
        insert_whole(connection, "kept", [*columns], rows)
        insert_whole(connection, "kept", [*columns], [])
        found = connection.execute(text("SELECT n, t, b, a, o FROM kept WHERE other = 7"))
        assert set(map(repr, map(tuple, found))) == set(map(repr, rows))


def test_an_outage_while_rows_are_inserted_is_counted(url: str) -> None:
    seen: list[Outage | None] = []

    def note(context: ExceptionContext) -> None:
        seen.append(find_outage(context.sqlalchemy_exception or context.original_exception))

    with (
        closing(open_database(url)) as database,
        listening(Engine, "handle_error", note),
        pytest.raises(DBAPIError),
        database.writer.begin() as connection,
    ):
        insert_whole(connection, "gone", ["n"], [(1,), (2,)])
    assert seen == [Outage.DAMAGED]


def test_statements_are_not_compiled(url: str) -> None:
    with closing(open_database(url)) as database, database.reader.connect() as connection:
        assert connection.execute(text("SHOW jit")).scalar() == "off"
