"""The lines of an agent's session become its conversations, each call with its result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from flask.testing import FlaskClient

from tools.store_rows import jsonl
from webapp.embedded import Store, import_files

pytestmark = pytest.mark.one_database

Line = dict[str, Any]


def said(uuid: str, parent: str | None, role: str, content: Any, **members: Any) -> Line:
    """Return a line of Claude Code; the time of `u07` is 7 seconds after the first one's."""
    message = {"role": role, "content": content} | members.pop("message", {})
    return {
        **{"parentUuid": parent, "isSidechain": False, "sessionId": "s1", "cwd": "/p"},
        **{"type": role, "message": message, "uuid": uuid},
        **{"timestamp": f"1970-01-01T00:00:{uuid[1:]}Z", **members},
    }


def block(uuid: str, parent: str, answer: str, part: Line, reason: str | None = None) -> Line:
    usage = {"input_tokens": 3, "output_tokens": 5}
    message = {"id": answer, "model": "claude", "stop_reason": reason, "usage": usage}
    return said(uuid, parent, "assistant", [part], message=message)


def result(uuid: str, parent: str, call: str, text: str) -> Line:
    part = {"type": "tool_result", "tool_use_id": call, "content": text}
    return said(uuid, parent, "user", [part], toolUseResult={"stdout": text})


def use(call: str) -> Line:
    return {"type": "tool_use", "id": call, "name": "Bash", "input": {"command": call}}


def text(words: str) -> Line:
    return {"type": "text", "text": words}


SNAPSHOT: Final = {"type": "file-history-snapshot", "messageId": "u01", "snapshot": {"a": 1}}
CLAUDE_CODE: Final = [
    SNAPSHOT,
    {"type": "summary", "summary": "T", "leafUuid": "u12"},
    said("u01", None, "user", "q"),
    block("u02", "u01", "m1", {"type": "thinking", "thinking": "Hm", "signature": "s"}),
    block("u03", "u02", "m1", use("c1")),
    block("u04", "u03", "m1", use("c2"), "tool_use"),
    # The result of the first of two parallel calls is beside the branch.
    result("u05", "u03", "c1", "r1"),
    {"type": "progress", "uuid": "p", "parentUuid": "u04", "sessionId": "s1", "data": {}},
    result("u06", "p", "c2", "r2"),
    block("u07", "u06", "m2", text("a1"), "end_turn"),
    # The session was rewound, and then summarized.
    said("u08", "u06", "user", "other"),
    said("u09", None, "user", "go", isSidechain=True, agentId="g1"),
    said("u10", "u09", "assistant", [text("gone")], isSidechain=True, agentId="g1"),
    {
        **{"type": "system", "subtype": "compact_boundary", "uuid": "b", "sessionId": "s1"},
        **{"parentUuid": None, "logicalParentUuid": "u08", "content": "compacted"},
    },
    said("u11", "b", "user", "summary", isCompactSummary=True),
    block("u12", "u11", "m3", text("a2"), "max_tokens"),
]


def read(client: FlaskClient, completion_id: str) -> tuple[Line, list[Line]]:
    """Read a completion and its messages as they were imported."""
    given = {"readback.as_given": True}
    url = f"/chat/completions/{completion_id}"
    page = client.get(f"{url}/messages?limit=100", environ_base=given).get_json()
    return client.get(url, environ_base=given).get_json(), page["data"]


def list_texts(messages: list[Line]) -> list[str]:
    """List the texts, thoughts, calls and results of messages in their order."""
    found = []
    for one in messages:
        parts = one["content"] if isinstance(one["content"], list) else [text(one["content"])]
        names = ("text", "thinking", "content", "id")
        found += [next(part[name] for name in names if name in part) for part in parts]
    return found


@pytest.mark.parametrize("is_in_order", [True, False])
def test_a_session_of_claude_code_has_its_branches_and_agents(
    store: Store, client: FlaskClient, tmp_path: Path, is_in_order: bool
) -> None:
    lines = CLAUDE_CODE if is_in_order else CLAUDE_CODE[::-1]
    path = jsonl(tmp_path / "a.jsonl", lines)

    report = import_files(store, [path])

    assert (report.problems, report.added_ids) == ([], ["s1", "s1:u07", "s1:g1"])
    assert import_files(store, [path]).unchanged == 3
    whole, messages = read(client, "s1")
    assert list_texts(messages) == ["q", "Hm", "c1", "c2", "r1", "r2", "other", "summary"]
    assert [one["role"] for one in messages] == ["user", "assistant", *["user"] * 4]
    [choice] = whole["choices"]
    assert list_texts([choice["message"]]) == ["a2"]
    assert (choice["finish_reason"], whole["model"]) == ("length", "claude")
    assert whole["created"] == "1970-01-01T00:00:12Z"
    assert whole["usage"] == {"prompt_tokens": 3, "completion_tokens": 5}
    rewound, _ = read(client, "s1:u07")
    assert list_texts([rewound["choices"][0]["message"]]) == ["a1"]
    agent, asked = read(client, "s1:g1")
    assert list_texts([*asked, agent["choices"][0]["message"]]) == ["go", "gone"]


def test_what_lines_of_claude_code_have_besides_is_kept_once(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    import_files(store, [jsonl(tmp_path / "a.jsonl", CLAUDE_CODE)])

    whole, messages = read(client, "s1")
    kept = whole["claude_code"]
    assert (kept["cwd"], kept["isSidechain"]) == ("/p", False)
    assert sorted(one["type"] for one in kept["lines"]) == [
        *("file-history-snapshot", "progress", "summary", "system")
    ]
    assert messages[2]["claude_code"]["toolUseResult"] == {"stdout": "r1"}
    first, second, third = messages[1]["claude_code"]["lines"]
    assert first["message"]["usage"] == {"input_tokens": 3, "output_tokens": 5}
    assert second == {"timestamp": "1970-01-01T00:00:03Z", "uuid": "u03"}
    assert third["message"]["stop_reason"] == "tool_use"
    assert "lines" not in read(client, "s1:u07")[0]["claude_code"]


def test_what_claude_code_prints_follows_each_other(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    def printed(role: str, content: Any, parent: str | None = None) -> Line:
        message = {"role": role, "content": content}
        return {
            **{"type": role, "message": message, "session_id": "s2"},
            "parent_tool_use_id": parent,
        }

    lines = [
        {"type": "system", "subtype": "init", "session_id": "s2", "tools": ["Task"]},
        printed("assistant", [use("c1")]),
        printed("user", "go", "c1"),
        printed("assistant", [text("gone")], "c1"),
        printed("user", [{"type": "tool_result", "tool_use_id": "c1", "content": "gone"}]),
        printed("assistant", [text("a")]),
        {"type": "result", "subtype": "success", "session_id": "s2", "result": "a"},
    ]
    report = import_files(store, [jsonl(tmp_path / "a.jsonl", lines)])

    assert (report.problems, report.added_ids) == ([], ["s2", "s2:c1"])
    whole, messages = read(client, "s2")
    assert list_texts([*messages, whole["choices"][0]["message"]]) == ["c1", "gone", "a"]
    assert [one["type"] for one in whole["claude_code"]["lines"]] == ["system", "result"]


def test_a_session_that_ends_with_an_error_says_so(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    failed = said("u02", "u01", "assistant", [text("API Error: 529")], isApiErrorMessage=True)
    path = jsonl(tmp_path / "a.jsonl", [said("u01", None, "user", "q"), failed])

    import_files(store, [path])

    assert read(client, "s1")[0]["incomplete"] == {"reason": "API Error: 529"}


def item(at: int, **payload: Any) -> Line:
    return {"timestamp": f"1970-01-01T00:00:{at:02}Z", "type": "response_item", "payload": payload}


def event(at: int, **payload: Any) -> Line:
    return item(at, **payload) | {"type": "event_msg"}


def spoken(role: str, words: str) -> Line:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": words}]}


CODEX: Final = [
    {
        **item(0, id="s3", cwd="/p", base_instructions={"text": "s"}, timestamp="t"),
        "type": "session_meta",
    },
    item(1, **spoken("user", "q")),
    event(1, type="user_message", message="q"),
    {**item(2, model="gpt", effort="high"), "type": "turn_context"},
    item(3, type="reasoning", summary=[{"type": "summary_text", "text": "Hm"}]),
    item(4, type="function_call", name="f", arguments="{}", call_id="c1"),
    item(5, type="function_call_output", call_id="c1", output="r1"),
    item(6, type="local_shell_call", call_id="c2", action={"command": ["ls"]}),
    item(7, type="function_call_output", call_id="c2", output="r2"),
    {**item(8, message="summary"), "type": "compacted"},
    item(9, **spoken("assistant", "a")),
    event(9, type="token_count", info={"last_token_usage": {"input_tokens": 3}}),
]


def test_a_session_of_codex_is_one_completion(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    report = import_files(store, [jsonl(tmp_path / "a.jsonl", CODEX)])

    assert (report.problems, report.added_ids) == ([], ["s3"])
    whole, messages = read(client, "s3")
    roles = ["developer", "user", "assistant", "tool", "assistant", "tool", "user"]
    assert [one["role"] for one in messages] == roles
    calls = [(call["id"], call) for one in messages for call in one.get("tool_calls", ())]
    results = [(one["tool_call_id"], one["content"]) for one in messages if one["role"] == "tool"]
    assert [name for name, _ in calls] == ["c1", "c2"]
    assert json.loads(calls[1][1]["custom"]["input"]) == {"command": ["ls"]}
    assert results == [("c1", "r1"), ("c2", "r2")]
    assert messages[-1]["content"] == [{"type": "compacted", "message": "summary"}]
    assert list_texts([whole["choices"][0]["message"]]) == ["a"]
    assert (whole["model"], whole["created"]) == ("gpt", "1970-01-01T00:00:09Z")
    assert whole["usage"] == {"prompt_tokens": 3}
    assert whole["codex"]["session"] == {"cwd": "/p", "timestamp": "t"}
    assert len(whole["codex"]["lines"]) == 3


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (event(10, type="turn_aborted", reason="interrupted"), "turn_aborted: interrupted"),
        (event(10, type="error", message="stream ended"), "stream ended"),
    ],
)
def test_a_session_of_codex_that_broke_off_says_so(
    store: Store, client: FlaskClient, tmp_path: Path, last: Line, reason: str
) -> None:
    import_files(store, [jsonl(tmp_path / "a.jsonl", [*CODEX[:-2], last])])

    assert read(client, "s3")[0]["incomplete"] == {"reason": reason}


def ran(kind: str, at: int, end: str = "completed", **members: Any) -> Line:
    inner = {"id": f"item_{at}", "type": kind, **members}
    return {"type": f"item.{end}", "item": inner}


RUN: Final = [
    {"type": "thread.started", "thread_id": "t1"},
    {"type": "turn.started"},
    ran("reasoning", 0, text="**Hm**"),
    ran("command_execution", 1, "started", command="ls", status="in_progress"),
    ran("command_execution", 1, command="ls", aggregated_output="a\n", exit_code=0),
    ran("mcp_tool_call", 2, server="s", tool="t", arguments={"n": 1.0}, result=None, error="no"),
    ran("web_search", 3, query="天気"),
    ran("file_change", 4, changes=[{"path": "a", "kind": "add"}], status="completed"),
    ran("command_execution", 5, "started", command="sleep 9", status="in_progress"),
    ran("agent_message", 6, text="Done."),
    {"type": "turn.completed", "usage": {"input_tokens": 3, "output_tokens": 2}},
]


def test_the_events_of_a_run_of_codex_are_one_completion(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    report = import_files(store, [jsonl(tmp_path / "a.jsonl", RUN)])

    assert (report.problems, report.added_ids) == ([], ["t1"])
    whole, messages = read(client, "t1")
    everything = [*messages, whole["choices"][0]["message"]]
    calls = [call["function"] for one in everything for call in one.get("tool_calls", ())]
    assert [(one["name"], json.loads(one["arguments"])) for one in calls] == [
        ("command_execution", {"command": "ls"}),
        ("t", {"n": 1.0}),
        ("web_search", {"query": "天気"}),
        ("file_change", {"changes": [{"path": "a", "kind": "add"}]}),
        ("command_execution", {"command": "sleep 9"}),
    ]
    results = [(one["tool_call_id"], one["content"]) for one in messages if one["role"] == "tool"]
    assert results == [("item_1", "a\n"), ("item_2", "no"), ("item_4", '{"status":"completed"}')]
    assert "**Hm**" in json.dumps(messages[0])
    assert list_texts([whole["choices"][0]["message"]]) == ["Done."]
    assert whole["usage"] == {"prompt_tokens": 3, "completion_tokens": 2}
    assert "incomplete" not in whole


@pytest.mark.parametrize(
    "end",
    [
        {"type": "turn.failed", "error": {"message": "no quota"}},
        {"type": "error", "message": "no quota"},
    ],
)
def test_a_run_of_codex_that_failed_says_so(
    store: Store, client: FlaskClient, tmp_path: Path, end: Line
) -> None:
    import_files(store, [jsonl(tmp_path / "a.jsonl", [*RUN[:-2], end])])

    assert read(client, "t1")[0]["incomplete"] == {"reason": "no quota"}


def test_older_sessions_of_codex_have_items_alone(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    items = [line["payload"] for line in CODEX if line["type"] == "response_item"]
    first = {"id": "s4", "timestamp": "1970-01-01T00:00:05Z", "instructions": None}
    lines = [first, *(one for each in items for one in ({"record_type": "state"}, each))]

    report = import_files(store, [jsonl(tmp_path / "a.jsonl", lines)])

    assert (report.problems, report.added_ids) == ([], ["s4"])
    whole, messages = read(client, "s4")
    assert [one["role"] for one in messages] == ["user", "assistant", "tool", "assistant", "tool"]
    assert list_texts([whole["choices"][0]["message"]]) == ["a"]


@pytest.mark.parametrize("line", [SNAPSHOT, CODEX[0], RUN[0]])
def test_a_session_without_messages_is_a_problem(
    store: Store, client: FlaskClient, tmp_path: Path, line: Line
) -> None:
    report = import_files(store, [jsonl(tmp_path / "a.jsonl", [line])])

    assert [one.reason for one in report.problems] == ["it has no messages"]
