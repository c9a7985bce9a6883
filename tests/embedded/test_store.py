"""What the store keeps, gives back and takes away."""

from __future__ import annotations

import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from tests.embedded.building import add, completion, database_url, rows
from webapp.embedded import Store, StoreError
from webapp.embedded.given import Metadata, read_completion
from webapp.embedded.pages import PageRequest
from webapp.embedded.store import Outcome

GIVEN = (
    '{"id": "c1", "seed" : -8132613597486110237, "temperature": 1.50, "seed": 7,'
    ' "messages": [{"role": "user",  "content": "caf\\u00e9 \\ud800", "n": 1.0, "n": 2.00}],'
    ' "choices": [] }'
)


def test_the_given_text_is_in_the_database_to_the_character(store: Store, tmp_path: Path) -> None:
    store.add([read_completion(GIVEN)])

    [(head,)] = rows(tmp_path, "SELECT given_json FROM completions")
    [(message,)] = rows(tmp_path, "SELECT given_json FROM messages")
    assert head.replace("[]", f"[{message}]", 1) == GIVEN


def test_the_same_content_again_is_unchanged_and_other_content_a_conflict(store: Store) -> None:
    other = GIVEN.replace("1.50", "1.5")
    outcomes = store.add([read_completion(text) for text in (GIVEN, GIVEN, other)])

    assert outcomes == [Outcome.ADDED, Outcome.UNCHANGED, Outcome.CONFLICT]
    assert '"temperature":1.50' in (store.retrieve_completion("c1") or "")


def test_updated_metadata_does_not_make_the_given_content_a_conflict(store: Store) -> None:
    store.add([read_completion(GIVEN)])
    store.replace_metadata("c1", Metadata('{"a":"b"}', (("a", "b"),)))

    assert store.add([read_completion(GIVEN)]) == [Outcome.UNCHANGED]
    assert '"metadata":{"a":"b"}' in (store.retrieve_completion("c1") or "")


def test_metadata_is_replaced_and_nothing_else_changes(store: Store) -> None:
    add(store, completion("c1", metadata={"metadata": "{}", "b": "2"}, created=5, x={"y": 1}))
    before = store.retrieve_completion("c1") or ""

    after = store.replace_metadata("c1", Metadata('{"a":"\\u00e9"}', (("a", "é"),)))

    assert after == before.replace('{"metadata":"{}","b":"2"}', '{"a":"\\u00e9"}')
    assert after == store.retrieve_completion("c1")


def test_deleting_takes_messages_and_metadata_along(store: Store, tmp_path: Path) -> None:
    add(store, completion("c1", messages=3, metadata={"a": "b"}), completion("c2"))

    assert store.delete_completion("c1") is True
    assert store.delete_completion("c1") is False
    assert rows(tmp_path, "SELECT count(*) FROM messages") == [(1,)]
    assert rows(tmp_path, "SELECT count(*) FROM metadata") == [(0,)]


def test_a_deleted_completion_can_be_added_again(store: Store) -> None:
    add(store, completion("c1", messages=2))
    store.delete_completion("c1")
    add(store, completion("c1", messages=2))

    page = store.list_messages("c1", PageRequest(None, 20, "asc"))
    assert page is not None
    assert page.ids == ("c1-0", "c1-1")


def test_what_was_stored_is_there_when_the_store_is_opened_again(tmp_path: Path) -> None:
    with closing(Store(database_url(tmp_path))) as first:
        add(first, completion("c1"))
        assert first.is_new
    with closing(Store(database_url(tmp_path))) as second:
        assert json.loads(second.retrieve_completion("c1") or "{}")["id"] == "c1"
        assert not second.is_new


def test_the_store_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "deep"
    with closing(Store(database_url(folder))) as store:
        add(store, completion("c1"))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert modes == {"store.db": 0o600, "store.db-shm": 0o600, "store.db-wal": 0o600}


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_store_in_memory_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="The store needs a file"):
        Store(url)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(StoreError, match="The store's address is not a database URL."):
        Store("store.db")


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match=r"The store .*/file/store\.db cannot be created: "):
        Store(database_url(tmp_path / "file"))


def test_readers_do_not_wait_for_a_writer(store: Store, tmp_path: Path) -> None:
    add(store, completion("c1"))

    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM completions")
        assert store.retrieve_completion("c1") is not None
