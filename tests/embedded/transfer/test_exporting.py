"""An export imports to the same store, byte for byte in every value."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.any_json import checked, json_texts
from tests.support.real_transcripts import FILES, write_lines_to_look_at
from tools.store_rows import add, completion, database_url, jsonl, rows
from webapp.embedded import (
    ExportReport,
    ImportReport,
    Store,
    export_completions,
    import_files,
)
from webapp.embedded.documents.api_json import one_line_source
from webapp.embedded.documents.records import parse_record
from webapp.embedded.store.pages import PageRequest
from webapp.embedded.store.writing import Outcome
from webapp.exact_json import Array, Object, Value, parse

HEADS = "SELECT id, created, model, wire_json, given_json FROM completions ORDER BY created, seq"
MESSAGES = (
    "SELECT completions.id, messages.id, messages.wire_json, messages.given_json FROM messages"
    " JOIN completions ON seq = completion ORDER BY created, seq, position"
)
METADATA = (
    "SELECT completions.id, key, value FROM metadata"
    " JOIN completions ON seq = completion ORDER BY completions.id, key"
)


def exported(store: Store, *ids: str, **filters: Any) -> bytes:
    written: list[bytes] = []
    export_completions(store, written.append, ids=ids, **filters)
    return b"".join(written)


def reimported(text: bytes, folder: Path) -> str:
    """Import the lines of `text` into another store and return its URL."""
    path = folder / "exported.jsonl"
    path.write_bytes(text)
    other = folder / "other"
    with closing(Store(database_url(other))) as store:
        assert import_files(store, [path]) == ImportReport(added=text.count(b"\n"))
        assert exported(store) == text
    return database_url(other)


def assert_same(
    one: str, other: str, statements: Sequence[str] = (HEADS, MESSAGES, METADATA)
) -> None:
    for statement in statements:
        assert rows(one, statement) == rows(other, statement)


def update(client: FlaskClient, completion_id: str, **metadata: str) -> None:
    answer = client.post(f"/chat/completions/{completion_id}", json={"metadata": metadata})
    assert answer.status_code == 200


def test_an_export_imports_to_the_same_store(store: Store, url: str, tmp_path: Path) -> None:
    odd = '{"choices":[ ],"n":1.0,"messages":[ 7 , {"content":"\\u0041"}],"n":1E2}'
    store.add([parse_record(odd)])
    add(
        store,
        completion("c1", created=9, model="m", metadata={"a": "b"}),
        completion("c0", messages=0),
    )

    text = exported(store)

    assert text.count(b"\n") == 3
    assert_same(url, reimported(text, tmp_path))
    path = jsonl(tmp_path / "again.jsonl", text.decode().splitlines())
    assert import_files(store, [path]) == ImportReport(unchanged=3)


@pytest.mark.parametrize(
    "text",
    [
        '{"id":"c1","messages":[{"role":"user"}],"choices":[]}',
        '{"id":"c1","metadata":{"old":"1"},"messages":[],"choices":[]}',
        '{"id":"c1","metadata":null,"messages":[],"choices":[],"metadata":{"x":"1"} }',
        '{"messages":[],"choices":[]}',
        '{"id":null,"messages":[{}],"metadata": { "old" : "1" },"choices":[]}',
        '{"metadata":{"old":"1"},"messages":[],"id":null,"choices":[]}',
    ],
)
def test_an_export_has_the_metadata_of_today(
    store: Store, client: FlaskClient, url: str, tmp_path: Path, text: str
) -> None:
    given = parse_record(text)
    store.add([given])
    update(client, given.id, **{"new": 'with "quotes"', "é": "ü"})

    line = exported(store)

    assert json.loads(line)["metadata"] == {"new": 'with "quotes"', "é": "ü"}
    other = reimported(line, tmp_path)
    assert_same(url, other, (METADATA,))
    wire = "SELECT id, wire_json FROM completions"
    assert rows(url, wire) == rows(other, wire)


def test_an_export_and_the_original_file_are_both_recognised_as_stored(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    given = jsonl(tmp_path / "given.jsonl", [completion("c1", messages=3, metadata={"a": "1"})])
    import_files(store, [given])
    update(client, "c1", a="2")
    today = tmp_path / "today.jsonl"
    today.write_bytes(exported(store))

    assert import_files(store, [today]) == ImportReport(unchanged=1)
    assert import_files(store, [given]) == ImportReport(unchanged=1)
    update(client, "c1", a="3")
    report = import_files(store, [today])
    assert (report.unchanged, report.conflicts) == (0, 1)


@pytest.mark.parametrize("change", [{"messages": 2}, {"messages": 4}, {"note": "another"}])
def test_other_content_with_the_metadata_of_today_is_a_conflict(
    store: Store, client: FlaskClient, tmp_path: Path, change: dict[str, Any]
) -> None:
    add(store, completion("c1", messages=3, metadata={"a": "1"}))
    update(client, "c1", a="2")
    members: dict[str, Any] = {"messages": 3, "metadata": {"a": "2"}, **change}
    other = completion("c1", **members)

    report = import_files(store, [jsonl(tmp_path / "a.jsonl", [other])])

    assert (report.unchanged, report.conflicts) == (0, 1)


def test_ids_that_are_not_stored_are_reported(store: Store) -> None:
    add(store, completion("c1"), completion("c2"))
    written: list[bytes] = []

    report = export_completions(store, written.append, ids=["c2", "none", "../c1"])

    assert report == ExportReport(exported=1, unknown=["none", "../c1"])
    assert json.loads(b"".join(written))["id"] == "c2"


def test_filters_are_those_of_the_list(store: Store) -> None:
    for at in range(6):
        add(store, completion(f"c{at}", model=f"m{at % 2}", metadata={"k": str(at % 3)}))

    def found(**filters: Any) -> list[str]:
        return [json.loads(line)["id"] for line in exported(store, **filters).splitlines()]

    assert found(model="m1") == ["c1", "c3", "c5"]
    assert found(metadata=[("k", "0")]) == ["c0", "c3"]
    assert found(model="m1", metadata=[("k", "0")]) == ["c3"]
    assert found(model="none") == []


def test_all_are_exported_beyond_a_page_of_keys_and_among_equal_times(store: Store) -> None:
    names = [f"c{at:04}" for at in range(603)]
    add(store, *(completion(name, created=7) for name in names))

    assert [json.loads(line)["id"] for line in exported(store).splitlines()] == names


def test_memory_does_not_grow_with_a_completion(tmp_path: Path) -> None:
    with closing(Store(database_url(tmp_path))) as store:
        add(store, completion("small"), completion("long", messages=10_000))
        peaks = []
        for name in ("small", "long"):
            tracemalloc.start()
            export_completions(store, len, ids=[name])
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()

    assert peaks[1] < peaks[0] + 500_000


@pytest.mark.one_database
@pytest.mark.skipif(not FILES, reason="the collected transcripts are not here")
def test_the_collected_transcripts_are_equal_in_a_second_store(
    store: Store, url: str, tmp_path: Path
) -> None:
    import_files(store, write_lines_to_look_at(tmp_path))

    assert_same(url, reimported(exported(store), tmp_path))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that all examples of a property share."""
    with closing(Store(database_url(tmp_path_factory.mktemp("kept")))) as store:
        yield store


def value_in(text: str, *path: str | int) -> Value:
    value = parse(text)
    for step in path:
        found = value.get(step) if isinstance(value, Object) and isinstance(step, str) else None
        if isinstance(value, Array) and isinstance(step, int):
            found = value.items[step]
        assert found is not None
        value = found
    return value


def can_be_in_a_file(*texts: str) -> bool:
    return all(text.encode("utf-8", "replace").decode() == text for text in texts)


@checked
@given(messages=st.lists(json_texts, max_size=5), choice=json_texts)
def test_any_messages_are_exported_as_they_were_imported(
    kept: Store, messages: list[str], choice: str
) -> None:
    assume(can_be_in_a_file(choice, *messages))
    given = parse_record(f'{{"choices":[{choice}],"messages":[{",".join(messages)}]}}')
    kept.add([given])

    line = exported(kept, given.id).decode()

    assert line.endswith("\n") and line.count("\n") == 1
    assert one_line_source(value_in(line, "choices", 0)) == one_line_source(parse(choice))
    for at, message in enumerate(messages):
        assert one_line_source(value_in(line, "messages", at)) == one_line_source(parse(message))
    again = parse_record(line)
    assert (again.id, again.digest) == (given.id, given.digest)
    assert kept.add([again]) == [Outcome.UNCHANGED]


@checked
@given(values=st.lists(json_texts, min_size=1, max_size=5))
def test_any_values_come_back_from_the_api_as_they_were_imported(
    kept: Store, values: list[str]
) -> None:
    assume(can_be_in_a_file(*values))
    messages = ",".join(f'{{"role":"user","content":"","extra":{value}}}' for value in values)
    given = parse_record(f'{{"choices":[],"messages":[{messages}]}}')
    kept.add([given])

    page = kept.list_messages(given.id, PageRequest(None, 100, "asc"))

    assert page is not None
    answered = [value_in(page.to_json(), "data", at, "extra") for at, _ in enumerate(values)]
    assert [one.source for one in answered] == [one_line_source(parse(value)) for value in values]
