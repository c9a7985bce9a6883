"""ZIP archives are imported by the JSON files in them: exports of chats, and logs of Inspect."""

from __future__ import annotations

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
