"""Forms that differ a little from those of other tests are imported as well, and whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from flask.testing import FlaskClient

from tests.support.imported import Imported
from tools.store_rows import ANSWER, jsonl
from webapp.embedded import Store, import_files

pytestmark = pytest.mark.one_database

ASKED: Final = {"role": "user", "content": "q"}
SAID: Final = {"role": "assistant", "content": "Yes."}
RESPONSE: Final = {"id": "c1", "choices": [ANSWER]}


def attribute(key: str, **value: Any) -> dict[str, Any]:
    return {"key": key, "value": value}


def message_event(name: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "attributes": {"gen_ai.event.content": json.dumps(body)}}


def record(name: str, *values: dict[str, Any]) -> dict[str, Any]:
    """Return a record of an OTLP log, whose body has these members."""
    named = [attribute("event.name", stringValue=name)]
    body = {"kvlistValue": {"values": list(values)}}
    return {"traceId": "t", "spanId": "s", "attributes": named, "body": body}


HISTORY: Final = {
    "currentId": "2",
    "messages": {
        "1": {"id": "1", "parentId": None, "role": "user", "content": "q"},
        "2": {"id": "2", "parentId": "1", "role": "assistant", "content": "Yes."},
    },
}
LANGCHAIN: Final = [{"type": "human", "content": "q"}, {"type": "ai", "content": "Yes."}]
VALUES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "events with an answer": (
        "SPAN",
        {
            "attributes": {"gen_ai.request.model": "m"},
            "events": [
                message_event("gen_ai.user.message", {"content": "q"}),
                message_event("gen_ai.choice", {"index": 0, "message": SAID}),
            ],
        },
    ),
    "events with an answer in text": (
        "SPAN",
        {
            "attributes": {"gen_ai.request.model": "m"},
            "events": [
                {"name": "gen_ai.user.message", "attributes": {"content": "q"}},
                {"name": "gen_ai.choice", "attributes": {"message": json.dumps(SAID)}},
            ],
        },
    ),
    "events with nested attributes": (
        "SPAN",
        {
            "attributes": {"gen_ai.completion.0.content": "Yes."},
            "events": [
                {
                    "name": "gen_ai.user.message",
                    "attributes": {"gen_ai": {"event": {"content": "q"}}},
                }
            ],
        },
    ),
    "events with flat attributes": (
        "SPAN",
        {
            "attributes": {"gen_ai.completion.0.content": "Yes."},
            "events": [{"name": "gen_ai.user.message", "attributes.content": "q"}],
        },
    ),
    "an answer in attributes and in an event": (
        "SPAN",
        {
            "attributes": {
                "gen_ai.input.messages": [ASKED],
                "gen_ai.output.messages": [SAID],
            },
            "events": [message_event("gen_ai.choice", {"index": 0, "message": SAID})],
        },
    ),
    "records of a log": (
        "SPAN",
        {
            "resourceLogs": [
                {
                    "scopeLogs": [
                        {
                            "logRecords": [
                                record(
                                    "gen_ai.user.message", attribute("content", stringValue="q")
                                ),
                                record(
                                    "gen_ai.choice",
                                    attribute(
                                        "message",
                                        kvlistValue={
                                            "values": [attribute("content", stringValue="Yes.")]
                                        },
                                    ),
                                ),
                            ]
                        }
                    ]
                }
            ]
        },
    ),
    "an export of Jaeger": (
        "SPAN",
        {
            "data": [
                {
                    "spans": [
                        {
                            "tags": [
                                {"key": "gen_ai.prompt.0.content", "type": "string", "value": "q"},
                                {"key": "gen_ai.completion.0.content", "value": "Yes."},
                            ]
                        }
                    ]
                }
            ]
        },
    ),
    "a chat alone": ("OPEN_WEBUI", {"id": "c", "title": "T", "history": HISTORY}),
    "a chat without a history": ("OPEN_WEBUI", {"id": "c", "chat": {"messages": [ASKED, SAID]}}),
    "a state of LangGraph": ("LANGCHAIN", {"values": {"messages": LANGCHAIN}, "next": ["n"]}),
    "messages of LangChain beside values": (
        "LANGCHAIN",
        {"messages": LANGCHAIN, "values": {"a": 1}},
    ),
    "messages beside a history without any": (
        "FINE_TUNING",
        {"messages": [ASKED, SAID], "history": {"messages": {}}},
    ),
    "messages beside a chat": (
        "FINE_TUNING",
        {"messages": [ASKED, SAID], "chat": {"messages": [SAID]}},
    ),
    "what a callback of LiteLLM is called with": (
        "EXCHANGE",
        {"kwargs": {"model": "m", "messages": [ASKED]}, "response_obj": RESPONSE},
    ),
    "messages beside their tools": (
        "LOGGED",
        {"messages": {"messages": [ASKED], "tools": []}, "response": RESPONSE},
    ),
    "a conversation of pairs": (
        "SHAREGPT",
        {"conversation": [{"human": "q", "assistant": "Yes."}], "category": "c"},
    ),
    "a response of Cohere with its history": (
        "COHERE",
        {
            **{"text": "Yes.", "generation_id": "g", "finish_reason": "COMPLETE"},
            "chat_history": [
                {"role": "USER", "message": "q"},
                {"role": "CHATBOT", "message": "Yes."},
            ],
        },
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_neighbor_of_a_known_form_has_its_question_and_answer(
    store: Store, client: FlaskClient, tmp_path: Path, name: str
) -> None:
    form, value = VALUES[name]

    imported = Imported(store, client, tmp_path, value)

    assert imported.forms == [form]
    assert (imported.asked, imported.answers) == ([("user", "q")], ["Yes."])


def test_records_of_a_log_keep_their_attributes_and_their_time(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    details = [
        attribute("event.name", stringValue="gen_ai.client.inference.operation.details"),
        attribute("gen_ai.input.messages", stringValue=json.dumps([ASKED])),
        attribute("gen_ai.output.messages", stringValue=json.dumps([SAID])),
        attribute("gen_ai.system", stringValue="s"),
    ]
    logged = {"spanId": "s", "timeUnixNano": "1700000000000000000", "attributes": details}

    imported = Imported(
        store, client, tmp_path, {"resourceLogs": [{"scopeLogs": [{"logRecords": [logged]}]}]}
    )

    assert (imported.asked, imported.answers) == ([("user", "q")], ["Yes."])
    assert imported.created == 1_700_000_000
    assert imported.json["events"][0]["attributes"]["gen_ai.system"] == "s"


def test_records_without_ids_are_an_exchange_up_to_each_answer(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    def log(name: str, text: str) -> dict[str, Any]:
        content = attribute("content", stringValue=text)
        said = attribute("message", kvlistValue={"values": [content]})
        logged = record(f"gen_ai.{name}", said if name == "choice" else content)
        return {key: value for key, value in logged.items() if not key.endswith("Id")}

    records = [log("user.message", "one"), log("choice", "1"), log("user.message", "two")]
    records += [log("choice", "2"), log("choice", "deux"), log("user.message", "three")]
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    import_files(store, [jsonl(tmp_path / "log.jsonl", [logs])])

    listed = client.get("/chat/completions?order=asc").get_json()["data"]
    assert [len(one["choices"]) for one in listed] == [1, 2, 0]


def test_calls_and_results_in_events_are_kept(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    call = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    events = [
        message_event("gen_ai.user.message", {"content": "q"}),
        message_event("gen_ai.assistant.message", {"tool_calls": [call]}),
        message_event("gen_ai.tool.message", {"content": "r", "id": "t1"}),
        message_event("gen_ai.choice", {"finish_reason": "stop", "message": SAID}),
    ]

    imported = Imported(store, client, tmp_path, {"attributes": {"a": 1}, "events": events})

    assert imported.messages[1]["tool_calls"] == [call]
    assert imported.messages[2]["tool_call_id"] == "t1"
    assert imported.json["choices"][0]["finish_reason"] == "stop"


def test_a_result_of_langchain_keeps_its_other_generations(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    generations = [{"text": one, "message": {"type": "ai", "content": one}} for one in "ab"]
    generations[0]["generation_info"] = {"finish_reason": "stop"}
    result = {"generations": [generations], "llm_output": {"model_name": "m"}}

    imported = Imported(store, client, tmp_path, result)

    assert (imported.forms, imported.asked, imported.answers) == (["LANGCHAIN"], [], ["a"])
    kept = imported.json["outputs"]
    assert kept["generations"] == [
        {"generation_info": {"finish_reason": "stop"}},
        generations[1],
    ]
    assert kept["llm_output"] == {"model_name": "m"}


def test_a_request_that_gemini_blocked_says_why(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    asked = {"contents": [{"role": "user", "parts": [{"text": "q"}]}]}

    imported = Imported(
        store, client, tmp_path, asked | {"promptFeedback": {"blockReason": "SAFETY"}}
    )

    assert (imported.asked, imported.answers) == ([("user", "q")], [])
    assert imported.json["incomplete"] == {"reason": "The request was blocked: SAFETY."}
    assert imported.json["promptFeedback"] == {"blockReason": "SAFETY"}
