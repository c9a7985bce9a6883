"""In SQLite every page is a seek in an index: no table is scanned and nothing is sorted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import get_args

import pytest
from sqlalchemy import TextClause

from tools.store_rows import add, completion, database_url
from webapp.embedded import Store
from webapp.embedded.store.pages import Order
from webapp.embedded.store.queries import (
    COMPLETION_CURSOR,
    MESSAGE_CURSOR,
    select_completions,
    select_messages,
)

BINDS = dict.fromkeys(("completion", "position", "created", "seq", "model", "after", "rows"), 1) | {
    f"{name}{at}": "x" for name in ("key", "value") for at in range(3)
}
ORDERS = get_args(Order)


@pytest.fixture(params=["without statistics", "with statistics"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A filled store's database, also after ANALYZE, which may change the plans."""
    with closing(Store(database_url(tmp_path))) as store:
        add(
            store,
            *(
                completion(f"c{at}", messages=3, model="m", metadata={"a": str(at % 2), "b": "1"})
                for at in range(200)
            ),
        )
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        if request.param == "with statistics":
            connection.execute("ANALYZE")
        yield connection


def plan(database: sqlite3.Connection, statement: TextClause) -> list[str]:
    return [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement.text}", BINDS)]


def assert_seeks(steps: list[str], index: str) -> None:
    assert steps[0].startswith("SEARCH ")
    assert index in steps[0]
    for step in steps:
        assert step.startswith(("SEARCH ", "CORRELATED SCALAR SUBQUERY"))


@pytest.mark.parametrize("order", ORDERS)
def test_a_page_of_messages_is_a_seek(database: sqlite3.Connection, order: Order) -> None:
    [step] = plan(database, select_messages(order))

    assert step.endswith("(completion=? AND position>?)" if order == "asc" else "position<?)")
    assert_seeks([step], "sqlite_autoindex_messages_1")


@pytest.mark.parametrize("order", ORDERS)
def test_a_page_of_completions_is_a_seek(database: sqlite3.Connection, order: Order) -> None:
    steps = plan(database, select_completions(order, by_model=False, pairs=0))

    assert_seeks(steps, "completions_by_time ((created,seq)")


@pytest.mark.parametrize("order", ORDERS)
def test_a_page_of_one_model_is_a_seek(database: sqlite3.Connection, order: Order) -> None:
    steps = plan(database, select_completions(order, by_model=True, pairs=0))

    assert_seeks(steps, "completions_by_model (model=? AND (created,seq)")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("by_model", [False, True])
@pytest.mark.parametrize("pairs", [1, 2, 3])
def test_a_page_by_metadata_is_a_seek(
    database: sqlite3.Connection, order: Order, by_model: bool, pairs: int
) -> None:
    steps = plan(database, select_completions(order, by_model=by_model, pairs=pairs))

    assert_seeks(steps, "metadata_by_pair (key=? AND value=? AND (created,completion)")


@pytest.mark.parametrize("statement", [COMPLETION_CURSOR, MESSAGE_CURSOR])
def test_a_cursor_is_found_by_its_id(database: sqlite3.Connection, statement: TextClause) -> None:
    [step] = plan(database, statement)

    assert_seeks([step], "id=?)")
