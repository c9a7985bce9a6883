"""In SQLite every page is a seek in an index: no table is scanned and nothing is sorted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import Engine, TextClause

from tests.embedded.store.test_deriving import RUN
from tools.store_rows import add, completion, database_url, listening
from webapp.embedded import Store
from webapp.embedded.finding.filters import build_selection
from webapp.embedded.finding.walking import ListCursor, walk
from webapp.embedded.store.pages import Order
from webapp.embedded.store.queries import (
    COMPLETION_CURSOR,
    MESSAGE_CURSOR,
    select_messages,
)
from webapp.finding import parse_query

BINDS = dict.fromkeys(("completion", "after", "rows", "id"), 1)
ORDERS = get_args(Order)


@pytest.fixture(scope="module", params=["without statistics", "with statistics"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a filled store, also after ANALYZE, which may change the plans."""
    path = tmp_path_factory.mktemp("store")
    with closing(Store(database_url(path))) as store:
        add(
            store,
            *(
                completion(
                    f"c{at}",
                    messages=3,
                    created=at,
                    model="m",
                    metadata={"a": str(at % 2), "b": "1"},
                    usage={"total_tokens": at},
                )
                for at in range(200)
            ),
        )
    if request.param == "with statistics":
        with closing(sqlite3.connect(path / "store.db")) as connection:
            connection.execute("ANALYZE")
    return path


@pytest.fixture
def database(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / "store.db")) as connection:
        yield connection


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with closing(Store(database_url(folder))) as opened:
        yield opened


def plan(database: sqlite3.Connection, statement: TextClause) -> list[str]:
    return [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement.text}", BINDS)]


def assert_seeks(steps: list[str], index: str) -> None:
    assert steps[0].startswith("SEARCH ")
    assert index in steps[0]
    for step in steps:
        assert step.startswith(("SEARCH ", "SCALAR SUBQUERY", "CORRELATED SCALAR SUBQUERY"))


@pytest.mark.parametrize("order", ORDERS)
def test_a_page_of_messages_is_a_seek(database: sqlite3.Connection, order: Order) -> None:
    first = plan(database, select_messages(order))
    following = plan(database, select_messages(order, continues=True))

    assert first[0].endswith("(completion=?)")
    assert following[0].endswith(f"(completion=? AND position{'>' if order == 'asc' else '<'}?)")
    assert_seeks(first, "sqlite_autoindex_messages_1")
    assert_seeks(following, "sqlite_autoindex_messages_1")


ONE = ["", "model:m", "metadata:a=1", "finish:stop", "since:2026-11-17 model:m"]
SEVERAL = [
    "model:nobody metadata:a=1",
    "metadata:a=1 metadata:b=1 metadata:c=1",
    "tool:shell finish:stop has:image",
    "tokens:>100",
    "messages:>1 tool:shell before:2026-11-17",
    "on:2026-11-17 duration:<9",
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("folds", [False, True])
@pytest.mark.parametrize("words", [*ONE, *SEVERAL])
def test_a_page_of_completions_by_time_is_a_seek(
    store: Store, words: str, folds: bool, order: Order
) -> None:
    """With several filters, a seek and a bounded scan; only a few rows of a range are sorted."""
    for steps in explain_walk(store, words, None, order=order, folds=folds, chunks=(1, 2)):
        assert_only_seeks(steps, may_sort=":>" in words or ":<" in words)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("sort", "folds"), [("messages", True), ("total_tokens", False)])
@pytest.mark.parametrize("words", ["", *SEVERAL])
def test_a_page_in_the_order_of_a_number_is_a_seek(
    store: Store, words: str, sort: str, folds: bool, order: Order
) -> None:
    index = {"total_tokens": "tokens"}.get(sort, sort)
    plans = list(explain_walk(store, words, sort, order=order, folds=folds, chunks=(1, 2)))
    assert any(f"facts_by_{index}" in steps[0] for steps in plans)
    for steps in plans:
        assert_only_seeks(steps, may_sort=True)


def test_the_conversation_of_a_completion_is_found_by_seeks(tmp_path: Path) -> None:
    statements: list[tuple[str, Any]] = []

    def note(*args: Any) -> None:
        statements.append((args[2], args[3]))

    with closing(Store(database_url(tmp_path))) as store:
        add(store, *RUN[1:3])
        with listening(Engine, "before_cursor_execute", note):
            add(store, *RUN[:1], *RUN[3:])
        looked_up = {one: binds for one, binds in statements if "SELECT" in one and "facts" in one}
        assert any("FROM ends" in one for one in looked_up)
        with store.connect() as connection:
            for statement, binds in looked_up.items():
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", binds)
                steps = [row[3] for row in plan]
                merged = (
                    "COMPOUND",
                    "SCAN CONSTANT ROW",
                    "LEFT-MOST",
                    "UNION",
                    "MATERIALIZE s",
                    "SCAN json_each",
                )
                assert_only_seeks(
                    [one for one in steps if not one.startswith(merged)], may_sort=True
                )


def explain_walk(
    store: Store,
    words: str,
    sort: str | None,
    *,
    order: Order,
    folds: bool,
    chunks: tuple[int, ...],
) -> Iterator[list[str]]:
    """Yield the plan of each statement of a page."""
    statements: list[tuple[str, Any]] = []

    def note(*args: Any) -> None:
        statements.append((args[2], args[3]))

    with store.connect() as connection:
        with listening(connection.engine, "before_cursor_execute", note):
            walk(
                connection,
                build_selection(parse_query(words)),
                order=order,
                after=ListCursor(None if sort is None else 1, 100, 100),
                rows=21,
                sort=sort,
                folds=folds,
                chunks=chunks,
            )
        for statement, binds in (one for one in statements if one[0].startswith("SELECT")):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", binds)
            yield [row[3] for row in plan]


def assert_only_seeks(steps: list[str], *, may_sort: bool = False) -> None:
    # `s` is what a subquery has found, and `d` so few rows that they are sorted.
    known: tuple[str, ...] = (
        "SEARCH ",
        "CORRELATED SCALAR SUBQUERY",
        "SCALAR SUBQUERY",
        "CO-ROUTINE",
        "SCAN s",
    )
    known = (*known, "SCAN d", "USE TEMP B-TREE") if may_sort else known
    for step in steps:
        assert step.startswith(known), steps


@pytest.mark.parametrize("statement", [COMPLETION_CURSOR, MESSAGE_CURSOR])
def test_a_cursor_is_found_by_its_id(database: sqlite3.Connection, statement: TextClause) -> None:
    [step] = plan(database, statement)

    assert_seeks([step], "id=?)")
