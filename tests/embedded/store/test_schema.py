"""Versions of the store: newer ones are refused, older ones are migrated."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, make_url, text

from tools.postgres import PostgresServer
from tools.store_rows import add, completion, database_url, listening, rows
from webapp.database import Schema, Step, migrate, open_database
from webapp.embedded import Store, StoreError
from webapp.embedded.store.pages import PageRequest
from webapp.embedded.store.schema import MAX_INLINE, SCHEMA

pytestmark = pytest.mark.new_database

VERSION_1 = (
    "CREATE TABLE schema_version (version INTEGER NOT NULL)",
    "INSERT INTO schema_version VALUES (1)",
    "CREATE TABLE completions (seq BIGINT NOT NULL PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " created BIGINT NOT NULL, model TEXT, digest TEXT NOT NULL, wire_json TEXT NOT NULL,"
    " given_json TEXT NOT NULL)",
    "CREATE INDEX completions_by_time ON completions (created, seq)",
    "CREATE INDEX completions_by_model ON completions (model, created, seq)",
    "CREATE TABLE messages (completion BIGINT NOT NULL REFERENCES completions (seq)"
    " ON DELETE CASCADE, position INTEGER NOT NULL, id TEXT NOT NULL, wire_json TEXT NOT NULL,"
    " given_json TEXT NOT NULL, PRIMARY KEY (completion, position), UNIQUE (completion, id))",
    "CREATE TABLE metadata (completion BIGINT NOT NULL REFERENCES completions (seq)"
    " ON DELETE CASCADE, key TEXT NOT NULL, value TEXT NOT NULL, created BIGINT NOT NULL,"
    " PRIMARY KEY (completion, key))",
    "CREATE INDEX metadata_by_pair ON metadata (key, value, created, completion)",
    "INSERT INTO completions VALUES (1, 'c1', 5, 'm', 'digest', '[1]', '{}')",
    "INSERT INTO messages VALUES (1, 0, 'm1', '[2]', '{}')",
    "INSERT INTO metadata VALUES (1, 'a', 'b', 5)",
)


def a_later_step(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE completions ADD COLUMN note TEXT"))


def a_broken_step(connection: Connection) -> None:
    raise RuntimeError


def migrate_store(url: str, *later: Step) -> bool:
    database = open_database(url)
    try:
        return migrate(database, Schema((*SCHEMA.steps, *later)))
    finally:
        database.close()


def filled(url: str) -> None:
    with closing(Store(url)) as store:
        add(store, completion("c1"))


def test_a_new_store_has_the_version_of_the_program(store: Store, url: str) -> None:
    assert rows(url, "SELECT version FROM schema_version") == [(len(SCHEMA.steps),)]


def test_an_older_store_is_migrated_with_its_content(url: str) -> None:
    filled(url)

    assert migrate_store(url, a_later_step) is False
    assert rows(url, "SELECT version FROM schema_version") == [(len(SCHEMA.steps) + 1,)]
    assert rows(url, "SELECT id, note FROM completions") == [("c1", None)]


def test_a_store_that_is_brought_forward_is_left_alone_the_next_time(url: str) -> None:
    assert migrate_store(url, a_later_step) is True
    assert migrate_store(url, a_later_step) is False


def test_a_step_that_fails_leaves_the_store_as_it_was(url: str) -> None:
    filled(url)

    with pytest.raises(RuntimeError):
        migrate_store(url, a_later_step, a_broken_step)
    assert rows(url, "SELECT version FROM schema_version") == [(len(SCHEMA.steps),)]
    assert "note" not in rows(url, "SELECT * FROM completions")[0]._fields


def test_a_newer_store_is_refused_in_one_line(url: str) -> None:
    migrate_store(url, a_later_step)

    with pytest.raises(StoreError) as caught:
        Store(url)
    newer = len(SCHEMA.steps) + 1
    assert str(caught.value) == (
        f"The store {make_url(url).database} has schema version {newer}, and this program knows "
        f"versions up to {len(SCHEMA.steps)}. Use a newer Readback."
    )


def test_a_store_of_version_1_is_opened_by_every_later_program(url: str) -> None:
    """The statements of the first release make the tables, not this program."""
    for statement in VERSION_1:
        rows(url, statement)

    with closing(Store(url)) as store:
        assert store.is_new is False
        page = store.list_completions(PageRequest(None, 20, "asc"), metadata=[("a", "b")])
        assert (page.ids, tuple(page.data)) == (("c1",), ("[1]",))
        messages = store.list_messages("c1", PageRequest(None, 20, "asc"))
        assert messages is not None
        assert (messages.ids, tuple(messages.data)) == (("m1",), ("[2]",))
        assert store.delete_completion("c1") is True
    assert rows(url, "SELECT version FROM schema_version") == [(len(SCHEMA.steps),)]
    assert rows(url, "SELECT * FROM messages") == []


def test_the_large_texts_of_an_older_store_are_passed_over(url: str) -> None:
    for statement in VERSION_1:
        rows(url, statement)
    large = f'["{"x" * MAX_INLINE}"]'
    rows(url, "UPDATE completions SET wire_json = :large", large=large)
    rows(url, "UPDATE messages SET wire_json = :large", large=large)

    with closing(Store(url)) as store:
        page = store.list_completions(PageRequest(None, 20, "asc"))
        messages = store.list_messages("c1", PageRequest(None, 20, "asc"))
    assert page.is_large
    assert messages is not None and messages.is_large


def test_texts_in_postgresql_are_compressed_by_lz4_if_it_has_that(postgres: PostgresServer) -> None:
    """An import takes half of the server's CPU time that it takes with the default.

    Texts that are searched are compressed if they are short, too, and stay so when indexed.
    """
    known = "SELECT name FROM pg_settings WHERE 'lz4' = ANY(enumvals) AND name LIKE '%toast%'"
    compressed = (
        "SELECT DISTINCT attname FROM pg_attribute"
        " WHERE attcompression = 'l' AND attrelid = ANY(ARRAY["
        "'completions'\\:\\:regclass, 'messages'\\:\\:regclass, 'passage_groups'\\:\\:regclass])"
    )
    with postgres.database() as url:
        with closing(Store(url)) as store:
            add(store, completion("c", metadata={"asked": "Which trains? " * 10}))
            store.complete()
        assert rows(url, "SELECT text FROM passage_groups WHERE pg_column_size(text) < 60") != []
        columns = {row.attname for row in rows(url, compressed)}
        assert columns == ({"wire_json", "given_json", "text"} if rows(url, known) else set())


def test_a_disk_that_is_full_at_the_index_of_searches_is_no_reason_to_go_without(
    tmp_path: Path,
) -> None:
    """A store made without the index would read all texts at each search, for ever."""

    def fill(_connection: object, cursor: Any, statement: str, *_rest: object) -> None:
        is_index = statement.startswith("CREATE VIRTUAL TABLE")
        (pages,) = cursor.execute("PRAGMA page_count").fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages if is_index else pages + 100}")

    url = database_url(tmp_path)
    with listening(Engine, "before_cursor_execute", fill), pytest.raises(StoreError, match="full"):
        Store(url)
    Store(url).close()
    found = "SELECT name FROM sqlite_master WHERE name = 'passages_trigrams'"
    assert len(rows(url, found)) == 1


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("Dear diary, " * 100)

    with pytest.raises(StoreError, match="cannot be opened: file is not a database"):
        Store(database_url(tmp_path))
    assert (tmp_path / "store.db").read_text() == "Dear diary, " * 100


def test_the_database_of_another_program_is_refused(url: str) -> None:
    rows(url, "CREATE TABLE bookmarks (url TEXT)")

    with pytest.raises(StoreError, match="belongs to another program"):
        Store(url)
