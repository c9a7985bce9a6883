"""Content parts of Bedrock, Gemini and the AI SDK inside messages, as gateways pass them on."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from webapp.analysis import find_call_failure
from webapp.embedded.documents.facts import extract_facts
from webapp.exact_json import parse
from webapp.messages import File, Image, InputAudio, Message, ToolCall
from webapp.transcript import arrange

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg"
)
CITY = {"city": "Oslo"}
CITY_TEXT = json.dumps(CITY)


def describe(part: Any) -> str:
    """Return the kind of a part with its text, address or data, and the members beside them."""
    shown = part.kind, getattr(part, "text", None)
    if isinstance(part, Image):
        shown = part.kind, part.url
    elif isinstance(part, File | InputAudio):
        shown = part.kind, part.url or part.data
    extras = [f"{one.name.text}={one.value.source}" for one in part.extras]
    return " ".join(filter(None, (*shown, *extras)))


def read(*contents: Any) -> list[Message]:
    """Parse messages of these contents, of an assistant and a user in turn."""
    roles = ("assistant", "user", "assistant")
    return [
        Message.from_json(parse(json.dumps({"role": role, "content": content})))
        for role, content in zip(roles, contents, strict=False)
    ]


BEDROCK_CALL = {"toolUse": {"toolUseId": "t1", "name": "weather", "input": CITY}}
GEMINI_CALL = {"functionCall": {"name": "weather", "args": CITY}}
SDK_CALL = {"type": "tool-call", "toolCallId": "t1", "toolName": "weather", "input": CITY}
SDK_RESULT = {"type": "tool-result", "toolCallId": "t1", "toolName": "weather"}
UI_TOOL = {"type": "tool-weather", "toolCallId": "t1", "input": CITY}


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        ({"text": "hm"}, "text hm"),
        ({"json": {"t": 1.0}}, 'text {"t": 1.0}'),
        (
            {"image": {"format": "jpeg", "source": {"bytes": PNG}}},
            f"image data:image/jpeg;base64,{PNG}",
        ),
        (
            {"document": {"format": "pdf", "name": "d", "source": {"bytes": "JVBERi0="}}},
            "file data:application/pdf;base64,JVBERi0=",
        ),
        ({"document": {"name": "d", "source": {"text": "in it"}}}, 'text in it name="d"'),
        (
            {"document": {"name": "d", "source": {"content": [{"text": "in it"}]}}},
            'text in it name="d"',
        ),
        (
            {"document": {"name": "d", "source": {"s3Location": {"uri": "s3://b/d"}}}},
            "file s3://b/d",
        ),
        ({"video": {"format": "mp4", "source": {"bytes": "AAAA"}}}, 'file AAAA format="mp4"'),
        (
            {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://b/v"}}}},
            'file s3://b/v format="mp4"',
        ),
        ({"audio": {"format": "mp3", "source": {"bytes": "AAAA"}}}, "input_audio AAAA"),
        (
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "x"}}},
            'reasoning hm signature="x"',
        ),
        ({"reasoningContent": {"redactedContent": "AAAA"}}, "redacted_reasoning"),
        (
            {"guardContent": {"text": {"text": "hm", "qualifiers": ["query"]}}},
            'text hm qualifiers=["query"]',
        ),
        ({"text": "hm", "thought": True}, "reasoning hm"),
        ({"text": "hm", "thoughtSignature": "x"}, 'text hm thoughtSignature="x"'),
        (
            {"inlineData": {"mimeType": "image/png", "data": PNG}},
            f"image data:image/png;base64,{PNG}",
        ),
        (
            {"inline_data": {"mime_type": "application/pdf", "data": "JVBERi0="}},
            "file data:application/pdf;base64,JVBERi0=",
        ),
        ({"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}}, "input_audio UklGRg=="),
        (
            {"fileData": {"mimeType": "image/png", "fileUri": "https://a.example/x"}},
            'image https://a.example/x mimeType="image/png"',
        ),
        (
            {"file_data": {"mime_type": "video/mp4", "file_uri": "gs://b/v"}},
            'file gs://b/v mime_type="video/mp4"',
        ),
        (
            {"fileData": {"fileUri": "https://a.example/files/x"}},
            "file https://a.example/files/x",
        ),
        (
            {"type": "file", "mediaType": "image/png", "data": PNG},
            f'image data:image/png;base64,{PNG} mediaType="image/png"',
        ),
        (
            {"type": "file", "mediaType": "image/png", "url": f"data:image/png;base64,{PNG}"},
            f'image data:image/png;base64,{PNG} mediaType="image/png"',
        ),
        (
            {"type": "file", "mimeType": "audio/wav", "data": "UklGRg=="},
            'input_audio UklGRg== mimeType="audio/wav"',
        ),
        (
            {"type": "source-url", "sourceId": "s", "url": "https://a.example/x", "title": "X"},
            'file https://a.example/x sourceId="s"',
        ),
        ({"type": "image-url", "url": "https://a.example/x"}, "image https://a.example/x"),
        ({"type": "function_call_output", "output": "sun"}, "unknown"),
        ({"type": "tool_call", "id": "t1"}, "unknown"),
        ({"image": {"format": "png"}}, "unknown"),
        ({"json": 1, "other": 2}, "unknown"),
        ({"toolUse": "later"}, "unknown"),
    ],
)
@pytest.mark.parametrize("added", [{}, dict.fromkeys(("type", "text", "image_url", "file"))])
def test_a_part_is_shown_as_what_it_is(
    part: dict[str, Any], shown: str, added: dict[str, None]
) -> None:
    part = added | part
    (found,) = read([part])[0].parts
    words = describe(found)
    assert (
        words.startswith(shown)
        if shown == "unknown"
        else words.replace('type="file" ', "") == shown
    )
    assert found.json.source in json.dumps(part)


@pytest.mark.parametrize(
    ("call", "result", "text"),
    [
        (
            BEDROCK_CALL,
            {"toolResult": {"toolUseId": "t1", "content": [{"json": {"t": 1}}]}},
            '{"t": 1}',
        ),
        (BEDROCK_CALL, {"toolResult": {"toolUseId": "t1", "content": [{"text": "sun"}]}}, "sun"),
        (GEMINI_CALL, {"functionResponse": {"name": "weather", "response": {"t": 1}}}, '{"t": 1}'),
        (
            {"function_call": {"id": "t1", "name": "weather", "args": CITY}},
            {"function_response": {"id": "t1", "name": "weather", "response": {"t": 1}}},
            '{"t": 1}',
        ),
        (SDK_CALL, SDK_RESULT | {"output": {"type": "text", "value": "sun"}}, "sun"),
        (SDK_CALL, SDK_RESULT | {"output": {"type": "json", "value": {"t": 1}}}, '{"t": 1}'),
        (
            SDK_CALL,
            SDK_RESULT
            | {"output": {"type": "content", "value": [{"type": "text", "text": "sun"}]}},
            "sun",
        ),
        (SDK_CALL, SDK_RESULT | {"result": [1, 2]}, "[1, 2]"),
        (
            {"type": "function_call", "call_id": "t1", "name": "weather", "arguments": CITY_TEXT},
            {"type": "function_call_output", "call_id": "t1", "output": "sun"},
            "sun",
        ),
        (
            {"type": "tool_call", "id": "t1", "name": "weather", "arguments": CITY},
            {"type": "tool_call_response", "id": "t1", "response": {"t": 1}},
            '{"t": 1}',
        ),
        (
            {"type": "tool-call", "toolCallId": "t1", "toolName": "weather", "args": CITY},
            SDK_RESULT | {"result": "sun"},
            "sun",
        ),
    ],
)
@pytest.mark.parametrize("others", [(), ({"text": "Go on."},)])
def test_a_call_has_its_result(call: Any, result: Any, text: str, others: tuple[Any, ...]) -> None:
    messages = read([{"text": "I look."}, call], [result, *others])
    first, second = arrange(messages, first=1)
    (called,) = first.calls
    assert isinstance(called.call, ToolCall)
    assert (called.call.name, called.call.arguments) == ("weather", json.dumps(CITY))
    assert called.call.json.source == json.dumps(call)
    assert [one.message.plain_text for one in called.results] == [text]
    assert second.message.speaker == ("user" if others else "tool")
    assert not first.message.also_sent and find_call_failure(called) is None


@pytest.mark.parametrize(
    ("call", "result", "words"),
    [
        (
            BEDROCK_CALL,
            {"toolResult": {"toolUseId": "t1", "content": [{"text": "no"}], "status": "error"}},
            "status: error",
        ),
        (
            SDK_CALL,
            SDK_RESULT | {"output": {"type": "error-text", "value": "no"}},
            "type: error-text",
        ),
        (SDK_CALL, SDK_RESULT | {"type": "tool-error", "error": "no"}, "type: tool-error"),
        (SDK_CALL, SDK_RESULT | {"result": "no", "isError": True}, "isError: true"),
        (
            {"executableCode": {"language": "PYTHON", "code": "1/0"}},
            {"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "output": "no"}},
            "outcome: OUTCOME_FAILED",
        ),
    ],
)
def test_a_result_that_is_marked_as_an_error_is_a_failure(
    call: Any, result: Any, words: str
) -> None:
    for messages in (read([call], [result]), read([call], [result, {"text": "Hm."}])):
        failure = find_call_failure(arrange(messages, first=1)[0].calls[0])
        assert failure and failure.sentence == f"marked as an error: {words}"


@pytest.mark.parametrize(
    ("part", "text", "failed"),
    [
        (UI_TOOL | {"state": "output-available", "output": "sun"}, "sun", False),
        (UI_TOOL | {"state": "output-available", "output": {"t": 1}}, '{"t": 1}', False),
        (UI_TOOL | {"state": "output-error", "errorText": "no"}, "no", True),
        (UI_TOOL | {"state": "input-available"}, None, False),
        (
            UI_TOOL | {"type": "dynamic-tool", "toolName": "weather", "output": "sun"},
            "sun",
            False,
        ),
        (
            {
                "type": "tool-invocation",
                "toolInvocation": {
                    "state": "result",
                    "toolCallId": "t1",
                    "toolName": "weather",
                    "args": CITY,
                    "result": "sun",
                },
            },
            "sun",
            False,
        ),
    ],
)
@pytest.mark.parametrize("name", ["content", "parts"])
def test_a_part_of_a_page_is_a_call_with_its_result(
    part: dict[str, Any], text: str | None, failed: bool, name: str
) -> None:
    parts = [{"type": "step-start"}, part, {"type": "text", "text": "Sun."}]
    message = Message.from_json(parse(json.dumps({"role": "assistant", name: parts})))
    (entry,) = arrange([message], first=1)
    (called,) = entry.calls
    assert isinstance(called.call, ToolCall)
    assert (called.call.name, called.call.arguments) == ("weather", json.dumps(CITY))
    assert [one.message.plain_text for one in called.results] == ([] if text is None else [text])
    assert (find_call_failure(called) is not None) is failed
    assert message.plain_text == "Sun." and not message.also_sent


@pytest.mark.parametrize(
    "part",
    [
        {"text": "@", "thought": "@"},
        {"image": {"source": {"bytes": PNG, "x": "@"}, "format": "png", "name": "@"}},
        {"image": {"source": {"s3Location": {"uri": "s3://b/@", "bucketOwner": "@"}}}},
        {"document": {"source": {"text": "@", "x": "@"}, "name": "@", "format": "@"}},
        {"document": {"source": {"bytes": "JVBERi0=", "text": "@"}, "name": "@"}},
        {"video": {"source": {"bytes": "AAAA"}, "format": "@", "name": "@"}},
        {"toolUse": {"toolUseId": "@", "id": "@", "name": "@", "args": "@", "type": "@"}, "x": "@"},
        {"toolUse": {"id": "@", "name": "@", "input": {"@": 1}, "args": {"x": "@"}}},
        {"toolResult": {"toolUseId": "@", "content": "@", "status": "@"}},
        {"toolResult": {"toolUseId": "@", "content": {"x": "@"}}, "x": "@"},
        {"functionResponse": {"name": "@", "content": [{"text": "@"}], "response": {"x": "@"}}},
        {"functionResponse": {"name": "@", "response": {"x": "@"}, "parts": "@", "x": "@"}},
        {"functionResponse": {"name": "@", "response": 1, "parts": [{"text": "@"}], "x": "@"}},
        {"inlineData": {"mimeType": "a/@", "mime_type": "@", "data": "AAAA", "fileUri": "@"}},
        {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/@", "displayName": "@"}},
        {"reasoningContent": {"reasoningText": {"text": "@"}, "redactedContent": "@", "x": "@"}},
        {"reasoningContent": {"redactedContent": "@", "x": "@"}, "x": "@"},
        {"guardContent": {"text": {"text": "@", "type": "@"}, "image": {"format": "@"}}},
        {"toolCallId": "@", "toolName": "@", "args": "@", "result": "@", "error": "@"},
        SDK_CALL | {"args": {"x": "@"}, "output": {"type": "text", "value": "@", "x": "@"}},
        SDK_RESULT | {"toolName": "@", "output": "@", "errorText": "@"},
        SDK_RESULT | {"type": "tool-error", "error": "@", "input": {"x": "@"}},
        {"type": "tool-invocation", "toolInvocation": UI_TOOL | {"type": "@"}, "x": "@"},
        {"type": "file", "mediaType": "image/png", "data": PNG, "url": "@"},
        {"type": "function_call", "name": "@", "arguments": "@", "args": "@", "input": "@"},
        {"type": "function_call_output", "call_id": "@", "output": "@", "response": "@"},
        {"type": "source", "source": {"url": "https://a.example/@", "x": "@"}, "x": "@"},
    ],
)
@pytest.mark.parametrize("others", [(), ({"type": "text", "text": "Go on."},)])
def test_nothing_that_was_sent_is_hidden(part: dict[str, Any], others: tuple[Any, ...]) -> None:
    numbers, nothing = count(), parse("0")
    written = re.sub("@", lambda _: f"value{next(numbers)}.", json.dumps(part))
    (message,) = read([json.loads(written), *others])
    blocks = (message, *message.results)
    parts = [one for block in blocks for one in (*block.parts, *block.calls)]
    members = [one for held in parts for one in held.extras]
    members += [one for block in blocks for one in block.also_sent]
    shown = [f"{block.name} {block.tool_call_id}" for block in blocks]
    shown += [
        one.json.source if one.kind == "unknown" else repr(replace(one, json=nothing, extras=()))
        for one in parts
    ]
    shown += [f"{one.name.text}={one.value.source}" for one in members]
    values = re.findall(r"value\d+\.", written)
    assert [one for one in values if one not in " ".join(shown)] == []


def test_results_of_the_ai_sdk_in_one_tool_message_have_each_their_call() -> None:
    calls = [SDK_CALL | {"toolCallId": name} for name in ("t1", "t2")]
    results = [
        dict(SDK_RESULT, toolCallId=name, output={"type": "text", "value": f"of {name}"})
        for name in ("t2", "t1")
    ]
    called = Message.from_json(parse(json.dumps({"role": "assistant", "content": calls})))
    answered = Message.from_json(parse(json.dumps({"role": "tool", "content": results})))
    first, _ = arrange([called, answered], first=1)
    assert [one.results[0].message.plain_text for one in first.calls] == ["of t1", "of t2"]


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": [{"text": "I look."}, BEDROCK_CALL]},
        {"role": "assistant", "content": [{"text": "I look."}, GEMINI_CALL]},
        {"role": "assistant", "parts": [{"text": "I look."}, GEMINI_CALL]},
        {"role": "assistant", "content": [{"type": "text", "text": "I look."}, SDK_CALL]},
        {"role": "assistant", "parts": [{"type": "text", "text": "I look."}, UI_TOOL]},
        {"role": "assistant", "content": "I look.", "parts": [{"text": "I look."}, GEMINI_CALL]},
        {
            "role": "assistant",
            "content": "I look.",
            "toolInvocations": [{"toolCallId": "t1", "toolName": "weather", "args": CITY}],
        },
    ],
)
def test_lists_and_searches_know_such_calls(message: dict[str, Any]) -> None:
    completion = parse(json.dumps({"choices": [{"index": 0, "message": message}]}))
    facts = extract_facts(completion, [])  # type: ignore[arg-type]
    assert {"has:calls", "tool:weather", "calls:weather"} <= set(facts.tags)
    assert [(one.scope.value, one.text) for one in facts.passages] == [
        ("text", "i look."),
        ("input", '{"city": "oslo"}'),
        ("names", "weather"),
    ]
