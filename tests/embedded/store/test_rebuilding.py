"""Rows that an older program stored get what this program derives from their given texts."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from sqlalchemy import event

from tests.embedded.store.test_schema import VERSION_1
from tools.store_rows import compact, rows
from webapp.database import migrate, open_database
from webapp.embedded import Store
from webapp.embedded.documents.records import parse_record
from webapp.embedded.store import rebuilding
from webapp.embedded.store.pages import PageRequest
from webapp.embedded.store.schema import SCHEMA

pytestmark = pytest.mark.new_database

PAGE = PageRequest(None, 20, "asc")
BROKEN = {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": None}
GIVEN: dict[str, dict[str, object]] = {
    "text": {"created": "1766000000", "choices": [BROKEN], "incomplete": {"reason": "r"}},
    "milliseconds": {"created": 1766000001000, "choices": [], "readback_timing": {"total_ms": 1}},
    "none": {"choices": [BROKEN, BROKEN]},
}


def store_old(url: str) -> None:
    """Make a store of version 1, whose rows have the made-up members of that time."""
    for statement in VERSION_1[:-3]:
        rows(url, statement)
    for seq, (name, members) in enumerate(GIVEN.items(), 1):
        given = compact({"id": name, "metadata": {"a": "old"}, "messages": []} | members)
        wire = compact({"id": name, "created": 0, "metadata": {"a": "new"}} | members)
        rows(
            url,
            "INSERT INTO completions VALUES (:seq, :id, 0, NULL, 'd', :wire, :given)",
            seq=seq,
            id=name,
            wire=wire,
            given=given,
        )
        rows(
            url,
            "INSERT INTO messages VALUES (:seq, 0, :id, '{}', :given)",
            seq=seq,
            id=f"{name}-0",
            given='{"role":"user","content":"q"}',
        )
        rows(url, "INSERT INTO metadata VALUES (:seq, 'a', 'new', 0)", seq=seq)


def assert_rebuilt(url: str) -> None:
    """All derived columns are those of an import of today, but for the metadata of today."""
    found = rows(url, "SELECT id, created, wire_json FROM completions ORDER BY seq")
    assert [row.id for row in found] == list(GIVEN)
    for row in found:
        given = {"id": row.id, "metadata": {"a": "new"}, "messages": []} | GIVEN[row.id]
        record = parse_record(compact(given))
        assert (row.created, row.wire_json) == (record.created, record.wire_json)
    dated = rows(url, "SELECT created FROM metadata ORDER BY completion")
    assert [one.created for one in dated] == [one.created for one in found]
    messages = rows(url, "SELECT id, wire_json FROM messages ORDER BY completion")
    assert [json.loads(one.wire_json)["id"] for one in messages] == [one.id for one in messages]
    assert rows(url, "SELECT form, seq FROM rebuilt") == [(rebuilding.FORM, 0)]


def test_rows_of_an_older_program_are_rebuilt_when_the_store_is_opened(url: str) -> None:
    store_old(url)

    with closing(Store(url)) as store:
        assert store.list_completions(PAGE).ids == ("none", "text", "milliseconds")
        assert store.list_completions(PAGE, metadata=[("a", "new")]).ids[0] == "none"
        assert '"a":"new"' in (store.retrieve_completion("text", as_given=True) or "")
    assert_rebuilt(url)


def test_a_rebuild_that_is_interrupted_goes_on_where_it_was(
    url: str,
) -> None:
    store_old(url)
    commits = []

    def stop_at_the_third(connection: object) -> None:
        commits.append(connection)
        if len(commits) == 3:
            raise KeyboardInterrupt

    with closing(open_database(url)) as database:
        migrate(database, SCHEMA)
        event.listen(database.exclusive, "commit", stop_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            rebuilding.rebuild(database, bytes_at_once=0)
    [(form, seq)] = rows(url, "SELECT form, seq FROM rebuilt")
    assert form == 0 and 0 < seq < len(GIVEN)
    rows(url, "UPDATE completions SET wire_json = 'left alone' WHERE seq = 1")

    Store(url).close()

    assert rows(url, "SELECT wire_json FROM completions WHERE seq = 1") == [("left alone",)]
    assert rows(url, "SELECT form, seq FROM rebuilt") == [(rebuilding.FORM, 0)]


@pytest.mark.parametrize("column", ["given_json", "wire_json"])
@pytest.mark.parametrize("damaged", ["[1]", "{", "null"])
def test_a_damaged_row_stays_and_the_others_are_rebuilt(
    url: str, column: str, damaged: str
) -> None:
    store_old(url)
    rows(url, f"UPDATE completions SET {column} = :text WHERE id = 'text'", text=damaged)
    rows(url, "UPDATE messages SET given_json = '{' WHERE completion = 1")
    kept = "SELECT created, wire_json, given_json FROM completions WHERE id = 'text'"
    before = rows(url, kept)

    Store(url).close()

    assert rows(url, kept) == before
    [(created,)] = rows(url, "SELECT created FROM completions WHERE id = 'milliseconds'")
    assert created == 1_766_000_001
