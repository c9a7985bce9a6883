"""Members that are null or missing, and odd names, cost no completion and end no import."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import pytest
from flask.testing import FlaskClient

from tests.support.imported import Imported
from tools.store_rows import jsonl
from webapp.embedded import Store, import_files

pytestmark = pytest.mark.one_database

Line = dict[str, Any]

SHELL: Final = [
    {"role": "user", "content": "ls"},
    {"type": "local_shell_call", "id": "l1", "call_id": "c1", "action": {"command": ["ls"]}},
]
ROWS: Final = {
    "metadata whose keys cannot be told apart": {
        "messages": [],
        "choices": [],
        "metadata": {"a\0": "1", "a\ufffd": "2"},
    },
    "a result without the id of its call": {
        "model": "m",
        "input": [*SHELL, {"type": "function_call_output", "output": "a"}],
    },
    "a block of Bedrock": {"messages": [{"role": "user", "content": [{"image": None}]}]},
    "a role of Bedrock": {
        "messages": [{"content": [{"text": "q"}]}],
        "output": {"message": {"role": "assistant", "content": [{"text": "a"}]}},
        "stopReason": "end_turn",
    },
    "a choice of tools of Bedrock": {
        "messages": [{"role": "user", "content": [{"text": "q"}]}],
        "toolConfig": {"tools": [], "toolChoice": None},
    },
    "a function of Gemini": {
        "contents": [{"role": "user", "parts": [{"text": "q"}]}],
        "tools": [{"functionDeclarations": [None]}],
    },
    "a number of a call in a span": {
        "attributes": {
            "gen_ai.prompt.0.content": "q",
            f"gen_ai.completion.0.tool_calls.{'9' * 5000}.name": "f",
        }
    },
}


def item(payload: Line) -> Line:
    return {"timestamp": None, "type": "response_item", "payload": payload}


def printed(answer: str, text: str) -> Line:
    message = {"id": answer, "role": "assistant", "content": [{"type": "text", "text": text}]}
    return {"type": "assistant", "message": message, "session_id": "s1"}


SESSIONS: Final[dict[str, list[Line]]] = {
    "Claude Code without ids of lines": [
        {"type": "user", "message": {"role": "user", "content": "q"}, "session_id": "s1"},
        printed("m1", "a"),
        printed("m1", "b"),
    ],
    "Codex without model and time": [
        {"timestamp": None, "type": "session_meta", "payload": {"id": "x", "timestamp": None}},
        {"timestamp": None, "type": "turn_context", "payload": {"model": None}},
        item({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "q"}]}),
        item({"type": "function_call_output", "output": "r"}),
    ],
}


@pytest.mark.parametrize("name", ROWS)
def test_a_value_that_is_null_costs_nothing(store: Store, tmp_path: Path, name: str) -> None:
    report = import_files(store, [jsonl(tmp_path / "a.jsonl", [ROWS[name]])])

    assert (report.added, report.problems) == (1, [])


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_lacks_what_others_have(store: Store, tmp_path: Path, name: str) -> None:
    report = import_files(store, [jsonl(tmp_path / "a.jsonl", SESSIONS[name])])

    assert (report.added, report.problems) == (1, [])


def test_the_output_of_a_local_shell_names_its_call(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    output = {"type": "local_shell_call_output", "id": "c1", "output": "a"}
    imported = Imported(store, client, tmp_path, {"model": "m", "input": [*SHELL, output]})

    [call] = imported.messages[1]["tool_calls"]
    assert imported.messages[2]["tool_call_id"] == call["id"] == "c1"


def test_a_conversation_without_ids_is_reported(store: Store, tmp_path: Path) -> None:
    message = {"messageId": "", "isCreatedByUser": True, "text": "q"}
    report = import_files(store, [jsonl(tmp_path / "a.jsonl", [{"messages": [message]}])])

    assert [one.reason for one in report.problems] == ["its messages have no ids"]


def test_parts_may_be_in_a_file_whose_name_is_no_utf_8(store: Store, tmp_path: Path) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "q"}]}
    answer = {"id": "c1", "choices": [{"message": {"role": "assistant", "content": "a"}}]}
    path = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9.jsonl"))
    jsonl(path, [{"custom_id": "1", "body": body}])
    other = jsonl(tmp_path / "b.jsonl", [{"custom_id": "1", "response": {"body": answer}}])

    assert import_files(store, [path, other]).added == 1
    jsonl(path, [{"custom_id": "2", "response": {"body": answer}}])
    [problem] = import_files(store, [path]).problems
    assert problem.source.path == path
