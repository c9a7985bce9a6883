"""A character that nobody sees is marked wherever a page shows a text that was sent."""

from __future__ import annotations

from typing import Any, Final

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, Stored, stored
from tests.support.pages import Page

ID = "chatcmpl-1"
TURN = "\u202e"

PARTS: list[dict[str, Any]] = [
    {"type": "text", "text": "t"},
    {"type": "odd", "x": "y"},
    {"type": "redacted_thinking", "data": "d"},
    {"type": "image_url", "image_url": {"url": "https://a.example/i.png", "detail": "low"}},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
    {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    {"type": "input_audio", "input_audio": {"format": "wav"}},
    {"type": "file", "file": {"file_id": "f", "filename": "n", "file_data": "AAAA"}},
]
CALLS: list[dict[str, Any]] = [
    {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":"y"}'}},
    {"id": "b", "type": "custom", "custom": {"name": "f", "input": "i"}},
    {"id": "c", "type": "odd", "odd": {"name": "f"}},
]
CITED = {"type": "url_citation", "url_citation": {"url": "https://a.example/", "title": "t"}}
AUDIO = {"id": "a", "transcript": "t", "expires_at": 1}
FILTER = {"hate": {"filtered": True, "severity": "high"}, "self_harm": {"filtered": False}}


KNOWN: Final = frozenset(
    ["type", "text", "redacted_thinking", "data", "image_url", "url", "detail", "input_audio"]
    + ["format", "file", "file_id", "filename", "file_data", "id", "function", "name", "arguments"]
    + ["custom", "input", "url_citation", "title", "transcript", "expires_at", "filtered"]
    + ["severity", "role", "content", "tool_calls", "annotations", "audio", "refusal", "reasoning"]
    + ["index", "message", "finish_reason", "content_filter_results", "tools", "metadata", "usage"]
    + ["assistant", "user", "tool", "citations", "search_results", "model", "response_format"]
    + ["json_schema"]
)


def turn(value: Any) -> Any:
    """Put a character that turns the direction into every text, and every unknown name."""
    if isinstance(value, dict):
        return {
            name if name in KNOWN else f"{name}{TURN}": one
            if name in ("type", "role") and one in KNOWN
            else turn(one)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [turn(one) for one in value]
    return f"{value}{TURN}" if isinstance(value, str) and not value.startswith("data:") else value


@pytest.mark.parametrize("view", ["full", "compact", "outline"])
def test_no_character_turns_the_direction_unmarked(
    fake: FakeUpstream, fake_client: FlaskClient, view: str
) -> None:
    answer = {
        "role": "assistant",
        "name": "n",
        "content": "text",
        "refusal": "r",
        "reasoning": "r",
        "tool_calls": CALLS,
        "annotations": [CITED, {"type": "odd"}],
        "audio": AUDIO,
        "other": "o",
    }
    messages = [
        {"role": "user", "content": PARTS, "other": {"x": "y"}},
        {"role": "other", "content": "x"},
        answer,
        {"role": "tool", "tool_call_id": "c", "content": "r"},
    ]
    choice = {
        "index": 0,
        "finish_reason": "odd",
        "message": answer,
        "content_filter_results": FILTER,
        "other": "o",
    }
    one = stored(ID, choices=[turn(choice), turn(choice | {"index": 1})])
    one.completion.update(
        turn(
            {
                "model": "m",
                "metadata": {"k": "v"},
                "setting": "s",
                "tools": [{"type": "function", "function": {"name": "f"}}],
                "response_format": {"type": "json_schema", "json_schema": {"name": "n"}},
            }
        )
    )
    listed = [{"id": f"{ID}-{at}"} | turn(message) for at, message in enumerate(messages)]
    fake.completions[ID] = Stored(one.completion, listed)

    for path in (f"/completions/{ID}?view={view}", "/completions", f"/completions/{ID}/search?q=t"):
        page = Page.of(fake_client.get(path))
        for control in page.all(".control, title, option"):
            control.decompose()
        assert [node.html for node in page.all("body *") if TURN in node.text(deep=False)] == []


@pytest.mark.parametrize("url", ["mailto:ann@example.com", "https:///nowhere"])
def test_an_address_without_a_host_is_shown_whole(
    fake: FakeUpstream, fake_client: FlaskClient, url: str
) -> None:
    cited = {"type": "url_citation", "url_citation": {"url": url, "title": "t"}}
    image = {"type": "image_url", "image_url": {"url": url}}
    message = {"id": f"{ID}-0", "role": "assistant", "content": [image], "annotations": [cited]}
    fake.completions[ID] = Stored({"id": ID, "object": "chat.completion"}, [message])
    answer = fake_client.get(f"/completions/{ID}")
    assert answer.status_code == 200
    assert url in Page.of(answer).text
