"""Values that are empty, unknown, repeated or of another form: always shown, never lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.bubbles import HERE, ID, ShowAnswer, ShowMessages, pairs
from tests.support.fake_upstream import FakeUpstream, Json, Reply, stored
from tests.support.pages import Page, readable

BLOCK: Json = {"type": "tool_result", "tool_use_id": "c"}
MESSAGES = f"/chat/completions/{ID}/messages"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"role": "assistant", "content": None}, "tool calls of earlier turns"),
        ({"role": "user", "content": ""}, "the message is empty"),
        ({"role": "user", "content": []}, "the message is empty"),
        ({"role": "user"}, "the message is empty"),
        ({"role": "tool", "content": "", "tool_call_id": "c"}, "returned an empty text"),
        ({"role": "tool", "content": None, "tool_call_id": "c"}, "returned no content"),
        ({"role": "tool"}, "returned no content"),
        ({"role": "user", "content": [BLOCK | {"content": ""}]}, "returned an empty text"),
        ({"role": "user", "content": [BLOCK | {"content": []}]}, "returned no content"),
        ({"role": "user", "content": [BLOCK]}, "returned no content"),
        ({}, "the message is empty"),
    ],
)
def test_an_empty_message_says_something(show: ShowMessages, message: Json, words: str) -> None:
    (bubble,) = show(message)
    assert words in readable(bubble.parts)


@pytest.mark.parametrize("choice", [{"message": None}, {}, {"delta": {"content": "x"}}])
def test_a_choice_without_a_message_is_shown_with_what_it_has(
    fake: FakeUpstream, fake_client: FlaskClient, choice: Json
) -> None:
    fake.completions[ID] = stored(ID, choices=[{"index": 0, "finish_reason": "x-end"} | choice])
    bubble = Page.of(fake_client.get(HERE)).bubbles[-1]
    assert "x-end" in bubble.text
    assert readable(bubble.parts)


@pytest.mark.parametrize(
    "unknown",
    [
        {"type": "hologram", "hologram": {"url": "https://a.example/v.mp4"}},
        {"type": "text", "text": {"value": 1.0}},
        {"type": "image_url", "image_url": 7},
        {"type": "input_audio"},
        {"type": "file", "file": "id"},
        {"no": "type"},
        7,
        None,
        ["list"],
    ],
)
def test_an_unknown_part_is_shown_as_json(show: ShowMessages, unknown: Any) -> None:
    (bubble,) = show({"role": "user", "content": [{"type": "text", "text": "seen"}, unknown]})
    assert bubble.sources == ["seen"]
    shown = bubble.parts.css_first(".unknown pre")
    assert shown is not None
    assert "".join(shown.text().split()) == json.dumps(unknown, separators=(",", ":"))


def test_unknown_fields_are_listed_but_not_those_that_are_null(show: ShowMessages) -> None:
    (bubble,) = show(
        {"role": "user", "content": "x", "weight": 1.0, "padding": "aB", "gone": None}
        | {"nested": {"a": [True, {"long": "x" * 100}]}, "name": ["not", "text"]}
    )
    assert pairs(bubble.parts, ".also-sent").keys() == {"weight", "padding", "nested", "name"}
    assert "x" * 100 in bubble.text
    assert '["not","text"]' in bubble.text


@pytest.mark.parametrize("message", [7, "text", None, [1.0], True])
def test_a_message_that_is_no_object_is_still_shown(
    fake: FakeUpstream, fake_client: FlaskClient, message: Any
) -> None:
    fake.completions[ID] = stored(ID)
    fake.page = lambda page: page | {"data": [message], "has_more": False}
    bubble = Page.of(fake_client.get(HERE)).bubbles[0]
    assert "no role" in bubble.text
    shown = bubble.parts.css_first(".unknown pre")
    assert shown is not None
    assert "".join(shown.text().split()) == json.dumps(message)


def test_fields_of_a_choice_are_shown_beside_its_message(answered: ShowAnswer) -> None:
    bubble = answered({"logprobs": {"content": []}, "score": 0.50}, content="x")
    assert pairs(bubble.parts, ".also-sent") == {"logprobs": '{"content":[]}', "score": "0.5"}


def test_members_that_stand_twice_are_both_shown(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID)
    message = f'{{"id":"{ID}-0","role":"user","content":"first","content":"last","x":1,"x":2.0}}'
    fake.script(MESSAGES, Reply(200, f'{{"data":[{message}],"has_more":false}}'))
    bubble = Page.of(fake_client.get(HERE)).bubbles[0]
    assert bubble.sources == ["last"]
    found = bubble.parts.css_first(".also-sent")
    assert found is not None
    assert [readable(node) for node in found.css("dt")] == ["content", "x", "x"]
    assert [readable(node) for node in found.css("dd")] == ["first", "1", "2.0"]


def test_the_raw_json_keeps_every_lexeme_order_and_duplicate(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    lines = [
        f'"id": "{ID}-0"',
        '"z": 1.0',
        '"content": "\\u00e9\\/\\ud83d\\ude00"',
        '"seed": -8132613597486110237',
        '"z": 1E+2',
        '"a": NaN',
        '"e": []',
    ]
    page = Reply(200, f'{{"data":[{{{",".join(lines)}}}],"has_more":false}}')
    fake.completions[ID] = stored(ID)
    fake.script(MESSAGES, Reply(200, {"data": []}), page)
    text = Page.of(fake_client.get(f"{HERE}/messages/{ID}-0/json")).one("pre.json").text()
    assert text.split("\n") == ["{", *(f"  {line}," for line in lines[:-1]), f"  {lines[-1]}", "}"]


def test_a_large_unknown_part_is_a_tree_beside_its_exact_text(show: ShowMessages) -> None:
    unknown = {"type": "hologram", "hologram": {"url": "https://a.example/" + "v" * 300}}
    (bubble,) = show({"role": "user", "content": [unknown]})
    (found,) = bubble.parts.css(".unknown")
    assert "content part hologram" in readable(found)
    assert [readable(one) for one in found.css(".tree dt")] == ["type", "hologram", "url"]
    exact = found.css_first("pre.exact")
    assert exact is not None
    assert json.loads(exact.text()) == unknown
    assert found.css_first("input[data-exact-switch]") is not None


def test_a_large_field_nobody_knows_is_a_tree_behind_its_size(show: ShowMessages) -> None:
    (bubble,) = show({"role": "user", "content": "x", "trace": [{"step": "s" * 50}] * 10})
    (fold,) = bubble.parts.css(".also-sent details.json-fold")
    assert readable(fold).count("s" * 50) == 20
    assert [readable(one) for one in fold.css(".tree dt")] == ["step"] * 10


REVERSED = "invoice\u202efdp.exe"


def a_call(call_id: str, name: str) -> Json:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": "{}"}}


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": "x", "name": REVERSED},
        {"role": REVERSED, "content": "x"},
        {"role": "user", "content": "x", "invented": REVERSED},
        {"role": "user", "content": "x", REVERSED: 1},
        {"role": "tool", "content": "x", "tool_call_id": REVERSED},
        {"role": "assistant", "tool_calls": [a_call(REVERSED, "f")]},
        {"role": "assistant", "tool_calls": [a_call("a", REVERSED)]},
        {"role": "assistant", "tool_calls": [a_call("a", f"mcp__s__{REVERSED}")]},
        {"role": "user", "content": [{"type": "file", "file": {"filename": REVERSED}}]},
        {"role": "user", "content": [{"type": "file", "file": {"file_id": REVERSED}}]},
    ],
)
def test_characters_that_turn_text_round_are_marked_wherever_they_stand(
    show: ShowMessages, message: Json
) -> None:
    (bubble,) = show(message)

    assert [one.attributes["data-mark"] for one in bubble.node.css(".control")] == ["U+202E RLO"]
