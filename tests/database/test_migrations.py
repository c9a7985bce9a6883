"""Tables of several owners in one database, each with a version of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import Connection, text

from tools.store_rows import add, completion, rows
from webapp.database import Database, Schema, StoreError, migrate, migrate_all, open_database
from webapp.embedded import Store
from webapp.embedded.store.schema import SCHEMA

pytestmark = pytest.mark.new_database


def create_notes(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE notes (body TEXT)"))


def date_notes(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE notes ADD COLUMN written INTEGER"))


NOTES = Schema((create_notes,), prefix="notes_")
DATED_NOTES = Schema((create_notes, date_notes), prefix="notes_")


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with closing(open_database(url)) as opened:
        yield opened


def test_two_owners_share_a_database_in_either_order(url: str, database: Database) -> None:
    assert migrate(database, NOTES) is True
    with closing(Store(url)) as store:
        assert store.is_new is True
        add(store, completion("c1"))
    assert migrate(database, NOTES) is False
    with closing(Store(url)) as store:
        assert store.is_new is False

    assert rows(url, "SELECT * FROM notes") == []
    assert rows(url, "SELECT id FROM completions") == [("c1",)]


def test_each_owner_has_its_own_version(url: str, database: Database) -> None:
    Store(url).close()
    migrate(database, NOTES)

    assert migrate(database, DATED_NOTES) is False
    assert rows(url, "SELECT version FROM notes_schema_version") == [(2,)]
    assert rows(url, "SELECT version FROM schema_version") == [(len(SCHEMA.steps),)]
    with pytest.raises(StoreError, match="schema version 2, and this program knows versions up to"):
        migrate(database, NOTES)


def test_several_owners_are_brought_up_to_date_at_once(url: str, database: Database) -> None:
    migrate(database, NOTES)
    for _ in range(2):
        migrate_all(database, (DATED_NOTES, SCHEMA))

        assert rows(url, "SELECT version FROM notes_schema_version") == [(2,)]
        assert rows(url, "SELECT version FROM schema_version") == [(len(SCHEMA.steps),)]
    with pytest.raises(StoreError, match="schema version 2, and this program knows versions up to"):
        migrate_all(database, (SCHEMA, NOTES))
