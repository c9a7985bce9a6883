"""Importing JSONL: every valid line is stored, every other one is reported."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.real_transcripts import FILES, lines_to_look_at, write_lines_to_look_at
from tools.store_rows import completion, database_url, jsonl, rows
from webapp.embedded import ImportReport, Store, import_files
from webapp.embedded.limits import MAX_IMPORTED_VALUES
from webapp.embedded.transfer.files import read_documents


def problems(report: ImportReport) -> list[str]:
    return [str(problem).rpartition("/")[2] for problem in report.problems]


def test_every_line_becomes_a_completion(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [completion("c1", messages=3), completion("c2")])

    assert import_files(store, [path]) == ImportReport(added=2)
    page = client.get("/chat/completions/c1/messages").get_json()
    assert [message["content"] for message in page["data"]] == [f"message {at}" for at in range(3)]


def test_a_bad_line_is_reported_and_the_others_are_stored(store: Store, tmp_path: Path) -> None:
    good = json.dumps(completion("c1"))
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b'{"id": \n[1]\n\n{"choices":[]}\n\xff\xfe\n' + good.encode() + b'\n{"messages":[]}\n  \r\n'
    )

    report = import_files(store, [path])

    assert (report.added, report.bad) == (1, 5)
    assert problems(report) == [
        "a.jsonl:1: it is not JSON: the text ends early: expected a value at column 7",
        "a.jsonl:2: it is not a JSON object",
        "a.jsonl:4: it has no `messages` list",
        "a.jsonl:5: it is not UTF-8: invalid start byte at byte 1",
        "a.jsonl:7: it has no `choices` list, and its messages are none",
    ]


def test_importing_twice_changes_nothing(store: Store, url: str, tmp_path: Path) -> None:
    nameless: dict[str, object] = {"messages": [], "choices": []}
    path = jsonl(tmp_path / "a.jsonl", [completion("c1"), nameless, nameless | {"n": 2}])

    assert import_files(store, [path]) == ImportReport(added=3)
    before = rows(url, "SELECT * FROM completions")
    assert import_files(store, [path]) == ImportReport(unchanged=3)
    assert rows(url, "SELECT * FROM completions") == before


def test_a_stored_completion_is_never_overwritten(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    lines = [completion("c1", model="first"), completion("c1", model="second")]
    path = jsonl(tmp_path / "a.jsonl", lines)

    report = import_files(store, [path])

    assert (report.added, report.conflicts, report.bad) == (1, 1, 0)
    assert problems(report) == ["a.jsonl:2: c1 is stored with other content, which was kept"]
    assert client.get("/chat/completions/c1").get_json()["model"] == "first"


def test_a_file_may_begin_with_a_mark_and_end_its_lines_the_other_way(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    text = "\r\n".join(json.dumps(completion(f"c{at}")) for at in range(3))
    path.write_text(text, encoding="utf-8-sig")

    assert import_files(store, [path]) == ImportReport(added=3)
    path.write_bytes(2 * f"{text}\r\n".encode("utf-8-sig"))
    assert import_files(store, [path]) == ImportReport(unchanged=6)


def test_a_file_that_cannot_be_read_is_reported(store: Store, tmp_path: Path) -> None:
    good = jsonl(tmp_path / "a.jsonl", [completion("c1")])

    report = import_files(store, [tmp_path / "none.jsonl", tmp_path, good])

    assert report.added == 1
    assert problems(report) == [
        "none.jsonl: it cannot be read: No such file or directory",
        f"{tmp_path.name}: it cannot be read: Is a directory",
    ]


def test_a_line_beyond_the_cap_is_skipped_and_reported(store: Store, tmp_path: Path) -> None:
    big = completion("big", note="x" * 10_000)
    path = jsonl(tmp_path / "a.jsonl", [completion("c1"), big, completion("c2")])
    seen: list[tuple[int, int, int]] = []

    report = import_files(
        store, [path], max_document_bytes=1000, progress=lambda *done: seen.append(done)
    )

    assert report.added == 2
    assert problems(report) == ["a.jsonl:2: it is too long to be one completion"]
    assert seen == [(path.stat().st_size, path.stat().st_size, 2)]


def test_progress_is_reported_batch_by_batch(store: Store, tmp_path: Path) -> None:
    paths = [
        jsonl(tmp_path / f"{name}.jsonl", (completion(f"{name}{at}") for at in range(250)))
        for name in "ab"
    ]
    total = sum(path.stat().st_size for path in paths)
    seen: list[tuple[int, int, int]] = []

    import_files(store, paths, progress=lambda *done: seen.append(done))

    assert [completions for _, _, completions in seen] == [200, 400, 500]
    assert {bytes_total for _, bytes_total, _ in seen} == {total}
    assert seen[-1][0] == total


def test_stored_batches_stay_when_the_import_is_interrupted(store: Store, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", (completion(f"c{at}") for at in range(450)))

    def interrupt(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_files(store, [path], progress=interrupt)

    assert import_files(store, [path]) == ImportReport(added=250, unchanged=200)


def test_lines_are_stored_while_later_ones_are_still_being_written(
    store: Store, tmp_path: Path
) -> None:
    """Write a batch only after the one before is stored: nothing is read ahead."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    first, second = (
        "".join(f"{json.dumps(completion(f'{name}{at}'))}\n" for at in range(200)).encode()
        for name in "ab"
    )
    writer = os.open(pipe, os.O_RDWR)
    seen: list[int] = []

    def write_more(_done: int, _total: int, completions: int) -> None:
        seen.append(completions)
        if completions == 200:
            os.write(writer, second)
        else:
            os.close(writer)

    os.write(writer, first)
    import_files(store, [pipe], progress=write_more)

    assert seen == [200, 400]


@pytest.mark.one_database
@pytest.mark.skipif(not FILES, reason="the collected transcripts are not here")
def test_every_collected_transcript_is_stored_and_returned(
    store: Store, client: FlaskClient, url: str, tmp_path: Path
) -> None:
    lines = [line for of_file in lines_to_look_at().values() for line in of_file]

    assert import_files(store, write_lines_to_look_at(tmp_path)) == ImportReport(added=len(lines))
    found = rows(url, "SELECT id, given_json FROM completions")
    heads = {completion_id: given for completion_id, given in found}
    messages: dict[str, list[object]] = {completion_id: [] for completion_id in heads}
    for completion_id, text in rows(
        url,
        "SELECT completions.id, messages.given_json FROM messages"
        " JOIN completions ON seq = completion ORDER BY seq, position",
    ):
        messages[completion_id].append(json.loads(text))
    for line in lines:
        given = json.loads(line)
        completion_id = given["id"]
        answer = client.get(f"/chat/completions/{completion_id}").get_json()
        assert answer["created"] == given["created"]
        assert len(answer["choices"]) == len(given["choices"])
        kept = json.loads(heads[completion_id]) | {"messages": messages[completion_id]}
        assert kept == given


def test_a_sparse_file_of_any_size_ends_with_a_sentence(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [completion("c1")])
    os.truncate(path, 1 << 40)

    with closing(Store(database_url(tmp_path))) as store:
        report = import_files(store, [path], max_document_bytes=1_000_000)

    assert (report.added, report.bad) == (1, 1)
    assert problems(report) == ["a.jsonl:2: it is longer than 1 GB, and nothing after it was read"]


NUMBERS = ",".join("1" * (MAX_IMPORTED_VALUES + 100_000))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"[{NUMBERS}]", "it holds more than 2,000,000 JSON values"),
        (f"[{NUMBERS}", "it holds more than 2,000,000 JSON values"),
        (f'{{"messages":[],"choices":[{NUMBERS}]}}', "it holds more than 2,000,000 JSON values"),
        (json.dumps({"custom_id": "a", "response": f"[{NUMBERS}]"}), "its response is no"),
    ],
    ids=["array", "cut", "completion", "in-a-string"],
)
def test_a_line_of_millions_of_values_is_refused_and_the_others_are_stored(
    tmp_path: Path, text: str, reason: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f"{text}\n{json.dumps(completion('c1'))}\n", encoding="utf-8")

    with closing(Store(database_url(tmp_path))) as store:
        report = import_files(store, [path])

    assert report.added == 1
    assert reason in str(report.problems[0])


@pytest.mark.parametrize("filler", ["[],", "[]\n", "\n", "x\n", "{},"])
def test_a_file_of_documents_without_a_completion_is_not_read_to_its_end(
    store: Store, tmp_path: Path, filler: str
) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    line = json.dumps(completion("c1"))
    one.write_text(f"{line}\n{filler * 500}\n{line}\n{filler * 1_000}\n", encoding="utf-8")
    two.write_text(json.dumps(completion("c2")), encoding="utf-8")

    report = import_files(store, [one, two], max_fruitless=600)

    assert (report.added, report.unchanged) == (2, 1)
    assert report.problems[-1].source.path == one
    assert str(report.problems[-1]).endswith(
        "600 documents before this hold no completion; the rest of the file was not read"
    )


def test_many_documents_on_a_line_are_read_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{"[]," * 50_000}{{"a":1}}, [1,\n2] x\n[3]', encoding="utf-8")
    documents = [one.text for one in read_documents(path)]

    assert documents[:50_000] == [b"[]"] * 50_000
    assert documents[50_000:] == [b'{"a":1}', b"[1,\n2] x\n", b"[3]"]
