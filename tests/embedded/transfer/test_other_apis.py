"""Requests and responses of other APIs become completions; nothing of them is lost or made up."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from flask.testing import FlaskClient

from tests.support.imported import Imported
from tools.store_rows import jsonl
from webapp.embedded import Store, import_files

pytestmark = pytest.mark.one_database

Import: TypeAlias = Callable[..., Imported]

PNG = "iVBORw0KGgo="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


@pytest.fixture
def imported(store: Store, client: FlaskClient, tmp_path: Path) -> Import:
    return lambda row: Imported(store, client, tmp_path, row)


GEMINI: dict[str, Any] = {
    "systemInstruction": {"parts": [{"text": "s"}]},
    "contents": [
        {
            "role": "user",
            "parts": [{"text": "q"}, {"inlineData": {"mimeType": "image/png", "data": PNG}}],
        },
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"city": "Oslo"}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"t": 1.0}}}]},
    ],
    "generationConfig": {"temperature": 0.5, "maxOutputTokens": 10},
    "tools": [
        {"functionDeclarations": [{"name": "f", "parameters": SCHEMA}]},
        {"googleSearch": {}},
    ],
}
GEMINI_ANSWER: dict[str, Any] = {
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [
                    {"text": "hm", "thought": True},
                    {"text": "Yes.", "thoughtSignature": "x"},
                ],
            },
            "finishReason": "MAX_TOKENS",
            "index": 0,
            "safetyRatings": [],
        }
    ],
    "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "thoughtsTokenCount": 1},
    "modelVersion": "gemini-2.5-flash",
    "responseId": "r1",
    "createTime": "2025-12-17T19:33:20Z",
}


def snake(value: Any) -> Any:
    """Return a request in the names of Google's SDKs for Python."""
    if isinstance(value, list):
        return [snake(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {re.sub("(?=[A-Z])", "_", name).lower(): snake(one) for name, one in value.items()}


@pytest.mark.parametrize("form", ["merged", "pair", "texts", "snake", "vertex batch"])
def test_a_request_of_gemini_has_its_response(imported: Import, form: str) -> None:
    row = {
        "merged": GEMINI | GEMINI_ANSWER,
        "pair": {"request": GEMINI, "response": GEMINI_ANSWER},
        "texts": {"request_body": json.dumps(GEMINI), "response_body": json.dumps(GEMINI_ANSWER)},
        "snake": {"request": snake(GEMINI), "response": GEMINI_ANSWER},
        "vertex batch": {"status": "", "request": GEMINI, "response": GEMINI_ANSWER},
    }[form]

    found = imported(row)

    assert found.forms == ["GEMINI" if form == "merged" else "EXCHANGE"]
    assert (found.id, found.json["model"]) == ("r1", "gemini-2.5-flash")
    assert (found.json["temperature"], found.json["max_tokens"]) == (0.5, 10)
    [choice] = found.json["choices"]
    assert (choice["finish_reason"], choice["finishReason"]) == ("length", "MAX_TOKENS")
    assert choice["message"]["content"] == [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "Yes.", "thoughtSignature": "x"},
    ]
    assert found.json["usage"]["prompt_tokens"] == 3
    assert found.json["usage"]["thoughtsTokenCount"] == 1
    assert [one["role"] for one in found.messages] == ["system", "user", "assistant", "user"]
    [call] = found.messages[2]["content"]
    [result] = found.messages[3]["content"]
    assert (call["name"], call["input"]) == ("f", {"city": "Oslo"})
    assert (result["tool_use_id"], result["content"]) == (call["id"], '{"t": 1.0}')
    tools = found.json["tools"]
    assert tools[0]["function"] == {"name": "f", "parameters": SCHEMA}
    assert list(tools[1].values()) == [{}]


def test_a_blocked_request_of_gemini_has_no_choices(imported: Import) -> None:
    row = {"contents": "q", "promptFeedback": {"blockReason": "SAFETY"}}
    found = imported(row)
    assert (found.forms, found.answers, found.asked) == (["GEMINI"], [], [("user", "q")])
    assert found.json["promptFeedback"] == {"blockReason": "SAFETY"}


def stream_of_gemini(*, has_id: bool) -> list[dict[str, Any]]:
    """Return the pieces of a response with two candidates, as the API sends them in an array."""

    def piece(texts: list[Any], **members: Any) -> dict[str, Any]:
        candidates = [
            {"content": {"role": "model", "parts": texts}, "index": 0},
            {"content": {"role": "model", "parts": [{"text": "other"}]}, "index": 1},
        ]
        for one in candidates:
            one |= members
        own_id = {"responseId": "r1"} if has_id else {}
        return {"candidates": candidates, "usageMetadata": {"promptTokenCount": 3}} | own_id

    thought = {"text": "hm", "thought": True}
    call = {"functionCall": {"name": "f", "args": {"x": 1.50}}}
    return [
        piece([thought, {"text": "one "}]),
        piece([{"text": "two "}]),
        piece([{"text": "three"}, call], finishReason="STOP"),
    ]


@pytest.mark.parametrize("has_id", [True, False])
@pytest.mark.parametrize("form", ["alone", "pair"])
def test_a_stream_of_gemini_is_one_answer(imported: Import, form: str, has_id: bool) -> None:
    pieces = stream_of_gemini(has_id=has_id)
    found = imported(pieces if form == "alone" else {"request": GEMINI, "response": pieces})

    first, second = found.json["choices"]
    [thought, text, call] = first["message"]["content"]
    assert (thought["thinking"], text["text"]) == ("hm", "one two three")
    assert (call["name"], call["input"]) == ("f", {"x": 1.50})
    assert second["message"]["content"] == "otherotherother"
    assert first["finish_reason"] == "stop"
    assert found.json["usage"]["prompt_tokens"] == 3


def test_several_answers_of_gemini_are_several_completions(store: Store, tmp_path: Path) -> None:
    answers = [{"contents": "q"} | GEMINI_ANSWER | {"responseId": f"r{at}"} for at in range(3)]
    last = stream_of_gemini(has_id=False)[-1]
    ended = [{"contents": f"q{at}"} | last for at in range(2)]

    report = import_files(store, [jsonl(tmp_path / "a.jsonl", [answers, ended])])

    assert (report.added, report.problems) == (5, [])


BEDROCK: dict[str, Any] = {
    "modelId": "amazon.nova",
    "system": [{"text": "s"}],
    "messages": [
        {"role": "user", "content": [{"text": "q"}]},
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "x"}}},
                {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"city": "Oslo"}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "toolResult": {
                        "toolUseId": "t1",
                        "content": [
                            {"json": {"t": 1.0}},
                            {"image": {"format": "png", "source": {"bytes": PNG}}},
                        ],
                        "status": "error",
                    }
                }
            ],
        },
    ],
    "inferenceConfig": {"maxTokens": 10, "temperature": 0.5},
    "toolConfig": {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": SCHEMA}}}]},
}
BEDROCK_ANSWER: dict[str, Any] = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Yes."}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5},
    "metrics": {"latencyMs": 7},
}


@pytest.mark.parametrize("form", ["merged", "pair", "invocation log"])
def test_a_request_of_bedrock_has_its_response(imported: Import, form: str) -> None:
    logged = {
        "schemaType": "ModelInvocationLog",
        "input": {"inputContentType": "application/json", "inputBodyJson": BEDROCK},
        "output": {"outputBodyJson": BEDROCK_ANSWER},
    }
    found = imported(
        {
            "merged": BEDROCK | BEDROCK_ANSWER,
            "pair": {"request": BEDROCK, "response": BEDROCK_ANSWER},
            "invocation log": logged,
        }[form]
    )

    assert found.forms == ["BEDROCK" if form == "merged" else "EXCHANGE"]
    assert found.answers == ["Yes."]
    assert (found.json["model"], found.json["max_tokens"]) == ("amazon.nova", 10)
    assert found.json["choices"][0]["finish_reason"] == "stop"
    assert found.json["usage"] == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    assert found.json["metrics"] == {"latencyMs": 7}
    assert found.asked[:2] == [("system", "s"), ("user", "q")]
    thought, call = found.messages[2]["content"]
    assert thought == {"type": "thinking", "thinking": "hm", "signature": "x"}
    assert call == {"type": "tool_use", "id": "t1", "name": "f", "input": {"city": "Oslo"}}
    [result] = found.messages[3]["content"]
    assert (result["tool_use_id"], result["is_error"]) == ("t1", True)
    assert result["content"][0] == {"type": "text", "text": '{"t": 1.0}'}
    assert result["content"][1]["source"]["media_type"] == "image/png"
    assert found.json["tools"][0]["function"]["parameters"] == SCHEMA


def test_a_conversation_of_bedrock_that_ends_with_an_answer_has_it(imported: Import) -> None:
    answer = {"role": "assistant", "content": [{"text": "Yes."}]}
    found = imported({"messages": [BEDROCK["messages"][0], answer]})
    assert (found.forms, found.answers, found.asked) == (["BEDROCK"], ["Yes."], [("user", "q")])


ANTHROPIC = {
    "model": "claude",
    "max_tokens": 5,
    "system": "s",
    "messages": [{"role": "user", "content": "q"}],
}
ANTHROPIC_ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [{"type": "text", "text": "Yes."}],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 2, "cache_read_input_tokens": 1},
}


@pytest.mark.parametrize(
    "row",
    [
        {"request": ANTHROPIC, "response": ANTHROPIC_ANSWER},
        {"request": ANTHROPIC, "response": {"status_code": 200, "body": ANTHROPIC_ANSWER}},
        {"request_body": ANTHROPIC, "response_body": json.dumps(ANTHROPIC_ANSWER)},
        {"recordId": "1", "modelInput": ANTHROPIC, "modelOutput": ANTHROPIC_ANSWER},
        {"input": ANTHROPIC, "output": ANTHROPIC_ANSWER},
    ],
)
def test_a_request_of_anthropic_has_its_response(imported: Import, row: dict[str, Any]) -> None:
    found = imported(row)
    assert (found.forms, found.id, found.json["model"]) == (["EXCHANGE"], "msg_1", "claude-x")
    assert found.asked == [("system", "s"), ("user", "q")]
    assert found.answers == [[{"type": "text", "text": "Yes."}]]
    [choice] = found.json["choices"]
    assert (choice["finish_reason"], choice["stop_reason"]) == ("tool_calls", "tool_use")
    assert found.json["usage"]["prompt_tokens"] == 3
    assert found.json["usage"]["cache_read_input_tokens"] == 1
    assert "type" not in found.json and "role" not in found.json


@pytest.mark.parametrize("alone", [False, True])
def test_a_request_of_anthropic_alone_waits_for_its_answer(imported: Import, alone: bool) -> None:
    found = imported(ANTHROPIC_ANSWER if alone else ANTHROPIC)
    assert found.forms == ["ANTHROPIC"]
    assert found.asked == ([] if alone else [("system", "s"), ("user", "q")])
    assert len(found.answers) == alone


def test_a_batch_of_anthropic_is_paired(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    jsonl(tmp_path / "in.jsonl", [{"custom_id": name, "params": ANTHROPIC} for name in "ab"])
    error = {"type": "errored", "error": {"type": "error", "error": {"message": "Overloaded"}}}
    succeeded = {"type": "succeeded", "message": ANTHROPIC_ANSWER}
    results = [{"custom_id": "a", "result": succeeded}, {"custom_id": "b", "result": error}]
    jsonl(tmp_path / "out.jsonl", results)

    report = import_files(store, [tmp_path / "in.jsonl", tmp_path / "out.jsonl"])

    assert (report.added, report.problems) == (2, [])
    listed = client.get("/chat/completions").get_json()["data"]
    assert {one["id"] for one in listed if one["choices"]} == {"msg_1"}
    [failed] = [one for one in listed if not one["choices"]]
    assert "Overloaded" in failed["incomplete"]["reason"]


CITED = {"type": "url_citation", "url": "https://a.example/", "start_index": 0, "end_index": 4}
RESPONSES: dict[str, Any] = {
    "model": "gpt",
    "instructions": "s",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "q"}]},
        {"type": "reasoning", "id": "rs_0", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "r"},
    ],
}
RESPONSES_ANSWER: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 5,
    "status": "completed",
    "model": "gpt-x",
    "error": None,
    "output": [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {
            "type": "message",
            "id": "msg_1",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Yes.", "annotations": [CITED]}],
        },
        {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{}"},
    ],
    "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
}


@pytest.mark.parametrize("form", ["merged", "pair"])
def test_a_request_of_the_responses_api_has_its_response(imported: Import, form: str) -> None:
    pair = {"request": RESPONSES, "response": RESPONSES_ANSWER}
    found = imported(pair if form == "pair" else RESPONSES | RESPONSES_ANSWER)

    assert found.forms == ["EXCHANGE" if form == "pair" else "RESPONSES"]
    assert (found.id, found.json["created"], found.json["model"]) == ("resp_1", 5, "gpt-x")
    assert [one["role"] for one in found.messages] == ["developer", "user", "assistant", "tool"]
    called = found.messages[2]
    assert called["content"][0]["summary"][0]["text"] == "hm"
    assert called["tool_calls"][0]["id"] == found.messages[3]["tool_call_id"] == "c1"
    [choice] = found.json["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert [part["type"] for part in choice["message"]["content"]] == [
        "reasoning",
        "web_search_call",
        "text",
    ]
    assert choice["message"]["annotations"] == [CITED]
    assert choice["message"]["tool_calls"][0]["function"] == {"name": "g", "arguments": "{}"}
    assert choice["message"]["id"] == "msg_1"
    assert found.json["usage"]["prompt_tokens"] == 3


def test_a_failed_response_has_its_reason(imported: Import) -> None:
    failed = RESPONSES_ANSWER | {
        "status": "failed",
        "output": [],
        "error": {"code": "server_error", "message": "It broke."},
    }
    found = imported({"request": {"model": "gpt", "input": "q"}, "response": failed})
    assert (found.answers, found.asked) == ([], [("user", "q")])
    assert found.json["incomplete"]["reason"] == "It broke."


def test_a_batch_of_the_responses_api_is_paired(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    body = {"model": "gpt", "input": "q"}
    line = {"custom_id": "a", "method": "POST", "url": "/v1/responses", "body": body}
    done = {"custom_id": "a", "response": {"status_code": 200, "body": RESPONSES_ANSWER}}
    paths = [jsonl(tmp_path / "in.jsonl", [line]), jsonl(tmp_path / "out.jsonl", [done])]

    assert import_files(store, paths).added == 1
    assert client.get("/chat/completions/resp_1/messages").get_json()["data"][0]["content"] == "q"


OLLAMA = {
    "model": "llama3.2",
    "messages": [{"role": "user", "content": "q", "images": [PNG]}],
    "options": {"temperature": 0.5},
    "stream": False,
}
OLLAMA_ANSWER = {
    "model": "llama3.2",
    "created_at": "2025-12-17T19:33:20.123456789Z",
    "message": {"role": "assistant", "content": "Yes.", "thinking": "hm"},
    "done_reason": "stop",
    "done": True,
    "total_duration": 7,
    "prompt_eval_count": 3,
    "eval_count": 2,
}


@pytest.mark.parametrize("form", ["merged", "pair", "generate"])
def test_a_request_of_ollama_has_its_response(imported: Import, form: str) -> None:
    asked = {"model": "llama3.2", "prompt": "q", "images": [PNG], "options": {"temperature": 0.5}}
    generated = {name: value for name, value in OLLAMA_ANSWER.items() if name != "message"}
    generated |= {"response": "Yes.", "thinking": "hm"}
    found = imported(
        {
            "merged": OLLAMA | OLLAMA_ANSWER,
            "pair": {"request": OLLAMA, "response": OLLAMA_ANSWER},
            "generate": {
                "request": asked,
                "response": generated | {"response": "Yes.", "thinking": "hm"},
            },
        }[form]
    )

    assert found.forms == ["OLLAMA" if form == "merged" else "EXCHANGE"]
    assert found.answers == ["Yes."]
    assert found.json["choices"][0]["message"]["thinking"] == "hm"
    assert found.json["temperature"] == 0.5
    assert found.json["usage"] == {"prompt_tokens": 3, "completion_tokens": 2}
    assert found.json["total_duration"] == 7
    assert found.messages[0]["content"] == [
        {"type": "text", "text": "q"},
        {"type": "image", "data": PNG},
    ]


@pytest.mark.parametrize(
    "row",
    [
        OLLAMA_ANSWER | {"done": False},
        {"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}}]},
    ],
)
def test_a_chunk_of_a_stream_is_no_answer(store: Store, tmp_path: Path, row: object) -> None:
    [problem] = import_files(store, [jsonl(tmp_path / "a.jsonl", [row])]).problems
    assert problem.reason == "it is a chunk of a streamed answer, and not the whole answer"


ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "q"}]}
FAILURES: dict[str, tuple[dict[str, Any], str]] = {
    "an error object": ({"response": {"error": {"message": "Too long."}}}, "Too long."),
    "a text": ({"response": {"error": "Too long."}}, "Too long."),
    "FastAPI": ({"response": {"detail": "Too long."}}, "Too long."),
    "a status with a body": (
        {"response": {"status_code": 429, "body": {"error": {"message": "Too many."}}}},
        "Too many.",
    ),
    "a page": (
        {"response": {"status": 502, "body": "<h1>Bad Gateway</h1>"}},
        "502 <h1>Bad Gateway</h1>",
    ),
    "a status alone": ({"response": {"status": 503, "body": {}}}, "status 503"),
    "beside no response": ({"response": None, "error": {"message": "Cut."}}, "Cut."),
    "beside none at all": ({"error_message": "Cut."}, "Cut."),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_request_that_failed_has_the_reason(imported: Import, name: str) -> None:
    row, reason = FAILURES[name]
    found = imported({"request": ASKED} | row)
    assert (found.answers, found.asked) == ([], [("user", "q")])
    assert found.json["incomplete"]["reason"] == reason


def test_what_else_a_log_has_of_an_exchange_is_kept(imported: Import) -> None:
    answer = {
        "id": "c1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "a"}}],
    }
    row = {"id": "r/1", "latency_ms": 5.0, "model": "alias", "request": ASKED, "response": answer}
    found = imported(row)
    assert (found.id, found.json["logged_id"], found.json["latency_ms"]) == ("c1", "r/1", 5.0)
    assert found.json["model"] == "m"


LANGFUSE = {
    "id": "o1",
    "traceId": "t1",
    "type": "GENERATION",
    "startTime": "2025-12-17T19:33:20.000Z",
    "model": "m",
    "modelParameters": {"temperature": 0.5},
}
TRACES: dict[str, dict[str, Any]] = {
    "messages": {"input": ASKED["messages"], "output": {"role": "assistant", "content": "a"}},
    "an object": {"input": ASKED, "output": {"role": "assistant", "content": "a"}},
    "texts": {"input": json.dumps(ASKED["messages"]), "output": "a"},
    "a text": {"input": "q", "output": "a"},
    "a list": {"input": ASKED["messages"], "output": [{"role": "assistant", "content": "a"}]},
    "LangSmith": {"inputs": ASKED, "outputs": {"message": {"role": "assistant", "content": "a"}}},
    "a question": {"inputs": {"question": "q"}, "outputs": {"answer": "a"}},
    "an input": {"inputs": {"input": "q"}, "outputs": {"output": "a"}},
    "a query and a result": {"inputs": {"query": "q"}, "outputs": {"result": "a"}},
    "only members of other names": {"inputs": {"topic": "q"}, "outputs": {"joke": "a"}},
}


@pytest.mark.parametrize("name", TRACES)
def test_a_traced_request_has_its_answer(imported: Import, name: str) -> None:
    found = imported(LANGFUSE | TRACES[name])
    assert (found.forms, found.answers, found.asked) == (["TRACED"], ["a"], [("user", "q")])
    assert (found.id, found.json["temperature"], found.json["traceId"]) == ("o1", 0.5, "t1")
    assert found.created == 1766000000


def test_an_example_of_a_data_set_has_its_question_and_its_answer(imported: Import) -> None:
    row = {"inputs": {"question": "q", "docs": [1]}, "outputs": {"answer": "a", "sources": [2]}}
    found = imported(row | {"metadata": {"split": "test"}})
    assert (found.forms, found.asked, found.answers) == (["TRACED"], [("user", "q")], ["a"])
    assert (found.json["docs"], found.json["sources"]) == ([1], [2])


def test_what_else_a_traced_input_has_is_kept(imported: Import) -> None:
    asked = {"tools": [{"name": "f"}], "top_k": 3, "model": "alias", "input": 1}
    row = LANGFUSE | {"input": ASKED | asked, "output": "a"}
    found = imported(row)
    assert (found.json["tools"], found.json["top_k"]) == ([{"name": "f"}], 3)
    assert (found.json["model"], found.json["traced"]) == ("m", {"model": "alias", "input": 1})


@pytest.mark.parametrize(
    "usage",
    [
        {"usageDetails": {"input": 3, "output": 2, "total": 5, "input_cached_tokens": 1}},
        {"usage_details": {"input": 3, "output": 2, "total": 5, "input_cached_tokens": 1}},
        {"usage": {"input": 3, "output": 2, "total": 5, "unit": "TOKENS"}},
        {"usage": {"promptTokens": 3, "completionTokens": 2, "totalTokens": 5}},
    ],
)
def test_the_tokens_of_a_traced_request_are_its_usage(imported: Import, usage: Any) -> None:
    row = LANGFUSE | {"input": ASKED["messages"], "output": "a"} | usage
    [given] = usage.values()
    counts = imported(row).json["usage"]
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    assert [counts[name] for name in names] == [3, 2, 5]
    assert len(counts) == len(given)


def test_the_usage_of_an_answer_does_not_hide_that_of_its_trace(imported: Import) -> None:
    message = {"role": "assistant", "content": "a"}
    answer = {"choices": [{"message": message}], "usage": {"prompt_tokens": 1}}
    row = LANGFUSE | {"input": ASKED["messages"], "output": answer, "usageDetails": {"input": 3}}
    found = imported(row)
    assert (found.json["usage"]["prompt_tokens"], found.json["usageDetails"]) == (1, {"input": 3})


@pytest.mark.parametrize("is_text", [False, True])
def test_what_is_around_the_bodies_of_an_exchange_is_kept(imported: Import, is_text: bool) -> None:
    body = {"id": "c1", "choices": [{"message": {"role": "assistant", "content": "a"}}]}
    sent = {"Authorization": "Bearer k-1", "x-api-key": "k-2", "User-Agent": "sdk"}
    request: Any = {"url": "/v1/chat/completions", "headers": sent, "body": ASKED}
    response: Any = {"status": 200, "time": 500.0, "body": body}
    if is_text:
        request, response = json.dumps(request), json.dumps(response)
    found = imported({"id": "r1", "request": request, "response": response})
    assert (found.asked, found.answers) == ([("user", "q")], ["a"])
    masked = dict.fromkeys(["Authorization", "x-api-key"], "[masked: credentials]")
    headers = {**masked, "User-Agent": "sdk"}
    assert found.json["request"] == {"url": "/v1/chat/completions", "headers": headers}
    assert found.json["response"] == {"status": 200, "time": 500.0}


def test_a_traced_request_that_failed_has_the_reason(imported: Import) -> None:
    row = LANGFUSE | {"input": ASKED["messages"], "output": None, "statusMessage": "Too long."}
    found = imported(row)
    assert (found.answers, found.json["incomplete"]) == ([], {"reason": "Too long."})


def test_the_branches_of_a_chat_of_open_webui_are_completions(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    def message(own_id: str, parent: str | None, role: str, **more: Any) -> dict[str, Any]:
        return {"id": own_id, "parentId": parent, "childrenIds": [], "role": role} | more

    image = {"type": "image", "url": f"data:image/png;base64,{PNG}"}
    nodes = [
        message("u1", None, "user", content="q", files=[image, {"type": "file", "name": "n"}]),
        message("a1", "u1", "assistant", content="first", model="m1"),
        message("a2", "u1", "assistant", content="Yes.", model="m2", usage={"prompt_tokens": 3}),
    ]
    history = {"messages": {one["id"]: one for one in nodes}, "currentId": "a2"}
    chat = {"title": "T", "system": "s", "history": history, "messages": [nodes[0], nodes[2]]}
    row = {"id": "chat-1", "user_id": "u", "title": "T", "chat": chat, "created_at": 1766000000}

    report = import_files(store, [jsonl(tmp_path / "a.json", [[row]])])

    assert [form.name for form in report.formats[tmp_path / "a.json"]] == ["OPEN_WEBUI"]
    assert (report.added, report.problems) == (2, [])
    shown = client.get("/chat/completions/chat-1").get_json()
    assert shown["choices"][0]["message"]["content"] == "Yes."
    assert (shown["model"], shown["created"]) == ("m2", 1766000000)
    assert shown["usage"]["prompt_tokens"] == 3
    other = client.get("/chat/completions/chat-1:a1").get_json()
    assert other["choices"][0]["message"]["content"] == "first"
    system, asked = client.get("/chat/completions/chat-1/messages").get_json()["data"]
    assert system["content"] == "s"
    assert [part["type"] for part in asked["content_parts"]] == ["text", "image_url"]
    assert asked["open_webui"] == {"files": [{"type": "file", "name": "n"}]}


ROWS: dict[str, tuple[dict[str, Any], str, list[tuple[str, Any]]]] = {
    "instruction": ({"instruction": "q", "input": "", "output": "a"}, "ALPACA", [("user", "q")]),
    "with input": (
        {"instruction": "q", "input": "i", "output": "a"},
        "ALPACA",
        [("user", [{"type": "text", "text": "q"}, {"type": "text", "text": "i"}])],
    ),
    "history": (
        {"instruction": "q", "response": "a", "system": "s", "history": [["q0", "a0"]]},
        "ALPACA",
        [("system", "s"), ("user", "q0"), ("assistant", "a0"), ("user", "q")],
    ),
    "prompt": ({"prompt": "q", "completion": "a"}, "PROMPT", [("user", "q")]),
    "prompt of messages": (
        {
            "prompt": [{"role": "user", "content": "q"}],
            "completion": [{"role": "assistant", "content": "a"}],
        },
        "PROMPT",
        [("user", "q")],
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_of_instructions_has_its_output(imported: Import, name: str) -> None:
    row, form, asked = ROWS[name]
    found = imported(row | {"note": "kept"})
    assert (found.forms, found.asked, found.answers) == ([form], asked, ["a"])
    assert found.json["note"] == "kept"


ANSWER = {"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}
DELTAS: list[dict[str, Any]] = [
    {"delta": {"role": "assistant", "content": "a"}},
    {"delta": {}, "finish_reason": "stop"},
]
CHUNKS = [
    {"id": "c1", "object": "chat.completion.chunk", "choices": [{"index": 0} | one]}
    for one in DELTAS
]
EVENTS = "".join(f"data: {json.dumps(one)}\n\n" for one in CHUNKS)
DONE = "data: [DONE]\n\n"
LAST = {"type": "response.completed", "sequence_number": 7, "response": RESPONSES_ANSWER}
ENDED = f"event: response.completed\ndata: {json.dumps(LAST)}\n\n"


@pytest.mark.parametrize(
    "response",
    [
        EVENTS + DONE,
        {"status": 200, "body": ": open\n\n" + EVENTS + DONE},
        {"status": 200, "body": "retry: 9\n\nid: 1\n" + EVENTS + DONE},
        CHUNKS,
        {"id": "c1", "choices": [ANSWER]},
        json.dumps({"id": "c1", "choices": [ANSWER]}),
    ],
)
def test_a_streamed_answer_is_assembled(imported: Import, response: object) -> None:
    found = imported({"request": ASKED, "response": response})
    assert (found.id, found.answers, found.asked) == ("c1", ["a"], [("user", "q")])
    assert found.json["choices"][0]["finish_reason"] == "stop"
    assert "incomplete" not in found.json


def test_a_streamed_answer_that_broke_off_is_marked(imported: Import) -> None:
    failed = f"data: {json.dumps({'error': {'message': 'Provider died'}})}\n\n"
    found = imported({"request": ASKED, "response": EVENTS.replace('"stop"', "null") + failed})
    assert found.answers == ["a"]
    assert "Provider died" in found.json["incomplete"]["reason"]


@pytest.mark.parametrize("row", [LAST, {"request": RESPONSES, "response": ENDED}])
def test_the_last_event_of_a_streamed_response_has_all_of_it(imported: Import, row: Any) -> None:
    found = imported(row)
    assert found.id == "resp_1"
    assert found.json["choices"][0]["finish_reason"] == "tool_calls"


PROMPTED = {"model": "m", "prompt": "q", "max_tokens": 5}
CONTINUED = {
    "id": "cmpl-1",
    "object": "text_completion",
    "choices": [{"index": 0, "text": "a", "finish_reason": "length"}],
}


@pytest.mark.parametrize(
    ("row", "form"),
    [
        ({"request": PROMPTED, "response": CONTINUED}, "EXCHANGE"),
        (PROMPTED | CONTINUED, "COMPLETIONS"),
    ],
)
def test_a_text_that_was_continued_has_its_prompt(imported: Import, row: Any, form: str) -> None:
    found = imported(row)
    assert (found.forms, found.id, found.asked) == ([form], "cmpl-1", [("user", "q")])
    assert (found.answers, found.json["choices"][0]["finish_reason"]) == (["a"], "length")


@pytest.mark.parametrize(
    "row",
    [
        {"question": "q", "answer": "a"},
        {"query": "q", "response": "a"},
        {"input": "q", "output": "a"},
        ASKED | {"output": "a"},
        ASKED | {"completion": {"role": "assistant", "content": "a"}},
    ],
)
def test_a_question_has_the_answer_beside_it(imported: Import, row: dict[str, Any]) -> None:
    found = imported(row)
    assert (found.forms, found.asked, found.answers) == (["PROMPT"], [("user", "q")], ["a"])


@pytest.mark.parametrize("nested", [False, True])
def test_a_bare_list_of_messages_is_a_conversation(
    store: Store, tmp_path: Path, nested: bool
) -> None:
    messages = [*ASKED["messages"], {"role": "assistant", "content": "a"}]
    row = [messages, [{"role": "user", "content": "other"}]] if nested else messages
    path = tmp_path / "a.json"
    path.write_text(json.dumps(row, indent=1))

    report = import_files(store, [path])

    assert (report.added, report.problems) == (1 + nested, [])


@pytest.mark.parametrize(
    ("choices", "answers"),
    [
        ({"index": 0, "message": {"role": "assistant", "content": "a"}}, ["a"]),
        ({"0": {"message": {"content": "a"}}, "1": {"message": {"content": "b"}}}, ["a", "b"]),
    ],
)
def test_choices_that_are_no_list_are_read(
    imported: Import, choices: dict[str, Any], answers: list[str]
) -> None:
    found = imported(
        {"id": "c", "messages": [{"role": "user", "content": "q"}], "choices": choices}
    )
    assert (found.id, found.answers, found.asked) == ("c", answers, [("user", "q")])


MISTRAL: list[dict[str, Any]] = [
    {"object": "entry", "type": "message.input", "id": "m0", "role": "user", "content": "q"},
    {"type": "tool.execution", "id": "t1", "name": "web_search", "arguments": "{}"},
    {"type": "function.call", "id": "f1", "tool_call_id": "c1", "name": "f", "arguments": "{}"},
    {"type": "function.result", "id": "r1", "tool_call_id": "c1", "result": "sunny"},
    {
        "type": "message.output",
        "id": "m1",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "a"}, {"type": "tool_reference", "title": "T"}],
    },
]


def test_the_history_of_a_conversation_of_mistral_has_its_calls_and_results(
    imported: Import,
) -> None:
    found = imported({"object": "conversation.history", "entries": MISTRAL})

    assert found.forms == ["MISTRAL"]
    assert [one["role"] for one in found.messages] == ["user", "assistant", "tool"]
    asked, called, result = found.messages
    assert (asked["content"], result["content"], result["tool_call_id"]) == ("q", "sunny", "c1")
    [call] = called["tool_calls"]
    assert (call["id"], call["function"]) == ("c1", {"name": "f", "arguments": "{}"})
    assert [part["type"] for part in called["content"]] == ["tool.execution"]
    assert found.answers == [MISTRAL[-1]["content"]]


@pytest.mark.parametrize("content", [{}, {"content": None}, {"content": []}])
def test_an_answer_of_mistral_without_content_has_none(
    imported: Import, content: dict[str, Any]
) -> None:
    output = {"type": "message.output", "role": "assistant", **content}
    found = imported({"inputs": None, "entries": [MISTRAL[0], output]})

    assert (found.asked, found.answers) == ([("user", "q")], [None])


def test_a_response_of_mistral_is_the_answer_of_its_request(imported: Import) -> None:
    output = MISTRAL[-1] | {"content": "a", "created_at": "2025-05-27T11:38:31Z"}
    request = {"inputs": "q", "model": "m", "instructions": "s", "stream": False}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    response = {"object": "conversation.response", "outputs": [output], "usage": usage}
    found = imported({"request": request, "response": response})

    assert found.asked == [("system", "s"), ("user", "q")]
    assert (found.answers, found.created) == (["a"], 1748345911)
    assert (found.json["model"], found.json["usage"]) == ("m", usage)
