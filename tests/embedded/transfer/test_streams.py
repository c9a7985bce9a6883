"""Streamed answers that were saved in files are read as answers, whichever API sent them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from flask.testing import FlaskClient

from webapp.embedded import Store, import_files
from webapp.embedded.transfer.importing import ImportReport

pytestmark = pytest.mark.one_database

Piece = dict[str, Any]


def chat(text: str, reason: str | None = None, name: str = "chatcmpl-s") -> Piece:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
    return {"id": name, "object": "chat.completion.chunk", "created": 5, "choices": [choice]}


def ollama(text: str, **done: Any) -> Piece:
    message = {"role": "assistant", "content": text}
    created = "2025-12-17T19:33:20.123456Z"
    return {"model": "m", "created_at": created, "message": message, "done": False} | done


CHAT: Final = [chat("He"), chat("llo"), chat("", "stop")]
OLLAMA: Final = [
    ollama("He"),
    ollama("llo"),
    ollama("", done=True, done_reason="stop", eval_count=2),
]
ANTHROPIC: Final[list[Piece]] = [
    {
        "type": "message_start",
        "message": {
            **{"id": "msg_1", "type": "message", "role": "assistant", "model": "claude"},
            **{
                "content": [],
                "stop_reason": None,
                "usage": {"input_tokens": 3, "output_tokens": 1},
            },
        },
    },
    {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "thinking", "thinking": ""},
    },
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "thinking_delta", "thinking": "Hm"},
    },
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "signature_delta", "signature": "s"},
    },
    {"type": "content_block_stop", "index": 0},
    {"type": "ping"},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "He"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "llo"}},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
    },
    {
        "type": "content_block_delta",
        "index": 2,
        "delta": {"type": "input_json_delta", "partial_json": '{"n": 1.'},
    },
    {
        "type": "content_block_delta",
        "index": 2,
        "delta": {"type": "input_json_delta", "partial_json": "0}"},
    },
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}},
    {"type": "message_stop"},
]
RESPONSES: Final[list[Piece]] = [
    {"type": "response.created", "response": {"id": "resp_1", "object": "response", "output": []}},
    {"type": "response.output_text.delta", "delta": "Hello"},
    {
        "type": "response.completed",
        "response": {
            **{"id": "resp_1", "object": "response", "model": "m", "status": "completed"},
            "output": [
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "Hello \u2028"}],
                }
            ],
        },
    },
]
BEDROCK: Final[list[Piece]] = [
    {"messageStart": {"role": "assistant"}},
    *(
        {"contentBlockDelta": {"delta": {"reasoningContent": one}, "contentBlockIndex": 0}}
        for one in ({"text": "H"}, {"text": "m"}, {"signature": "s"})
    ),
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {"contentBlockDelta": {"delta": {"text": "He"}, "contentBlockIndex": 1}},
    {"contentBlockDelta": {"delta": {"text": "llo"}, "contentBlockIndex": 1}},
    {"contentBlockStop": {"contentBlockIndex": 1}},
    {
        "contentBlockStart": {
            "start": {"toolUse": {"toolUseId": "t1", "name": "f"}},
            "contentBlockIndex": 2,
        }
    },
    *(
        {"contentBlockDelta": {"delta": {"toolUse": {"input": one}}, "contentBlockIndex": 2}}
        for one in ('{"n": 1.', '0, "city": "大阪"}')
    ),
    {"contentBlockStop": {"contentBlockIndex": 2}},
    {"messageStop": {"stopReason": "tool_use"}},
    {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 9}, "metrics": {"latencyMs": 7}}},
]
GEMINI: Final[list[Piece]] = [
    {"candidates": [{"content": {"role": "model", "parts": [{"text": "He"}]}}], "responseId": "r1"},
    {
        "candidates": [{"content": {"parts": [{"text": "llo"}]}, "finishReason": "STOP"}],
        "responseId": "r1",
    },
]


def lines(pieces: Sequence[Piece]) -> str:
    return "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in pieces)


def events(pieces: Sequence[Piece], end: str = "") -> str:
    named = (f"event: {one.get('type', 'message')}\n" if "type" in one else "" for one in pieces)
    data = (json.dumps(one, ensure_ascii=False) for one in pieces)
    return (
        ": hi\n\n"
        + "".join(f"{name}data: {one}\n\n" for name, one in zip(named, data, strict=True))
        + end
    )


def load(store: Store, folder: Path, text: str) -> ImportReport:
    path = folder / "stream.txt"
    path.write_text(text, encoding="utf-8")
    return import_files(store, [path])


def answers(client: FlaskClient) -> list[Any]:
    listed = client.get("/chat/completions", environ_base={"readback.as_given": True})
    return [one["choices"][0] for one in listed.get_json()["data"]]


def texts(client: FlaskClient) -> list[str]:
    """Return the text of each answer, whether it is a text or has parts."""
    found = []
    for choice in answers(client):
        content = choice["message"]["content"]
        parts = content if isinstance(content, list) else [{"text": content}]
        found.append("".join(part.get("text") or "" for part in parts).strip())
    return found


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(lines(CHAT), id="chat lines"),
        pytest.param(json.dumps(CHAT), id="chat array"),
        pytest.param(events(CHAT, "data: [DONE]\n\n"), id="chat events"),
        pytest.param(lines(OLLAMA), id="ollama lines"),
        pytest.param(json.dumps(OLLAMA), id="ollama array"),
        pytest.param(events(ANTHROPIC), id="anthropic events"),
        pytest.param(lines(ANTHROPIC), id="anthropic lines"),
        pytest.param(events(RESPONSES), id="responses events"),
        pytest.param(lines(RESPONSES), id="responses lines"),
        pytest.param(lines(BEDROCK), id="bedrock lines"),
        pytest.param(json.dumps(BEDROCK), id="bedrock array"),
        pytest.param(json.dumps(BEDROCK[:-1], indent=1), id="bedrock without metadata"),
        pytest.param(events(GEMINI), id="gemini events"),
    ],
)
def test_a_stream_in_a_file_is_one_answer(
    store: Store, client: FlaskClient, tmp_path: Path, text: str
) -> None:
    report = load(store, tmp_path, text)

    assert (report.added, report.problems) == (1, [])
    assert texts(client) == ["Hello"]
    assert load(store, tmp_path, text).unchanged == 1


@pytest.mark.parametrize("form", [lines, events])
def test_calls_in_chunks_that_begin_with_their_choices_are_of_one_answer(
    store: Store, client: FlaskClient, tmp_path: Path, form: Callable[[list[Piece]], str]
) -> None:
    deltas: list[Piece] = [
        {"role": "assistant", "content": None},
        {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
        {"tool_calls": [{"index": 1, "id": "c2", "function": {"name": "g", "arguments": "{}"}}]},
    ]
    rest = {"created": 5, "id": "chatcmpl-t", "model": "m", "object": "chat.completion.chunk"}
    pieces = [{"choices": [{"delta": delta, "index": 0}], **rest} for delta in deltas]
    pieces.append({"choices": [{"delta": {}, "finish_reason": "tool_calls", "index": 0}], **rest})

    report = load(store, tmp_path, form([*pieces, *CHAT]))

    assert (report.added, report.problems) == (2, [])
    [choice] = [one for one in answers(client) if one["finish_reason"] == "tool_calls"]
    assert [one["id"] for one in choice["message"]["tool_calls"]] == ["c1", "c2"]


def test_nothing_of_a_stream_of_bedrock_is_lost(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    load(store, tmp_path, lines(BEDROCK))

    [choice] = answers(client)
    thought, said, call = choice["message"]["content"]
    assert thought == {"type": "thinking", "thinking": "Hm", "signature": "s"}
    assert said == {"type": "text", "text": "Hello"}
    arguments = {"n": 1.0, "city": "大阪"}
    assert call == {"type": "tool_use", "id": "t1", "name": "f", "input": arguments}
    assert (choice["finish_reason"], choice["stopReason"]) == ("tool_calls", "tool_use")
    [one] = client.get("/chat/completions").get_json()["data"]
    assert (one["usage"]["prompt_tokens"], one["usage"]["completion_tokens"]) == (3, 9)


def test_other_blocks_of_a_stream_of_bedrock_are_kept(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    cited = {"title": "T", "source": "x"}
    result: Piece = {"toolResult": {"toolUseId": "t1", "type": "nova_code"}}
    deltas: list[Piece] = [
        *({"text": "It"}, {"citation": cited}, {"text": "!"}),
        *({"toolResult": [{"text": "one"}]}, {"toolResult": [{"text": "two"}]}),
        {"toolUse": {"input": "{"}},
        {"reasoningContent": {"redactedContent": "gA=="}},
    ]
    pieces = [
        {"contentBlockDelta": {"delta": delta, "contentBlockIndex": at}}
        for at, delta in zip((0, 0, 0, 1, 1, 2, 3), deltas, strict=True)
    ]
    started = {"contentBlockStart": {"start": result, "contentBlockIndex": 1}}
    load(store, tmp_path, json.dumps([BEDROCK[0], started, *pieces, *BEDROCK[-2:]]))

    [choice] = answers(client)
    text, given, call, hidden = choice["message"]["content"]
    assert (text["content"], text["citations"]) == ([{"text": "It!"}], [cited])
    assert [one["text"] for one in given["content"]] == ["one", "two"]
    assert (given["tool_use_id"], call["input"]) == ("t1", "{")
    assert hidden == {"type": "redacted_thinking", "data": "gA=="}


def test_the_events_in_a_log_of_invocations_are_the_answer(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    asked = {"messages": [{"role": "user", "content": [{"text": "q"}]}]}
    logs = [
        {
            "requestId": str(at),
            "modelId": "m",
            "input": {"inputBodyJson": asked},
            "output": {"outputBodyJson": events},
        }
        for at, events in enumerate((BEDROCK, ANTHROPIC))
    ]
    report = load(store, tmp_path, lines(logs))

    assert (report.added, report.problems) == (2, [])
    assert texts(client) == ["Hello", "Hello"]


def test_streams_and_other_lines_of_a_file_are_told_apart(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    example = {
        "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    }
    second = [chat("B", name="chatcmpl-t"), chat("ye", "stop", "chatcmpl-t")]

    text = lines(OLLAMA) + lines([example]) + lines(CHAT + second) + events(ANTHROPIC) + "id: x\n"
    report = load(store, tmp_path, text)

    assert sorted(texts(client)) == ["Bye", "Hello", "Hello", "Hello", "a"]
    [problem] = report.problems
    assert "not JSON" in problem.reason


def test_nothing_of_a_stream_of_anthropic_is_lost(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    load(store, tmp_path, events(ANTHROPIC))

    [choice] = answers(client)
    thought, said, call = choice["message"]["content"]
    assert thought == {"type": "thinking", "thinking": "Hm", "signature": "s"}
    assert said == {"type": "text", "text": "Hello"}
    assert call == {"type": "tool_use", "id": "t1", "name": "f", "input": {"n": 1.0}}
    assert (choice["finish_reason"], choice["stop_reason"]) == ("tool_calls", "tool_use")
    [one] = client.get("/chat/completions").get_json()["data"]
    assert (one["usage"]["prompt_tokens"], one["usage"]["completion_tokens"]) == (3, 9)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (lines(CHAT[:2]), "no finish reason"),
        (lines(OLLAMA[:2]), "ended early"),
        (events(ANTHROPIC[:8]), "ended early"),
        (lines(BEDROCK[:7]), "ended early"),
        (
            lines([*BEDROCK[:7], {"throttlingException": {"message": "Slow down"}}]),
            "throttlingException: Slow down",
        ),
        (
            events([*ANTHROPIC[:9], {"type": "error", "error": {"message": "Overloaded"}}]),
            "Overloaded",
        ),
    ],
)
def test_a_stream_that_broke_off_says_so(
    store: Store, client: FlaskClient, tmp_path: Path, text: str, reason: str
) -> None:
    report = load(store, tmp_path, text)

    assert (report.added, report.problems) == (1, [])
    [one] = client.get("/chat/completions").get_json()["data"]
    assert reason in one["incomplete"]["reason"]
    assert texts(client)[0].startswith("He")


@pytest.mark.parametrize("end", ["", "data: [DONE]\n\n"])
def test_an_answer_that_broke_off_after_its_first_chunk_is_one(
    store: Store, client: FlaskClient, tmp_path: Path, end: str
) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"data: {json.dumps(chat('He'))}\n\n{end}", encoding="utf-8")

    report = import_files(store, [path])

    assert (report.problems, report.added_ids) == ([], ["chatcmpl-s"])
    stored = client.get("/chat/completions/chatcmpl-s").get_json()
    assert stored["choices"][0]["message"]["content"] == "He"
    assert stored["incomplete"]["reason"]
