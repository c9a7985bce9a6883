"""Spans of OpenTelemetry with messages become completions, whatever form their attributes have."""

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

ASKED: Final = [{"role": "user", "parts": [{"type": "text", "content": "q"}]}]
ANSWERED: Final[list[dict[str, Any]]] = [
    {
        "role": "assistant",
        "parts": [
            {"type": "text", "content": "a"},
            {"type": "tool_call", "id": "c1", "name": "f", "arguments": {"n": 1}},
        ],
        "finish_reason": "length",
    }
]
FLAT: Final = {
    "gen_ai.prompt.0.role": "user",
    "gen_ai.prompt.0.content": "q",
    "gen_ai.completion.0.content": "a",
    "gen_ai.completion.0.tool_calls.0.id": "c1",
    "gen_ai.completion.0.tool_calls.0.name": "f",
    "gen_ai.completion.0.tool_calls.0.arguments": '{"n": 1}',
    "gen_ai.completion.0.finish_reason": "length",
}
INFERENCE: Final = {
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.contents.0.message_content.type": "text",
    "llm.input_messages.0.message.contents.0.message_content.text": "q",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "a",
    "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "f",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"n": 1}',
}
NESTED: Final = {
    "llm": {
        "input_messages": [{"message": {"role": "user", "content": "q"}}],
        "output_messages": [{"message.role": "assistant", "message.content": "a"}],
    }
}


def listed(attributes: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": text}} for key, text in attributes.items()]


def as_value(json: Any) -> dict[str, Any]:
    """Return a value of OTLP, which names the type of each value in it."""
    match json:
        case dict():
            pairs = [{"key": key, "value": as_value(value)} for key, value in json.items()]
            return {"kvlistValue": {"values": pairs}}
        case list():
            return {"array_value": {"values": [as_value(one) for one in json]}}
        case int():
            return {"intValue": str(json)}
        case _:
            return {"string_value": json}


def export(*spans: dict[str, Any]) -> dict[str, Any]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}


def text_of(content: Any) -> str:
    parts = content if isinstance(content, list) else [{"text": content}]
    return "".join(part.get("text", "") for part in parts)


SPANS: Final[dict[str, dict[str, Any]]] = {
    "lists": {
        "attributes": {"gen_ai.input.messages": ASKED, "gen_ai.output.messages": ANSWERED},
    },
    "texts of JSON": {
        "attributes": {
            "gen_ai.input.messages": json.dumps(ASKED),
            "gen_ai.output.messages": json.dumps(ANSWERED),
            **FLAT,
        }
    },
    "an attribute for each member": {"attributes": FLAT},
    "OpenInference": {"attributes": INFERENCE},
    "OpenInference, nested": {"attributes": NESTED},
    "columns": {f"attributes.{name}": value for name, value in INFERENCE.items()},
    "OTLP": export({"attributes": listed(FLAT)}, {"name": "GET", "attributes": []}),
    "OTLP with values of every type": export(
        {
            "attributes": [
                {"key": key, "value": as_value(value)}
                for key, value in {
                    "gen_ai.input.messages": ASKED,
                    "gen_ai.output.messages": [ANSWERED[0] | {"finish_reason": None}],
                    "gen_ai.response.finish_reasons": ["length"],
                }.items()
            ]
        }
    ),
    "events": {
        "attributes": {"gen_ai.completion.0.content": "a"},
        "events": [{"name": "gen_ai.user.message", "attributes": {"content": "q"}}],
    },
}


@pytest.mark.parametrize("name", SPANS)
def test_a_span_with_messages_is_a_completion(
    store: Store, client: FlaskClient, tmp_path: Path, name: str
) -> None:
    imported = Imported(store, client, tmp_path, SPANS[name])

    assert imported.forms == ["SPAN"]
    assert [(role, text_of(content)) for role, content in imported.asked] == [("user", "q")]
    [choice] = imported.json["choices"]
    assert text_of(choice["message"]["content"]) == "a"
    source = json.dumps(SPANS[name])
    assert ("length" in source) == (choice.get("finish_reason") == "length")
    assert ("c1" in source) == ("c1" in json.dumps(choice))


def test_what_else_a_span_has_is_kept(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    attributes = [
        *listed(FLAT | {"gen_ai.request.model": "m", "gen_ai.response.id": "r-1", "app": "x"}),
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "7"}},
    ]
    span = {
        "id": "s 1",
        "traceId": "t",
        "startTimeUnixNano": "5000000000",
        "attributes": attributes,
    }

    imported = Imported(store, client, tmp_path, export(span))

    assert (imported.id, imported.json["model"], imported.json["traceId"]) == ("r-1", "m", "t")
    assert (imported.json["usage"], imported.json["logged_id"]) == ({"prompt_tokens": 7}, "s 1")
    assert imported.json["attributes"]["app"] == "x"
    assert not any(name.startswith("gen_ai.prompt") for name in imported.json["attributes"])


def test_a_span_that_failed_says_why(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    span = {
        "attributes": {"gen_ai.input.messages": ASKED},
        "status": {"code": 2, "message": "rate limit"},
    }
    imported = Imported(store, client, tmp_path, span)

    assert imported.json["incomplete"] == {"reason": "rate limit"}
    assert imported.answers == []


def test_an_export_without_messages_is_a_problem(store: Store, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [export({"name": "GET", "attributes": []})])

    [problem] = import_files(store, [path]).problems

    assert problem.reason == "none of its spans has messages"
