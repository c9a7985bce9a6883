"""`readback conversations` prints what continues what."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.store_rows import database_url, jsonl
from webapp.cli import parse_arguments
from webapp.cli.running import run_command


def test_conversations_are_printed_as_text_and_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url(tmp_path))
    question = {"role": "user", "content": "Which trains run from Bergen to Oslo on Sundays? " * 2}
    choices = [{"message": {"role": "assistant", "content": "One."}, "finish_reason": "stop"}]
    answer, thanks = choices[0]["message"], {"role": "user", "content": "Thanks."}
    usage = {"total_tokens": 7}
    lines = [
        {"id": "a", "created": 100, "messages": [question], "choices": choices, "usage": usage},
        {"id": "b", "created": 200, "messages": [question, answer, thanks], "choices": choices},
        {"id": "c", "messages": [{"role": "user", "content": "Hi"}], "choices": choices},
    ]
    assert run_command(parse_arguments(["import", str(jsonl(tmp_path / "some.jsonl", lines))])) == 0
    capsys.readouterr()

    assert run_command(parse_arguments(["conversations"])) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert line.split()[0] == "a"
    assert "2 requests" in line and "1 branch" in line and "7 tokens" in line

    assert run_command(parse_arguments(["conversations", "--format", "json", "--least", "1"])) == 0
    found = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
    assert [one["id"] for one in found] == ["a", "c"]
    assert found[0]["total"] == 2
    assert [(one["id"], one["parent"]) for one in found[0]["requests"]] == [("a", None), ("b", "a")]
    assert found[0]["requests"][1]["new_messages"] == 1
