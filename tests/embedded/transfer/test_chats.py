"""Conversations that programs export or keep become completions; nothing of them is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from flask.testing import FlaskClient

from tests.support.imported import Imported
from tools.store_rows import jsonl
from webapp.embedded import Store, import_files

pytestmark = pytest.mark.one_database

PNG: Final = "iVBORw0KGgo="


def block(text: str, **members: Any) -> dict[str, Any]:
    return {"type": "text", "text": text} | members


CLAUDE: Final[dict[str, Any]] = {
    **{
        "uuid": "conv-1",
        "name": "T",
        "created_at": "1970-01-01T00:00:05Z",
        "account": {"uuid": "u"},
    },
    "chat_messages": [
        {
            **{"uuid": "m1", "sender": "human", "text": "q", "created_at": "t"},
            "content": [block("q", start_timestamp="t", citations=[])],
            "attachments": [{"file_name": "a.txt", "extracted_content": "abc", "file_size": 3}],
            "files": [{"file_name": "p.png"}],
        },
        {
            **{"uuid": "m2", "sender": "assistant", "text": "not supported"},
            "content": [
                {"type": "thinking", "thinking": "Hm", "summaries": [{"summary": "s"}]},
                {"type": "tool_use", "id": "c1", "name": "f", "input": {"n": 1.0}, "message": "Go"},
                {"type": "tool_result", "tool_use_id": "c1", "content": [block("r")], "name": "f"},
                block("a"),
            ],
        },
    ],
}
AI_STUDIO: Final[dict[str, Any]] = {
    "runSettings": {"model": "models/gemini", "temperature": 1.0, "topP": 0.95, "topK": 64},
    "systemInstruction": {"text": "s"},
    "chunkedPrompt": {
        "chunks": [
            {"driveDocument": {"id": "d1"}, "role": "user", "tokenCount": 5},
            {"text": "q", "role": "user"},
            {"text": "Hm", "role": "model", "isThought": True, "thinkingBudget": -1},
            {"text": "a", "role": "model", "finishReason": "STOP", "parts": [{"text": "a"}]},
        ],
        "pendingInputs": [{"text": "draft", "role": "user"}],
    },
}
LM_STUDIO: Final[dict[str, Any]] = {
    **{"name": "T", "createdAt": 1766000000123, "systemPrompt": "s", "tokenCount": 9},
    "messages": [
        {"versions": [{"type": "singleStep", "role": "user", "content": [block("q")]}]},
        {
            "currentlySelected": 1,
            "versions": [
                {
                    "role": "assistant",
                    "steps": [{"type": "contentBlock", "content": [block("old")]}],
                },
                {
                    **{"role": "assistant", "senderInfo": {"senderName": "qwen"}},
                    "steps": [
                        {
                            "type": "contentBlock",
                            "content": [block("Hm")],
                            "style": {"type": "thinking"},
                        },
                        {
                            "type": "contentBlock",
                            "content": [
                                {
                                    **{"type": "toolCallRequest", "callId": 7, "name": "f"},
                                    **{"toolCallRequestId": "c1", "parameters": {"n": 1.0}},
                                }
                            ],
                        },
                        {
                            "type": "contentBlock",
                            "content": [
                                {
                                    "type": "toolCallResult",
                                    "toolCallRequestId": "c1",
                                    "content": "r",
                                }
                            ],
                        },
                        {
                            **{"type": "contentBlock", "content": [block("a")]},
                            "genInfo": {"identifier": "qwen3", "stats": {"stopReason": "eosFound"}},
                        },
                        {"type": "debugInfoBlock", "debugInfo": "d"},
                    ],
                },
            ],
        },
    ],
}
LAST: Final = {
    **{"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "AIMessage"]},
    "kwargs": {
        **{"content": "a", "response_metadata": {"model_name": "m", "finish_reason": "length"}},
        "usage_metadata": {"input_tokens": 2, "output_tokens": 1, "total_tokens": 3},
    },
}
LANGCHAIN: Final[list[dict[str, Any]]] = [
    {"type": "system", "data": {"content": "s", "additional_kwargs": {}}},
    {"type": "human", "content": "q", "id": "h1"},
    {
        "type": "ai",
        "data": {
            "content": "",
            "additional_kwargs": {
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "f", "arguments": '{"n": 1.0}'},
                    }
                ],
                "reasoning_content": "Hm",
            },
            "tool_calls": [{"name": "f", "args": {"n": 1}, "id": "c1", "type": "tool_call"}],
        },
    },
    {"type": "tool", "data": {"content": "r", "tool_call_id": "c1", "artifact": {"a": 1}}},
    LAST,
]
UI: Final[list[dict[str, Any]]] = [
    {"id": "0", "role": "system", "parts": [block("s")]},
    {
        **{"id": "1", "role": "user"},
        "parts": [
            block("q"),
            {"type": "file", "mediaType": "image/png", "url": f"data:image/png;base64,{PNG}"},
        ],
    },
    {
        **{"id": "2", "role": "assistant", "metadata": {"seen": True}},
        "parts": [
            {"type": "step-start"},
            {"type": "reasoning", "text": "Hm", "providerMetadata": {"p": {"signature": "x"}}},
            {
                **{"type": "tool-f", "toolCallId": "c1", "state": "output-available"},
                **{"input": {"n": 1.0}, "output": "r"},
            },
            {"type": "step-start"},
            block("a", state="done"),
            {"type": "source-url", "sourceId": "s1", "url": "https://a.example/", "title": "A"},
            {"type": "data-x", "data": {"z": 1}},
        ],
    },
]
INVOCATION: Final = {
    **{"toolCallId": "c1", "toolName": "f", "state": "result", "step": 0},
    **{"args": {"n": 1.0}, "result": "r"},
}
OLDER: Final[list[dict[str, Any]]] = [
    {"role": "system", "content": "s", "parts": []},
    {"role": "user", "content": "q", "parts": [block("q")], "createdAt": "1970-01-01T00:00:05Z"},
    {
        **{"role": "assistant", "content": "a", "toolInvocations": [INVOCATION]},
        "parts": [
            {"type": "reasoning", "reasoning": "Hm"},
            {"type": "tool-invocation", "toolInvocation": INVOCATION},
            block("a"),
        ],
    },
]
MODEL: Final[list[dict[str, Any]]] = [
    {"role": "system", "content": "s"},
    {
        "role": "user",
        "content": [block("q"), {"type": "image", "image": PNG, "mediaType": "image/png"}],
    },
    {
        "role": "assistant",
        "content": [
            {"type": "reasoning", "text": "Hm"},
            {"type": "tool-call", "toolCallId": "c1", "toolName": "f", "input": {"n": 1.0}},
        ],
    },
    {
        "role": "tool",
        "content": [
            {
                **{"type": "tool-result", "toolCallId": "c1", "toolName": "f"},
                "output": {"type": "text", "value": "r"},
            }
        ],
    },
    {"role": "assistant", "content": [block("a")]},
]


def texts(content: Any) -> str:
    """Return all text of a content, and of the results in it."""
    if not isinstance(content, list):
        return content or ""
    found = (one.get("text") or one.get("thinking") or texts(one.get("content")) for one in content)
    return "".join(found)


def list_calls(messages: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    """Return the name and the arguments of each call, whichever API's it is."""
    calls = [call["function"] for one in messages for call in one.get("tool_calls") or ()]
    found = [(one["name"], json.loads(one["arguments"])) for one in calls]
    parts = (
        part for one in messages if isinstance(one["content"], list) for part in one["content"]
    )
    return found + [(one["name"], one["input"]) for one in parts if one["type"] == "tool_use"]


@pytest.mark.parametrize(
    ("value", "form"),
    [
        pytest.param([CLAUDE], "CLAUDE", id="claude.ai"),
        pytest.param(LANGCHAIN, "LANGCHAIN", id="LangChain list"),
        pytest.param({"thread": "t", "messages": [LANGCHAIN]}, "LANGCHAIN", id="LangGraph state"),
        pytest.param(UI, "AI_SDK", id="UI messages"),
        pytest.param({"id": "chat-1", "messages": UI}, "AI_SDK", id="chat of UI messages"),
        pytest.param(OLDER, "AI_SDK", id="older UI messages"),
        pytest.param({"messages": MODEL}, "AI_SDK", id="model messages"),
    ],
)
def test_a_conversation_has_its_thoughts_calls_results_and_answer(
    store: Store, client: FlaskClient, tmp_path: Path, value: object, form: str
) -> None:
    imported = Imported(store, client, tmp_path, value)

    assert imported.forms == [form]
    said = [texts(one["content"]) for one in imported.messages if one["role"] != "system"]
    assert said[0] == "q"
    assert said[-1] == "r"
    assert list_calls(imported.messages) == [("f", {"n": 1.0})]
    assert "Hm" in json.dumps(imported.messages)
    assert [texts(one) for one in imported.answers] == ["a"]


def test_claude_keeps_what_the_api_has_no_place_for(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    imported = Imported(store, client, tmp_path, CLAUDE)

    assert (imported.id, imported.created, imported.json["name"]) == ("conv-1", 5, "T")
    asked, thought, result = imported.messages
    assert asked["content"][1]["source"]["data"] == "abc"
    assert asked["claude"]["files"] == [{"file_name": "p.png"}]
    assert thought["claude"]["text"] == "not supported"
    assert thought["claude"]["content"] == [{"summaries": [{"summary": "s"}]}, {"message": "Go"}]
    assert result["claude"] == {"content": [{"name": "f"}]}


def test_branches_of_claude_are_completions_of_their_own(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    messages = [
        {"uuid": name, "sender": sender, "text": name, "parent_message_uuid": parent}
        for name, sender, parent in (
            ("q", "human", "root"),
            ("a1", "assistant", "q"),
            ("a2", "assistant", "q"),
        )
    ]
    report = import_files(
        store, [jsonl(tmp_path / "a.jsonl", [CLAUDE | {"chat_messages": messages}])]
    )

    assert report.added_ids == ["conv-1", "conv-1:a1"]
    listed = client.get("/chat/completions?order=asc").get_json()["data"]
    found = {one["id"]: one["choices"][0]["message"]["content"] for one in listed}
    assert found == {"conv-1": "a2", "conv-1:a1": "a1"}


def test_a_prompt_of_ai_studio_has_its_settings_thoughts_and_drafts(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    imported = Imported(store, client, tmp_path, AI_STUDIO)

    assert imported.forms == ["AI_STUDIO"]
    assert [one["role"] for one in imported.messages] == ["system", "user", "user"]
    assert imported.messages[1]["content"][0]["driveDocument"] == {"id": "d1"}
    assert imported.messages[1]["ai_studio"] == {"tokenCount": 5}
    [choice] = imported.json["choices"]
    assert choice["finish_reason"] == "stop"
    thought, said = choice["message"]["content"]
    assert (thought["thinking"], said["text"]) == ("Hm", "a")
    assert choice["message"]["ai_studio"] == [{"thinkingBudget": -1}, {"finishReason": "STOP"}]
    assert (imported.json["temperature"], imported.json["topK"]) == (1.0, 64)
    assert imported.json["pendingInputs"] == [{"text": "draft", "role": "user"}]


def test_versions_of_lm_studio_are_completions_the_selected_first(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    path = jsonl(tmp_path / "a.jsonl", [LM_STUDIO])
    report = import_files(store, [path])

    assert (report.added, report.problems) == (2, [])
    first, second = report.added_ids
    shown = client.get(f"/chat/completions/{first}", environ_base={"readback.as_given": True})
    answer = shown.get_json()["choices"][0]["message"]
    assert answer["content"] == "a"
    assert [one["type"] for one in answer["lm_studio"]["steps"]] == [
        "contentBlock",
        "debugInfoBlock",
    ]
    assert shown.get_json()["model"] == "qwen3"
    page = client.get(f"/chat/completions/{first}/messages?order=asc").get_json()["data"]
    assert [one["role"] for one in page] == ["system", "user", "assistant", "tool"]
    assert list_calls(page) == [("f", {"n": 1.0})]
    other = client.get(f"/chat/completions/{second}").get_json()
    assert other["choices"][0]["message"]["content"] == "old"


def test_the_answer_of_langchain_says_model_usage_and_finish_reason(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    imported = Imported(store, client, tmp_path, {"messages": LANGCHAIN})

    assert imported.json["model"] == "m"
    assert imported.json["usage"]["prompt_tokens"] == 2
    assert imported.json["choices"][0]["finish_reason"] == "length"
    assert imported.messages[2]["langchain"] == {"additional_kwargs": {"reasoning_content": "Hm"}}
    assert imported.messages[3]["langchain"] == {"artifact": {"a": 1}}


def test_a_run_of_langsmith_has_its_answer(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    generation = {"message": LAST, "text": "a", "generation_info": {"x": 1}}
    run = {
        **{"id": "run 1", "run_type": "llm", "start_time": "1970-01-01T00:00:05"},
        "inputs": {"messages": [LANGCHAIN[:2]], "stop": ["x"]},
        "outputs": {"generations": [[generation]], "llm_output": {"y": 2}},
    }

    imported = Imported(store, client, tmp_path, run)

    assert imported.asked == [("system", "s"), ("user", "q")]
    assert imported.answers == ["a"]
    assert (imported.created, imported.json["logged_id"]) == (5, "run 1")
    assert imported.json["inputs"] == {"stop": ["x"]}
    kept = {"llm_output": {"y": 2}, "generations": [{"generation_info": {"x": 1}}]}
    assert imported.json["outputs"] == kept


def test_sources_files_and_unknown_parts_of_ui_messages_are_kept(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    imported = Imported(store, client, tmp_path, {"id": "chat-1", "messages": UI})

    assert imported.id == "chat-1"
    assert imported.messages[1]["content"][1]["image_url"]["url"].endswith(PNG)
    assert imported.messages[2]["ai_sdk"]["metadata"] == {"seen": True}
    [choice] = imported.json["choices"]
    assert choice["message"]["content"][1] == {"type": "data-x", "data": {"z": 1}}
    source = {"type": "url_citation", "url": "https://a.example/", "title": "A"}
    assert choice["message"]["annotations"] == [source]


@pytest.mark.parametrize(
    "value",
    [
        {"uuid": "u", "chat_messages": []},
        {"chunkedPrompt": {"chunks": []}},
        {"messages": [{"versions": []}]},
    ],
)
def test_a_conversation_without_messages_is_reported(
    store: Store, tmp_path: Path, value: object
) -> None:
    [problem] = import_files(store, [jsonl(tmp_path / "a.jsonl", [value])]).problems

    assert problem.reason == "it has no messages"


def libre(name: str, parent: str, *, asks: bool, **members: Any) -> dict[str, Any]:
    """Return a message of LibreChat whose text is its name."""
    own = {"messageId": name, "parentMessageId": parent, "isCreatedByUser": asks, "text": name}
    return own | members


@pytest.mark.parametrize("is_recursive", [False, True])
def test_branches_of_librechat_are_completions(
    store: Store, client: FlaskClient, tmp_path: Path, is_recursive: bool
) -> None:
    answers = [
        libre("a1", "q", asks=False, model="m1"),
        libre("a2", "q", asks=False, model="m2", sender="GPT"),
    ]
    asked = libre("q", "0", asks=True)
    if is_recursive:
        for answer in answers:
            del answer["parentMessageId"]
    messages = [asked | {"children": answers}] if is_recursive else [asked, *answers]
    conversation = {"conversationId": "l1", "title": "T", "messages": messages}

    report = import_files(store, [jsonl(tmp_path / "a.jsonl", [conversation])])

    assert (report.problems, report.added_ids) == ([], ["l1", "l1:a1"])
    whole = client.get("/chat/completions/l1", environ_base={"readback.as_given": True}).get_json()
    said = whole["choices"][0]["message"]
    assert (said["content"], whole["model"], whole["title"]) == ("a2", "m2", "T")
    [question] = client.get("/chat/completions/l1/messages").get_json()["data"]
    assert question["content"] == "q"
    assert said["librechat"]["sender"] == "GPT"
