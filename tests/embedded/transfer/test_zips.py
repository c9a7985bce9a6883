"""ZIP archives are imported by the JSON files in them: exports of chats, and logs of Inspect."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tools.store_rows import ANSWER
from webapp.embedded import OpenFile, Store, import_files

pytestmark = pytest.mark.one_database

ROW = {
    "id": "c1",
    "created": 5,
    "messages": [{"role": "user", "content": "q"}],
    "choices": [ANSWER],
}


def sample(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "uuid": f"sample-{number}",
        "epoch": 1,
        "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}],
        "output": {"model": "m", "choices": []},
    }


def pack(path: Path, **files: Any) -> Path:
    """Write an archive of these files, whose names have `__` for a slash."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            text = content if isinstance(content, str) else json.dumps(content, indent=1)
            archive.writestr(name.replace("__", "/"), text)
    return path


def test_the_json_files_of_an_archive_are_imported(store: Store, tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(ROW | {"id": f"c{number}"}) for number in (2, 3))
    files: dict[str, Any] = {"a.json": [ROW], "b__c.JSONL": f"{lines}\nno JSON", "d.html": "<p>"}

    report = import_files(store, [pack(tmp_path / "a.zip", **files)])

    assert report.added == 3
    assert [str(path) for path in report.formats] == [
        f"{tmp_path}/a.zip/a.json",
        f"{tmp_path}/a.zip/b/c.JSONL",
    ]
    assert [str(one.source) for one in report.problems] == [f"{tmp_path}/a.zip/b/c.JSONL:3"]
    assert import_files(store, [tmp_path / "a.zip"]).unchanged == 3


def test_a_log_of_inspect_has_a_sample_in_each_file(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    files = {f"samples__{number}_epoch_1.json": sample(number) for number in (1, 2)}
    header = {"version": 2, "eval": {"task": "t", "model": "m"}, "results": {"x": 1}}
    log = pack(tmp_path / "a.eval", **files, **{"header.json": header, "summaries.json": [{}]})

    report = import_files(store, [log])

    assert (report.added, report.problems) == (2, [])
    assert [(path, dict(forms)) for path, forms in report.formats.items()] == [
        (log, {form: 2 for form in report.formats[log]})
    ]
    found = client.get("/chat/completions/sample-1").get_json()
    assert found["model"] == "m"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"a.txt": "{}"}, "there is no JSON file in this ZIP archive"),
        ({}, "there is no JSON file in this ZIP archive"),
        ({"a.json": "%PDF-1.7"}, "it is a PDF document"),
    ],
)
def test_an_archive_without_json_says_so(
    store: Store, tmp_path: Path, files: dict[str, str], reason: str
) -> None:
    report = import_files(store, [pack(tmp_path / "a.zip", **{"b.txt": "x"}, **files)])

    assert [one.reason for one in report.problems] == [reason]


@pytest.mark.parametrize("kept", [40, 100, -4])
def test_a_damaged_archive_is_reported(store: Store, tmp_path: Path, kept: int) -> None:
    archive = pack(tmp_path / "a.zip", **{"a.json": [ROW]})
    archive.write_bytes(archive.read_bytes()[:kept])

    [problem] = import_files(store, [archive]).problems

    assert problem.reason == "it is a ZIP archive that is damaged or cut off"


def test_an_archive_may_not_expand_without_a_limit(store: Store, tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.zip", **{"a.json": json.dumps([ROW]) + " " * 100_000})
    data = io.BufferedReader(io.BytesIO(archive.read_bytes()))
    upload = OpenFile("a.zip", data, max_expanded=50_000)

    [problem] = import_files(store, [upload]).problems

    assert problem.reason == "its data expands too far for an upload, and none of it was read"


OTHER_WAY = (
    "in this ZIP archive a.json is compressed in another way than usual, which Python cannot read"
)


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        (zipfile.ZIP_STORED, "its compressed data is damaged or cut off"),
        (zipfile.ZIP_DEFLATED, "its compressed data is damaged or cut off"),
        (
            zipfile.ZIP_BZIP2,
            OTHER_WAY,
        ),
        (
            zipfile.ZIP_LZMA,
            OTHER_WAY,
        ),
    ],
)
def test_damage_within_a_file_of_an_archive_is_reported(
    store: Store, tmp_path: Path, method: int, reason: str
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.json", json.dumps([ROW]))
    data = bytearray(path.read_bytes())
    data[60:64] = b"\xff\x00\x12\x34"
    path.write_bytes(data)

    problems = import_files(store, [path]).problems

    assert problems[-1].reason.partition(":")[0] == reason


def test_a_log_compressed_with_zstandard_names_the_member(store: Store, tmp_path: Path) -> None:
    files = {"header.json": {"eval": {}}, "samples__1.json": sample(1)}
    data = bytearray(pack(tmp_path / "a.eval", **files).read_bytes())
    # The method of the second member, in its own header and in the directory.
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = data.rindex(signature) + offset
        data[at : at + 2] = (93).to_bytes(2, "little")
    (tmp_path / "a.eval").write_bytes(data)

    [problem] = import_files(store, [tmp_path / "a.eval"]).problems

    assert problem.reason.startswith(
        "in this log samples/1.json is compressed with Zstandard, which Python cannot read: convert"
    )


def test_an_encrypted_log_of_inspect_is_reported(store: Store, tmp_path: Path) -> None:
    files = {"header.json": {"eval": {}}, "samples__1.json": sample(1)}
    log = pack(tmp_path / "a.eval", **files)
    data = bytearray(log.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    log.write_bytes(data)

    [problem] = import_files(store, [log]).problems

    assert problem.reason == "it has a password: unpack it, and import the files in it"


def test_what_is_compressed_twice_is_not_expanded(store: Store, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.json", gzip.compress(json.dumps([ROW]).encode()))
    (tmp_path / "b.gz").write_bytes(gzip.compress((tmp_path / "a.zip").read_bytes()))

    report = import_files(store, [tmp_path / "a.zip", tmp_path / "b.gz"])

    assert [one.reason for one in report.problems] == [
        "it is compressed with gzip within a ZIP archive: unpack it, and import the files in it",
        "it is a ZIP archive: unpack it, and import the files in it",
    ]


@pytest.mark.parametrize(("length", "kept"), [(1_000, True), (200_000, False)])
def test_samples_repeat_a_short_task_without_the_ids_of_all(
    store: Store, client: FlaskClient, tmp_path: Path, length: int, kept: bool
) -> None:
    task = {"model": "n", "notes": "x" * length, "dataset": {"name": "d", "sample_ids": [1]}}
    header = {"eval": task}
    log = pack(tmp_path / "a.eval", **{"header.json": header, "samples__1.json": sample(1)})

    assert import_files(store, [log]).added == 1

    found = client.get("/chat/completions/sample-1").get_json()
    expected = task | {"dataset": {"name": "d"}}
    assert found.get("eval") == (expected if kept else None)
