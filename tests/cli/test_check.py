"""`readback check`: findings in the three formats, and the exit status for CI."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.analysis.checks.cases import USER, answered, ask, complete, result
from tests.support.command import Readback
from tools.forking import Forkable
from tools.store_rows import database_url, jsonl
from webapp.analysis.checks import RULES

HEALTHY = complete([USER, ask(), result()], tools=[])
FAULTY = answered('{"row": 1,}') | {"id": "chatcmpl-2", "metadata": {"n": 3}}


@pytest.fixture
def readback(forkable: Forkable, tmp_path: Path) -> Readback:
    return Readback.of_user(tmp_path, forkable=forkable, DATABASE_URL=database_url(tmp_path))


def test_files_are_checked_without_being_stored(readback: Readback, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "runs.jsonl", [HEALTHY, FAULTY])

    ended = readback("check", path)

    assert (ended.status, ended.errors) == (1, "")
    lines = [" ".join(line.split()) for line in ended.output.splitlines()]
    assert lines[0] == "chatcmpl-2"
    assert lines[1].startswith("error call 2.1 args-invalid The arguments are not JSON: ")
    assert lines[2].startswith("warning completion metadata-limits ")
    assert lines[-1] == "2 completions: 1 error, 1 warning, 0 remarks."
    assert readback("list").output == ""


def test_stored_completions_are_checked_by_id(readback: Readback, tmp_path: Path) -> None:
    assert readback("import", jsonl(tmp_path / "runs.jsonl", [HEALTHY, FAULTY])).status == 0

    ended = readback("check", "chatcmpl-2", "--format", "json", "--fail-on", "never")

    assert ended.status == 0
    (found,) = json.loads(ended.output)["completions"]
    assert found["id"] == "chatcmpl-2"
    assert [one["code"] for one in found["findings"]] == ["args-invalid", "metadata-limits"]
    assert found["findings"][0]["where"] == "call 2.1"


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_no_form_prints_the_secret_that_a_finding_quotes(
    readback: Readback, tmp_path: Path, form: str
) -> None:
    key = "sk-abcdefghijklmnopqrstuvwxyz1234567890ABCD"
    broken = f'{{"key": "{key}",'
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": broken}}
    said = {"role": "assistant", "content": None, "tool_calls": [call]}
    path = jsonl(tmp_path / "runs.jsonl", [HEALTHY | {"choices": [{"index": 0, "message": said}]}])

    ended = readback("check", path, "--format", form)

    assert ended.status == 1 and "args-cut" in ended.output and key not in ended.output


def test_sarif_names_every_rule_and_the_place_of_each_finding(
    readback: Readback, tmp_path: Path
) -> None:
    path = jsonl(tmp_path / "runs.jsonl", [FAULTY])

    ended = readback("check", path, "--format", "sarif", "--fail-on", "warning")

    assert ended.status == 1
    log = json.loads(ended.output)
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(RULES)
    first = run["results"][0]
    assert (first["ruleId"], first["level"]) == ("args-invalid", "error")
    place = first["locations"][0]["logicalLocations"][0]
    assert place["fullyQualifiedName"] == "chatcmpl-2/call 2.1"


def test_what_cannot_be_checked_is_said(readback: Readback, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "runs.jsonl", [HEALTHY, {"no": "form"}])

    ended = readback("check", path, "chatcmpl-none")

    assert ended.status == 2
    assert f"{path}:2: " in ended.errors
    assert "chatcmpl-none is neither a file nor a stored completion" in ended.errors
