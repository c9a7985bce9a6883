"""Versions of the store: newer ones are refused, older ones brought forward."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from tests.embedded.building import add, completion, database_url, rows
from webapp.embedded import Store, StoreError
from webapp.embedded.engine import open_engine
from webapp.embedded.schema import STEPS, Step, prepare


def a_later_step(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE completions ADD COLUMN note TEXT"))


def a_broken_step(connection: Connection) -> None:
    raise RuntimeError


def migrate(folder: Path, *later: Step) -> bool:
    engine = open_engine(database_url(folder))
    try:
        return prepare(engine, (*STEPS, *later))
    finally:
        engine.dispose()


def filled(folder: Path) -> None:
    with closing(Store(database_url(folder))) as store:
        add(store, completion("c1"))


def test_a_new_store_has_the_version_of_the_program(store: Store, tmp_path: Path) -> None:
    assert rows(tmp_path, "SELECT version FROM schema_version") == [(len(STEPS),)]


def test_an_older_store_is_brought_forward_with_what_it_holds(tmp_path: Path) -> None:
    filled(tmp_path)

    assert migrate(tmp_path, a_later_step) is False
    assert rows(tmp_path, "SELECT version FROM schema_version") == [(len(STEPS) + 1,)]
    assert rows(tmp_path, "SELECT id, note FROM completions") == [("c1", None)]


def test_a_store_that_is_brought_forward_is_left_alone_the_next_time(tmp_path: Path) -> None:
    assert migrate(tmp_path, a_later_step) is True
    assert migrate(tmp_path, a_later_step) is False


def test_a_step_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    filled(tmp_path)

    with pytest.raises(RuntimeError):
        migrate(tmp_path, a_later_step, a_broken_step)
    assert rows(tmp_path, "SELECT version FROM schema_version") == [(len(STEPS),)]
    assert ("note",) not in rows(tmp_path, "SELECT name FROM pragma_table_info('completions')")


def test_a_newer_store_is_refused_in_one_line(tmp_path: Path) -> None:
    migrate(tmp_path, a_later_step)

    with pytest.raises(StoreError) as caught:
        Store(database_url(tmp_path))
    assert str(caught.value) == (
        f"The store {tmp_path / 'store.db'} has schema version 2, and this program knows versions "
        "up to 1. Use a newer Readback."
    )


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("Dear diary, " * 100)

    with pytest.raises(StoreError, match="cannot be opened: file is not a database"):
        Store(database_url(tmp_path))
    assert (tmp_path / "store.db").read_text() == "Dear diary, " * 100


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    rows(tmp_path, "CREATE TABLE bookmarks (url TEXT)")

    with pytest.raises(StoreError, match="belongs to another program"):
        Store(database_url(tmp_path))
