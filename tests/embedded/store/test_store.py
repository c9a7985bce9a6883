"""Adding, reading, updating and deleting completions in the store."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, NullPool, create_engine, text

from tools.store_rows import add, compact, completion, listening, rows
from webapp.embedded import Store, StoreError
from webapp.embedded.documents.records import MessageRecord, Metadata, parse_record
from webapp.embedded.store.pages import PageRequest, UnknownCursor
from webapp.embedded.store.writing import Outcome

GIVEN = (
    '{"id": "c1", "seed" : -8132613597486110237, "temperature": 1.50, "seed": 7,'
    ' "messages": [{"role": "user",  "content": "caf\\u00e9 \\ud800", "n": 1.0, "n": 2.00}],'
    ' "choices": [] }'
)
LONG = "é" * 5_000
FIRST = PageRequest(None, 20, "asc")


def test_the_imported_text_is_in_the_database_to_the_character(store: Store, url: str) -> None:
    store.add([parse_record(GIVEN)])

    [(head,)] = rows(url, "SELECT given_json FROM completions")
    [(message,)] = rows(url, "SELECT given_json FROM messages")
    assert head.replace("[]", f"[{message}]", 1) == GIVEN


def test_the_same_content_again_is_unchanged_and_other_content_a_conflict(store: Store) -> None:
    other = GIVEN.replace("1.50", "1.5")
    outcomes = store.add([parse_record(text) for text in (GIVEN, GIVEN, other)])

    assert outcomes == [Outcome.ADDED, Outcome.UNCHANGED, Outcome.CONFLICT]
    assert '"temperature":1.50' in (store.retrieve_completion("c1") or "")


def test_a_branch_without_the_answer_is_shorter_than_one_that_repeats_it(
    store: Store, url: str
) -> None:
    asked, other = ({"role": "user", "content": one} for one in ("hi", "and?"))
    answer = {"role": "assistant", "content": "Hello"}
    choices = [{"index": 0, "message": answer}]
    of_each = {"e1": [asked], "e2": [asked], "short": [asked, other], "x": [asked, answer, other]}
    for at, (name, messages) in enumerate(of_each.items()):
        add(store, {"id": name, "created": 100 + at, "messages": messages, "choices": choices})

    linked = rows(
        url,
        "SELECT c.id, p.id FROM completions AS c JOIN facts AS f ON f.completion = c.seq"
        " JOIN completions AS p ON p.seq = f.parent",
    )
    assert {tuple(one) for one in linked} == {("short", "e2"), ("x", "e1")}


def test_updated_metadata_does_not_make_the_same_content_a_conflict(store: Store) -> None:
    store.add([parse_record(GIVEN)])
    store.replace_metadata("c1", Metadata('{"a":"b"}', (("a", "b"),)))

    assert store.add([parse_record(GIVEN)]) == [Outcome.UNCHANGED]
    assert '"metadata":{"a":"b"}' in (store.retrieve_completion("c1") or "")


def test_metadata_is_replaced_and_nothing_else_changes(store: Store) -> None:
    add(store, completion("c1", metadata={"metadata": "{}", "b": "2"}, created=5, x={"y": 1}))
    before = store.retrieve_completion("c1") or ""

    after = store.replace_metadata("c1", Metadata('{"a":"\\u00e9"}', (("a", "é"),)))

    assert after == before.replace('{"metadata":"{}","b":"2"}', '{"a":"\\u00e9"}')
    assert after == store.retrieve_completion("c1")


def test_an_amended_completion_keeps_its_messages_and_its_current_metadata(
    store: Store, url: str
) -> None:
    earlier = parse_record(GIVEN)
    amended = GIVEN.replace('"choices": []', '"usage" : {"total_tokens": 7 }, "choices": []')
    child = completion("c2", created=5, metadata={"a": "b"})
    store.add([earlier, parse_record(compact(child))])
    store.replace_metadata("c1", Metadata('{"a":"\\u00e9"}', (("a", "é"),)))
    find = "SELECT conversation, total_tokens FROM facts ORDER BY completion"
    [(conversation, none), other] = rows(url, find)
    version, changes = store.find_version("c1"), store.changes

    assert store.amend(earlier, parse_record(amended))

    assert none is None
    assert rows(url, find) == [(conversation, 7), other]
    assert rows(url, "SELECT key, value FROM metadata ORDER BY completion") == [
        ("a", x) for x in "éb"
    ]
    assert store.find_version("c1") != version
    assert store.changes != changes
    given = store.retrieve_completion("c1", as_given=True) or ""
    assert '"usage":{"total_tokens": 7 }' in given
    assert '"metadata":{"a":"\\u00e9"}' in given
    assert '"metadata":{"a":"\\u00e9"}' in (store.retrieve_completion("c1") or "")
    [(message,)] = rows(url, "SELECT given_json FROM messages WHERE completion = 1")
    assert "caf\\u00e9" in message
    # The same again, and a version of what is not stored, change nothing.
    assert not store.amend(earlier, parse_record(amended))
    assert not store.amend(replace(earlier, id="c3"), parse_record(amended.replace("c1", "c3")))
    assert store.retrieve_completion("c1", as_given=True) == given


def test_deleting_takes_messages_and_metadata_along(store: Store, url: str) -> None:
    add(store, completion("c1", messages=3, metadata={"a": "b"}), completion("c2"))

    assert store.delete_completion("c1") is True
    assert store.delete_completion("c1") is False
    assert rows(url, "SELECT count(*) FROM messages") == [(1,)]
    assert rows(url, "SELECT count(*) FROM metadata") == [(0,)]


def test_a_deleted_completion_can_be_added_again(store: Store) -> None:
    add(store, completion("c1", messages=2))
    store.delete_completion("c1")
    add(store, completion("c1", messages=2))

    page = store.list_messages("c1", PageRequest(None, 20, "asc"))
    assert page is not None
    assert page.ids == ("c1-0", "c1-1")


@pytest.mark.new_database
def test_completions_are_still_there_when_the_store_is_opened_again(url: str) -> None:
    with closing(Store(url)) as first:
        add(first, completion("c1"))
        assert first.is_new
    with closing(Store(url)) as second:
        assert json.loads(second.retrieve_completion("c1") or "{}")["id"] == "c1"
        assert not second.is_new


@pytest.mark.parametrize(
    "url", ["store.db", "postgresql://127.0.0.1:65536/a", "postgresql://127.0.0.1:0/a"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="The store's address is not a database URL, or its port"):
        Store(url)


def test_readers_do_not_wait_for_a_writer(store: Store, url: str) -> None:
    add(store, completion("c1"))

    with create_engine(url, poolclass=NullPool).begin() as writer:
        writer.execute(text("DELETE FROM completions"))
        assert store.retrieve_completion("c1") is not None


def test_a_page_shows_one_moment_when_its_completion_is_deleted_meanwhile(
    store: Store, url: str
) -> None:
    """Delete after the first statement of the page and before the others."""
    add(store, completion("c1", messages=3, metadata={"a": "b"}))

    def delete(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT seq FROM completions"):
            rows(url, "DELETE FROM messages")
            rows(url, "DELETE FROM completions")

    with listening(Engine, "after_cursor_execute", delete):
        page = store.list_messages("c1", PageRequest("c1-2", 20, "asc"))

    assert page is not None
    assert page.ids == ()
    assert store.list_messages("c1", PageRequest(None, 20, "asc")) is None


def test_a_page_has_the_messages_of_a_completion_that_is_stored_meanwhile(
    store: Store, url: str
) -> None:
    """Store it after the statement that found no messages, and before the next one."""
    waiting = [completion("c1", messages=3)]

    def add_it(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if waiting and statement.startswith("SELECT seq FROM completions"):
            with closing(Store(url)) as other:
                add(other, waiting.pop())

    with listening(Engine, "before_cursor_execute", add_it):
        page = store.list_messages("c1", PageRequest(None, 20, "asc"))

    assert page is not None
    assert page.ids == ("c1-0", "c1-1", "c1-2")


def test_messages_that_were_read_before_are_those_of_the_completion_stored_now(
    store: Store, url: str
) -> None:
    """Another process replaces the completion; in SQLite the new one gets the same number."""
    add(store, completion("c1", messages=3))
    with closing(Store(url)) as other:
        for count in (3, 2):
            for _ in range(2):
                page = store.list_messages("c1", FIRST)
                assert page is not None
                assert len(page.ids) == len(page.data) == count
            other.delete_completion("c1")
            add(other, completion("c1", messages=2))
        other.delete_completion("c1")

    assert store.list_messages("c1", FIRST) is None


def test_texts_too_long_for_an_index_are_found_all_the_same(store: Store) -> None:
    add(store, completion("c1", model=LONG, metadata={LONG: LONG, "a": LONG + "x"}))

    def found(model: str | None = None, *pairs: tuple[str, str]) -> tuple[str, ...]:
        return store.list_completions(FIRST, model=model, metadata=pairs).ids

    assert found(LONG) == found(None, (LONG, LONG)) == found(LONG, ("a", LONG + "x")) == ("c1",)
    assert found(LONG + "x") == found(None, ("a", LONG)) == ()


def test_an_escaped_nul_is_kept_and_found(store: Store) -> None:
    add(store, {**completion("c1", metadata={"a": "x\0y"}), "messages": ["\0"]})

    assert store.list_completions(FIRST, metadata=[("a", "x\0y")]).ids == ("c1",)
    assert r'"metadata":{"a":"x\u0000y"}' in (store.retrieve_completion("c1") or "")
    page = store.list_messages("c1", FIRST)
    assert page is not None
    assert r'"content":"\u0000"' in page.data[0]


@pytest.mark.parametrize("asked", ["c\0", "\0", "x" * 2_000])
def test_an_id_that_nothing_can_have_is_not_found(store: Store, asked: str) -> None:
    add(store, completion("c1"))

    assert store.retrieve_completion(asked) is None
    assert store.list_messages(asked, FIRST) is None
    assert not store.delete_completion(asked)
    with pytest.raises(UnknownCursor):
        store.list_completions(PageRequest(asked, 20, "asc"))


def test_a_message_of_20_megabytes_is_kept_whole(store: Store, client: FlaskClient) -> None:
    large = "é\n" * 7_000_000
    add(store, {**completion("c1"), "messages": [{"role": "user", "content": large}]})

    answer = client.get("/chat/completions/c1/messages")

    assert answer.status_code == 200
    assert answer.get_json()["data"][0]["content"] == large


def test_the_last_page_of_100_000_messages_is_whole(store: Store, url: str) -> None:
    add(store, completion("c1"))
    messages = tuple(MessageRecord(f"m{at}", "{}", "{}") for at in range(100_000))
    store.add([replace(parse_record(compact(completion("c2"))), messages=messages)])

    page = store.list_messages("c2", PageRequest("m99979", 100, "asc"))

    assert page is not None
    assert page.ids == tuple(f"m{at}" for at in range(99_980, 100_000))
    assert not page.has_more
    assert rows(url, "SELECT count(*) FROM messages") == [(100_001,)]
