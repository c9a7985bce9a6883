"""HAR files, logs of evaluations and trees of OpenAssistant become completions."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, Final

import pytest
from flask.testing import FlaskClient

from tests.support.imported import Imported
from tests.support.model_server import chunks_of, stream
from tools.store_rows import ANSWER, jsonl
from webapp.embedded import Store, import_files

pytestmark = pytest.mark.one_database

ASKED: Final = {"model": "m", "messages": [{"role": "user", "content": "q"}]}
RESPONSE: Final = {"id": "c1", "created": 5, "model": "m", "choices": [ANSWER]}
SECRETS: Final = ("sk-of-the-header", "session-of-the-cookie", "key-of-the-address")


def entry(
    response: Any, *, request: Any = ASKED, path: str = "/v1/chat/completions", **content: Any
) -> dict[str, Any]:
    """Return an entry of a HAR file, with secrets wherever browsers save them."""
    text = response if isinstance(response, str) else json.dumps(response)
    headers = [{"name": "Authorization", "value": f"Bearer {SECRETS[0]}"}]
    cookies = [{"name": "s", "value": SECRETS[1]}]
    return {
        "startedDateTime": "1970-01-01T00:00:07.000Z",
        "time": 1234.5,
        "request": {
            "method": "POST",
            "url": f"https://user:{SECRETS[2]}@api.example:81{path}?key={SECRETS[2]}",
            "headers": headers,
            "cookies": cookies,
            "queryString": [{"name": "key", "value": SECRETS[2]}],
            "postData": {"mimeType": "application/json", "text": json.dumps(request)},
        },
        "response": {
            "status": 200,
            "headers": headers,
            "cookies": cookies,
            "content": {"mimeType": "application/json", "text": text} | content,
        },
    }


def har(*entries: dict[str, Any]) -> dict[str, Any]:
    page = {"request": {"method": "GET", "url": "https://a.example/"}, "response": {"status": 200}}
    return {"log": {"version": "1.2", "entries": [page, *entries]}}


STREAMED: Final = stream(*chunks_of("Yes", ".", completion_id="c1")).body.decode()
CONTENT: Final = {"content": {"role": "model", "parts": [{"text": "Yes."}]}, "finishReason": "STOP"}
OF_GEMINI: Final = {"contents": [{"role": "user", "parts": [{"text": "q"}]}]}
OF_ANTHROPIC: Final = {
    **{"id": "c1", "type": "message", "role": "assistant", "model": "m", "usage": {}},
    **{"content": [{"type": "text", "text": "Yes."}], "stop_reason": "end_turn"},
}
OF_RESPONSES: Final[dict[str, Any]] = {
    "request": {"model": "m", "input": "q"},
    "path": "/v1/responses",
}
ENTRIES: Final[dict[str, dict[str, Any]]] = {
    "JSON": entry(RESPONSE),
    "base64": entry(base64.b64encode(json.dumps(RESPONSE).encode()).decode(), encoding="base64"),
    "a stream": entry(STREAMED, request=ASKED | {"stream": True}),
    "a stream in base64": entry(base64.b64encode(STREAMED.encode()).decode(), encoding="base64"),
    "of Anthropic": entry(OF_ANTHROPIC, request=ASKED | {"max_tokens": 9}, path="/v1/messages"),
    "of Gemini": entry(
        [{"candidates": [CONTENT]}],
        request=OF_GEMINI,
        path="/v1beta/models/m:streamGenerateContent",
    ),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_a_request_in_a_har_file_has_its_response_and_no_secret(
    store: Store, client: FlaskClient, tmp_path: Path, name: str
) -> None:
    imported = Imported(store, client, tmp_path, har(ENTRIES[name]))

    assert imported.forms == ["HAR"]
    assert imported.asked == [("user", "q")]
    said = imported.answers[0]
    assert (said if isinstance(said, str) else said[0]["text"]) == "Yes."
    assert imported.json["model"] in ("m", "gpt-4o-mini-2024-07-18")
    assert imported.json["url"].startswith("https://api.example:81/v1")
    assert not [secret for secret in SECRETS if secret in json.dumps(imported.json)]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (entry({"error": {"message": "No quota"}}), "No quota"),
        (entry("<html>busy</html>"), "200 <html>busy</html>"),
        (entry({"ok": 1}), "neither a completion nor an error"),
        (entry("", text=None), "no body of the response (status 200)"),
        (entry("", text=None, **OF_RESPONSES), "no body of the response (status 200)"),
        (entry({"error": {"message": "No quota"}}, **OF_RESPONSES), "No quota"),
        (entry({"ok": 1}, **OF_RESPONSES), "neither a completion nor an error"),
    ],
)
def test_a_request_in_a_har_file_without_an_answer_says_why(
    store: Store, client: FlaskClient, tmp_path: Path, broken: dict[str, Any], reason: str
) -> None:
    imported = Imported(store, client, tmp_path, har(broken))

    assert imported.asked == [("user", "q")]
    assert imported.answers == []
    assert reason in imported.json["incomplete"]["reason"]
    assert imported.created == 7


def test_a_request_in_a_har_file_whose_address_is_none_is_imported(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    asked = entry(RESPONSE)
    asked["request"]["url"] = "https://[api.example/v1"

    imported = Imported(store, client, tmp_path, har(asked))

    assert (imported.asked, imported.json.get("url")) == ([("user", "q")], None)


def test_a_har_file_without_a_completion_is_refused(store: Store, tmp_path: Path) -> None:
    messages = entry({}, request={"messages": [{"event": "clicked"}]})

    report = import_files(store, [jsonl(tmp_path / "a.har", [har(messages)])])

    [problem] = report.problems
    assert str(problem).endswith("a.har:1: none of the requests in it is one for a completion")


TREE: Final[dict[str, Any]] = {
    "message_tree_id": "t1",
    "tree_state": "ready_for_export",
    "prompt": {
        "message_id": "m1",
        "text": "q",
        "role": "prompter",
        "replies": [
            {"message_id": "m2", "text": "worse", "role": "assistant", "rank": 1, "replies": []},
            {
                **{"message_id": "m3", "text": "best", "role": "assistant", "rank": 0},
                "labels": {"quality": {"value": 0.5}},
                "replies": [{"message_id": "m4", "text": "q2", "role": "prompter", "replies": []}],
            },
            {"message_id": "m5", "text": "unranked", "role": "assistant", "replies": []},
        ],
    },
}
ONE_BY_ONE: Final[list[dict[str, Any]]] = [
    {"message_id": "m4", "parent_id": "m3", "text": "q2", "role": "prompter"},
    {"message_id": "m2", "parent_id": "m1", "text": "worse", "role": "assistant", "rank": 1.0},
    {"message_id": "m5", "parent_id": "m1", "text": "unranked", "role": "assistant", "rank": None},
    {"message_id": "m3", "parent_id": "m1", "text": "best", "role": "assistant", "rank": 0.0},
    {"message_id": "m1", "parent_id": None, "text": "q", "role": "prompter"},
]


@pytest.mark.parametrize("is_tree", [True, False])
def test_each_path_of_a_tree_is_a_completion_and_the_best_has_its_id(
    store: Store, client: FlaskClient, tmp_path: Path, is_tree: bool
) -> None:
    lines = [one | {"message_tree_id": "t1", "lang": "en"} for one in ONE_BY_ONE]
    report = import_files(store, [jsonl(tmp_path / "a.jsonl", [TREE] if is_tree else lines)])

    assert (report.added, report.problems) == (3, [])
    said = {}
    for listed in client.get("/chat/completions").get_json()["data"]:
        page = client.get(f"/chat/completions/{listed['id']}/messages").get_json()
        answers = [one["message"]["content"] for one in listed["choices"]]
        said[listed["id"]] = [one["content"] for one in page["data"]] + answers
    assert said == {
        "t1": ["q", "best", "q2"],
        "t1:m2": ["q", "worse"],
        "t1:m5": ["q", "unranked"],
    }


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (ONE_BY_ONE[:2], "it replies to 'm3', which is not in the files"),
        ([ONE_BY_ONE[0] | {"parent_id": "m4"}], "it replies to 'm4', which is not in the files"),
        ([TREE | {"prompt": TREE["prompt"] | {"replies": [{"text": "a"}]}}], "not a message"),
        ([TREE | {"prompt": TREE["prompt"] | {"message_id": ""}}], "it has no `messages` list"),
        ([ONE_BY_ONE[4] | {"message_id": ""}], "it has no `messages` list"),
    ],
)
def test_a_tree_with_a_gap_is_refused(
    store: Store, tmp_path: Path, rows: list[Any], reason: str
) -> None:
    report = import_files(store, [jsonl(tmp_path / "a.jsonl", rows)])

    assert report.added == 0
    assert reason in str(report.problems[0])


HASH: Final = "0123456789abcdef0123456789abcdef"
SAMPLE: Final[dict[str, Any]] = {
    "id": 3,
    "uuid": "s1",
    "epoch": 1,
    "input": "q",
    "target": "t",
    "messages": [
        {"id": "m1", "role": "user", "content": f"attachment://{HASH}", "source": "input"},
        {
            **{"id": "m2", "role": "assistant", "source": "generate"},
            "content": [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "x"}],
            "tool_calls": [
                {"id": "t1", "function": "bash", "arguments": {"cmd": "ls"}, "type": "function"}
            ],
        },
        {
            **{"id": "m3", "role": "tool", "content": "r", "tool_call_id": "t1"},
            **{"function": "bash", "error": {"type": "timeout", "message": "late"}},
        },
        {"id": "m4", "role": "assistant", "content": "Yes."},
    ],
    "output": {
        "model": "m",
        "choices": [{"message": {"role": "assistant", "content": "Yes."}, "stop_reason": "stop"}],
        "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    },
    "scores": {"match": {"value": "C"}},
    "store": {"kept": True},
    "attachments": {HASH: "q"},
}
OF_INSPECT: Final = {
    "version": 2,
    "eval": {"task": "t", "model": "m", "created": "1970-01-01T00:00:05+00:00"},
    "samples": [SAMPLE],
}


@pytest.mark.parametrize("value", [OF_INSPECT, SAMPLE], ids=["a log", "a sample"])
def test_a_sample_of_inspect_has_its_messages_scores_and_calls(
    store: Store, client: FlaskClient, tmp_path: Path, value: dict[str, Any]
) -> None:
    imported = Imported(store, client, tmp_path, value)

    assert (imported.forms, imported.id) == (["INSPECT"], "s1")
    assert [one["role"] for one in imported.messages] == ["user", "assistant", "tool"]
    assert imported.messages[0]["content"] == "q"
    [call] = imported.messages[1]["tool_calls"]
    assert (call["id"], call["function"]["name"]) == ("t1", "bash")
    assert json.loads(call["function"]["arguments"]) == {"cmd": "ls"}
    assert imported.messages[1]["content"][0] == {"type": "reasoning", "text": "hm"}
    assert imported.messages[2]["tool_call_id"] == "t1"
    assert imported.messages[2]["inspect"] == {"error": {"type": "timeout", "message": "late"}}
    assert imported.answers == ["Yes."]
    assert imported.json["choices"][0]["finish_reason"] == "stop"
    assert imported.json["usage"]["prompt_tokens"] == 1
    assert imported.json["inspect"]["scores"] == {"match": {"value": "C"}}
    assert imported.json["inspect"]["store"] == {"kept": True}
    assert imported.json.get("eval") == value.get("eval")


def test_a_sample_of_inspect_that_broke_off_says_why(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    sample = SAMPLE | {"error": {"message": "Died"}, "messages": SAMPLE["messages"][:3]}

    imported = Imported(store, client, tmp_path, OF_INSPECT | {"samples": [sample]})

    assert imported.answers == []
    assert imported.json["incomplete"] == {"reason": "Died"}


@pytest.mark.parametrize(
    ("task", "kept"),
    [
        ({"dataset": {"name": "d", "sample_ids": [1, 2]}}, {"dataset": {"name": "d"}}),
        ({"task_args": {"a": "x" * 100_000}}, None),
    ],
)
def test_a_sample_of_inspect_does_not_repeat_what_grows_with_the_log(
    store: Store, client: FlaskClient, tmp_path: Path, task: Any, kept: Any
) -> None:
    imported = Imported(store, client, tmp_path, OF_INSPECT | {"eval": task})

    assert imported.json.get("eval") == kept


def test_an_attachment_that_is_repeated_without_end_is_refused(
    store: Store, tmp_path: Path
) -> None:
    said = [{"role": "user", "content": f"attachment://{HASH}"}] * 700
    sample = SAMPLE | {"messages": said, "attachments": {HASH: "x" * 100_000}}

    report = import_files(store, [jsonl(tmp_path / "a.json", [OF_INSPECT | {"samples": [sample]}])])

    assert "too large with their attachments" in str(report.problems[0])


RESULT: Final[dict[str, Any]] = {
    "id": "r1",
    "provider": {"id": "openai:m"},
    "prompt": {"raw": json.dumps(ASKED["messages"]), "label": "first"},
    "vars": {"name": "x"},
    "response": {"output": "Yes.", "tokenUsage": {"prompt": 1, "total": 3}, "cached": True},
    "success": False,
    "error": "Expected output to contain no",
    "latencyMs": 12,
}
OF_PROMPTFOO: Final = {
    "evalId": "e1",
    "results": {"version": 3, "timestamp": "1970-01-01T00:00:05Z", "results": [RESULT]},
}


@pytest.mark.parametrize("value", [OF_PROMPTFOO, RESULT], ids=["an output", "a line"])
@pytest.mark.parametrize("raw", [RESULT["prompt"]["raw"], "q"], ids=["messages", "a text"])
def test_a_result_of_promptfoo_has_its_prompt_and_output(
    store: Store, client: FlaskClient, tmp_path: Path, value: dict[str, Any], raw: str
) -> None:
    row = json.loads(
        json.dumps(value).replace(json.dumps(RESULT["prompt"]["raw"]), json.dumps(raw))
    )

    imported = Imported(store, client, tmp_path, row)

    assert (imported.forms, imported.id) == (["PROMPTFOO"], "r1")
    assert (imported.asked, imported.answers) == ([("user", "q")], ["Yes."])
    assert imported.json["model"] == "openai:m"
    assert imported.json["usage"]["prompt_tokens"] == 1
    assert imported.json["vars"] == {"name": "x"}
    kept = {"prompt": {"label": "first"}, "response": {"cached": True}}
    assert imported.json["promptfoo"] == kept
    assert "incomplete" not in imported.json


def test_a_result_of_promptfoo_without_output_has_its_error(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    failed = RESULT | {"response": {"error": "API error: 401"}, "error": "API error: 401"}

    imported = Imported(store, client, tmp_path, failed)

    assert imported.answers == []
    assert imported.json["incomplete"]["reason"] == "API error: 401"
