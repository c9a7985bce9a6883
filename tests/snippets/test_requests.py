"""Rebuild the request of a completion from the forms in which servers return it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.snippets.hostile import hostile_completion
from tests.support.fake_upstream import Json
from webapp.completions import Completion
from webapp.exact_json import parse
from webapp.messages import Message
from webapp.snippets import CreateRequest, build_request
from webapp.snippets.writing import (
    has_inexact_number,
    has_lone_surrogate,
    write_go,
    write_java,
    write_javascript,
    write_python,
)

USER: Json = {"role": "user", "content": "Hi"}


def build(completion: Json, messages: list[Any], **options: Any) -> CreateRequest:
    head = Completion.from_json(parse(json.dumps({"id": "c1", "model": "m"} | completion)))
    return build_request(
        head, [Message.from_json(parse(json.dumps(one))) for one in messages], **options
    )


def test_the_form_of_the_api_is_undone() -> None:
    text = {"type": "text", "text": "Look", "image_url": None, "input_audio": None, "file": None}
    image = {"type": "image_url", "text": None, "image_url": {"url": "data:,", "detail": None}}
    messages = [
        {"id": "c1-0", "content": "Look ", "content_parts": [text, image], "name": None}
        | {"role": "user"},
        {"id": "c1-1", "role": "assistant", "content": None, "content_parts": None, "name": None}
        | {"refusal": None, "annotations": [], "tool_calls": [{"id": "a"}]},
        {"id": "c1-2", "role": "assistant", "content": "", "tool_calls": []}
        | {"audio": {"id": "audio_1", "data": "AAAA", "transcript": "…"}},
    ]
    settings = {
        "object": "chat.completion",
        "request_id": "req_1",
        "usage": {"total_tokens": 1},
        "tool_choice": None,
        "tools": [],
        "input_user": "ann",
        "temperature": 1.0,
        "presence_penalty": 0.0,
        "choices": [{"index": 0}, {"index": 1}],
    }

    made = build(settings, messages)
    slim = build(settings, messages, leaves_defaults=True)

    asked = {
        "model": "m",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image_url", "image_url": {"url": "data:,"}},
                ],
            },
            {"role": "assistant", "content": None, "tool_calls": [{"id": "a"}]},
            {"role": "assistant", "content": "", "audio": {"id": "audio_1"}},
        ],
        "user": "ann",
        "n": 2,
        "store": True,
        "metadata": {"readback_rerun_of": "c1"},
    }
    assert json.loads(slim.json) == asked
    assert json.loads(made.json) == asked | {"temperature": 1.0, "presence_penalty": 0.0}
    assert made.notes == slim.notes == ()


def test_what_cannot_be_rebuilt_is_named() -> None:
    empty = {"id": "c1-1", "role": "assistant", "content": None}
    result = {"id": "c1-2", "role": "tool", "content": "4"}

    notes = build({"model": None}, [USER, empty, result, "a text"]).notes

    assert [note.partition(" is")[0] for note in notes[:3]] == [
        "Message 4",
        "Message 2",
        "Message 3",
    ]
    assert "model" in notes[3]
    assert not build({"model": None}, [USER]).can_be_sent
    assert build({"model": None}, [USER], model="gpt-4o").model == "gpt-4o"
    assert not build({}, ["a text"]).can_be_sent
    assert build({}, [USER, empty, result, "a text"], upto=1).notes == ()


def test_numbers_keep_their_lexemes_and_bad_ones_are_named() -> None:
    head = '{"id":"c1","model":"m","seed":-8132613597486110237,"temperature":1e-07,"top_p":NaN}'
    completion = Completion.from_json(parse(head))

    made = build_request(completion, [Message.from_json(parse(json.dumps(USER)))])

    assert '"seed":-8132613597486110237,' in made.json
    assert '"temperature":1e-07' in made.json
    assert "number" in made.notes[0]


@pytest.mark.parametrize(
    ("number", "is_exact"),
    [
        ("0", True),
        ("-1.0", True),
        ("0.1", True),
        ("9007199254740992", True),
        ("9007199254740993", False),
        ("-8132613597486110237", False),
        ("0.12345678901234567890", False),
        ("1e400", False),
        ("1e-99999999999999999999", False),
        ("NaN", False),
    ],
)
def test_a_number_that_a_double_changes_is_noticed(number: str, is_exact: bool) -> None:
    assert has_inexact_number(f'{{"n": {number}, "s": "9007199254740993"}}') is not is_exact


@given(st.text(st.characters(), max_size=40), st.integers(0, 3))
def test_every_text_survives_in_every_literal(text: str, slashes: int) -> None:
    """The literals contain the text, parsed as each language defines them."""
    message = {"role": "user", "content": text + "\\" * slashes}
    layout = build({}, [message]).layout
    raw = write_javascript(layout).removeprefix("String.raw`").removesuffix("`")
    go = write_go(layout)[1:-1]
    block = write_java(layout).removeprefix('"""\n').removesuffix('"""')

    assert eval(write_python(layout)) == layout
    assert "`" not in raw and "${" not in raw
    assert "`" not in go
    assert block.isascii() and '"""' not in block and not block.replace("\\\\", "").count("\\")
    for one in (layout, raw, go, block.replace("\\\\", "\\")):
        assert json.loads(one)["messages"] == [message]
        assert all(line.isprintable() for line in one.split("\n"))
    assert has_lone_surrogate(layout) or text.isascii() or text.encode()


def test_a_long_request_is_cut_into_constants_that_a_compiler_takes() -> None:
    written = write_java(json.dumps(hostile_completion(long=100_000)))

    constants = written.split('",\n            "')
    assert max(map(len, constants)) < 60_000
    assert len(constants) > 10
