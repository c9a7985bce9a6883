"""Messages as values: every shape is read, and nothing that was sent is lost."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import TRANSCRIPTS, Json, checked, json_texts, values_over
from tests.support.loose_shapes import KNOWN_WORDS, MESSAGE, leaves, shown_of_message, written
from webapp.exact_json import Object, Value, parse
from webapp.messages import (
    Audio,
    File,
    Image,
    InputAudio,
    Message,
    Reasoning,
    RedactedReasoning,
    Refusal,
    Text,
    ToolCall,
    Unknown,
    UrlCitation,
)
from webapp.messages.message import INPUT_KEYS
from webapp.messages.parts import MAX_ITEMS

FIELDS = sorted(MESSAGE) if isinstance(MESSAGE, dict) else []


def message(**members: Any) -> Message:
    return read(json.dumps(members))


def read(text: str) -> Message:
    return Message.from_json(parse(text))


def fields(piece: Any) -> dict[str, Any]:
    """Return the values of `piece`, without its JSON and extras."""
    names = {field.name for field in dataclasses.fields(piece)} - {"json", "extras"}
    return {name: getattr(piece, name) for name in names}


def only_part(*content: Any, **members: Any) -> Any:
    (part,) = message(**({"content": list(content)} if content else {}), **members).parts
    return part


def extras(piece: Any) -> list[str]:
    return [f"{member.name.text}={member.value.source}" for member in piece.extras]


@pytest.mark.parametrize(
    ("sent", "kind", "said"),
    [
        ({"type": "text", "text": "Hi"}, Text, {"text": "Hi", "cited": ()}),
        ("Hi", Text, {"text": "Hi", "cited": ()}),
        ({"type": "refusal", "refusal": "No."}, Refusal, {"text": "No."}),
        ({"type": "thinking", "thinking": "Hm"}, Reasoning, {"text": "Hm", "field": "thinking"}),
        ({"type": "reasoning", "reasoning": "A"}, Reasoning, {"text": "A", "field": "reasoning"}),
        ({"type": "reasoning", "text": "A"}, Reasoning, {"text": "A", "field": "reasoning"}),
        ({"type": "redacted_thinking", "data": "RW5j"}, RedactedReasoning, {"data": "RW5j"}),
        (
            {"type": "image_url", "image_url": {"url": "data:,", "detail": "low"}},
            Image,
            {"url": "data:,", "detail": "low"},
        ),
        (
            {"type": "image_url", "image_url": "https://i.example/a.png"},
            Image,
            {"url": "https://i.example/a.png", "detail": None},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
            InputAudio,
            {"data": "UklG", "format": "wav", "url": None},
        ),
        (
            {"type": "file", "file": {"file_id": "f-1", "filename": "a.pdf", "file_data": "JVBE"}},
            File,
            {"file_id": "f-1", "filename": "a.pdf", "data": "JVBE", "url": None},
        ),
    ],
)
def test_each_kind_of_content_part_is_read(sent: Any, kind: type, said: dict[str, Any]) -> None:
    part = only_part(sent)

    assert json.loads(part.json.source) == sent
    assert fields(part) == said
    assert extras(part) == []
    assert isinstance(part, kind)


def test_the_five_keys_of_a_recorded_part_are_read_with_their_nulls() -> None:
    empty = {"image_url": None, "input_audio": None, "file": None}
    texts = [{"type": "text", "text": "Whose logo is this?: ", **empty}]
    image = {**empty, "image_url": {"url": "data:image/png;base64,iVBO", "detail": None}}
    parts = [*texts, {"type": "image_url", "text": None, **image}]

    found = message(
        id="c-3", role="user", content="Whose logo is this?:  ", content_parts=parts, name=None
    )

    assert [part.kind for part in found.parts] == ["text", "image"]
    assert [extras(part) for part in found.parts] == [[], []]
    assert found.has_only_input_keys
    assert not found.also_sent


@pytest.mark.parametrize(
    ("sent", "label"),
    [
        ({"type": "video_url", "video_url": {"x": "y"}}, "content part video_url"),
        ({"type": "text"}, "content part text"),
        ({"type": "text", "text": 5}, "content part text"),
        ({"type": "image_url", "image_url": {"detail": "low"}}, "content part image_url"),
        ({"type": "image_url", "image_url": None}, "content part image_url"),
        ({"type": "input_audio", "input_audio": ["UklG"]}, "content part input_audio"),
        ({"type": "input_audio", "input_audio": "see: the tape"}, "content part input_audio"),
        ({"type": "file", "file": []}, "content part file"),
        ({"type": 5}, "content part"),
        ({}, "content part"),
        (None, "content part"),
        (5, "content part"),
        ([], "content part"),
    ],
)
def test_what_is_not_understood_is_kept_under_its_name(sent: Any, label: str) -> None:
    part = only_part(sent)

    assert isinstance(part, Unknown)
    assert part.label == label
    assert json.loads(part.json.source) == sent


def test_members_beyond_the_known_ones_of_a_part_are_kept() -> None:
    part = only_part({"type": "text", "text": "Hi", "cache": {"mode": "x"}, "none": None})

    assert extras(part) == ['cache={"mode": "x"}']


def test_members_of_an_unexpected_type_inside_a_part_are_kept() -> None:
    image = only_part({"type": "image_url", "image_url": {"url": "u", "detail": 5, "type": "t"}})
    audio = only_part(audio={"id": 7, "data": "UklG", "expires_at": 1.5})

    assert extras(image) == ["detail=5", 'type="t"']
    assert extras(audio) == ["id=7", "expires_at=1.5"]


def test_a_member_that_stands_twice_in_a_part_is_kept_both_times() -> None:
    (part,) = read('{"content": [{"type": "text", "text": "old", "text": "new"}]}').parts

    assert isinstance(part, Text)
    assert part.text == "new"
    assert extras(part) == ['text="old"']


def test_texts_outside_the_content_are_parts_in_reading_order() -> None:
    found = message(
        refusal="No.",
        content="Well.",
        reasoning_content="2",
        reasoning="1",
        audio={"id": "a", "data": "UklG", "transcript": "Spoken.", "expires_at": 9},
    )

    assert [part.kind for part in found.parts] == [
        "reasoning",
        "reasoning",
        "text",
        "refusal",
        "audio",
    ]
    assert found.plain_text == "Well.\n\nNo."
    spoken = found.parts[-1]
    assert isinstance(spoken, Audio)
    assert fields(spoken) == {
        "id": "a",
        "data": "UklG",
        "transcript": "Spoken.",
        "expires_at": 9,
    }


@pytest.mark.parametrize("name", ["refusal", "reasoning", "reasoning_content", "audio"])
@pytest.mark.parametrize("value", [5, True, []])
def test_a_field_of_another_type_is_shown_as_it_came(name: str, value: Any) -> None:
    part = only_part(**{name: value})

    assert isinstance(part, Unknown)
    assert (part.label, json.loads(part.json.source)) == (name, value)


@pytest.mark.parametrize(
    ("content", "parts", "kinds"),
    [
        ("a b", ["a", "b"], ["text", "text"]),
        ("ab", ["a", "b"], ["text", "text"]),
        ("a  b\n", ["a ", "b"], ["text", "text"]),
        ("more than the parts", ["a"], ["text", "text"]),
        ("text", [], ["text"]),
        ("", [], []),
        (None, ["a"], ["text"]),
        (["b"], ["a"], ["text", "unknown"]),
        (5, ["a"], ["text", "unknown"]),
        (False, [], ["unknown"]),
        ("text", None, ["text"]),
        ("text", "other", ["unknown", "text"]),
        ("text", {"0": "a"}, ["unknown", "text"]),
        (["a", "b"], None, ["text", "text"]),
        ({"a": 1}, None, ["unknown"]),
        (5, None, ["unknown"]),
    ],
)
def test_content_and_content_parts_are_merged_without_losing_either(
    content: Any, parts: Any, kinds: list[str]
) -> None:
    found = message(content=content, content_parts=parts)

    assert [part.kind for part in found.parts] == kinds


def only_call(sent: Any) -> Any:
    (call,) = message(tool_calls=[sent]).calls
    return call


def test_function_and_custom_calls_are_read() -> None:
    function = {"name": "f", "arguments": '{"a": 1}'}
    call = only_call({"id": "call_1", "type": "function", "function": function})
    custom = only_call({"id": "c", "type": "custom", "custom": {"name": "g", "input": "ls -l"}})

    assert fields(call) == {
        "id": "call_1",
        "type": "function",
        "name": "f",
        "arguments": '{"a": 1}',
    }
    assert fields(custom) == {"id": "c", "type": "custom", "name": "g", "arguments": "ls -l"}
    assert extras(call) == extras(custom) == []


def test_a_call_without_a_type_is_a_function_call() -> None:
    call = only_call({"index": 0, "id": "c", "function": {"name": "f", "strict": True}})

    assert (call.type, call.arguments) == ("function", None)
    assert extras(call) == ["index=0", "strict=true"]


def test_a_call_that_is_in_no_list_is_read() -> None:
    (call,) = message(tool_calls={"id": "c", "function": {"name": "f", "arguments": "{}"}}).calls

    assert isinstance(call, ToolCall)
    assert (call.id, call.name, call.arguments) == ("c", "f", "{}")


def test_the_deprecated_function_call_is_read() -> None:
    (call,) = message(function_call={"name": "f", "arguments": "{}", "type": "x"}).calls

    assert isinstance(call, ToolCall)
    assert fields(call) == {
        "id": None,
        "type": "function_call",
        "name": "f",
        "arguments": "{}",
    }
    assert extras(call) == ['type="x"']


@pytest.mark.parametrize("sent", [{"name": "", "arguments": ""}, {"name": None}, {}])
def test_a_function_call_that_calls_nothing_is_no_call(sent: dict[str, Any]) -> None:
    """Some servers fill all fields of an answer."""
    found = message(content="4", function_call=sent)

    assert found.calls == ()
    assert [(one.name.text, json.loads(one.value.source)) for one in found.also_sent] == [
        ("function_call", sent)
    ]
    assert message(function_call={"name": "", "arguments": "", "x": 1}).calls


@pytest.mark.parametrize(
    ("written", "arguments"),
    [
        ('"{broken"', "{broken"),
        ('""', ""),
        ("null", None),
        ('{"a": 1.0}', '{"a": 1.0}'),
        ("[]", "[]"),
        ("5", "5"),
    ],
)
def test_arguments_are_the_text_or_else_the_json_that_was_sent(
    written: str, arguments: str | None
) -> None:
    for text in (
        f'{{"tool_calls": [{{"function": {{"name": "f", "arguments": {written}}}}}]}}',
        f'{{"tool_calls": [{{"type": "custom", "custom": {{"input": {written}}}}}]}}',
        f'{{"function_call": {{"name": "f", "arguments": {written}}}}}',
    ):
        (call,) = read(text).calls
        assert isinstance(call, ToolCall)
        assert call.arguments == arguments
        assert extras(call) == []


@pytest.mark.parametrize(
    ("sent", "label"),
    [
        ({"type": "mcp", "mcp": {}}, "tool call mcp"),
        ({"type": "function", "function": "f"}, "tool call function"),
        ({"type": "function", "custom": {}}, "tool call function"),
        ("f", "tool call"),
        (None, "tool call"),
    ],
)
def test_calls_of_another_shape_are_kept_as_they_came(sent: Any, label: str) -> None:
    call = only_call(sent)

    assert isinstance(call, Unknown)
    assert (call.label, json.loads(call.json.source)) == (label, sent)


@pytest.mark.parametrize("name", ["tool_calls", "function_call"])
def test_calls_that_are_no_list_or_object_are_kept_as_they_came(name: str) -> None:
    (call,) = message(**{name: "soon"}).calls

    assert isinstance(call, Unknown)
    assert call.label == name


def test_url_citations_are_read() -> None:
    cited = {"url": "https://s.example", "title": "S", "start_index": 0, "end_index": 4, "x": 1}
    (found,) = message(annotations=[{"type": "url_citation", "url_citation": cited}]).annotations

    assert isinstance(found, UrlCitation)
    assert fields(found) == {
        "url": "https://s.example",
        "title": "S",
        "start_index": 0,
        "end_index": 4,
    }
    assert extras(found) == ["x=1"]


@pytest.mark.parametrize(
    ("sent", "label"),
    [
        ({"type": "file", "file": {"hash": "9"}}, "annotation file"),
        ({"type": "url_citation", "url_citation": {"title": "no url"}}, "annotation url_citation"),
        ({"url_citation": {"url": "https://s.example"}}, "annotation"),
        ("source", "annotation"),
    ],
)
def test_other_annotations_are_kept_as_they_came(sent: Any, label: str) -> None:
    (found,) = message(annotations=[sent]).annotations

    assert isinstance(found, Unknown)
    assert found.label == label


def also_sent(found: Message) -> list[str]:
    return [f"{member.name.text}={member.value.source}" for member in found.also_sent]


def test_members_without_a_reader_are_listed_in_their_order() -> None:
    found = read('{"role": "user", "padding": "p", "content": "Hi", "created": 1.0, "none": null}')

    assert also_sent(found) == ['padding="p"', "created=1.0"]


@pytest.mark.parametrize("name", ["id", "role", "name", "tool_call_id"])
def test_a_name_or_id_that_is_no_text_is_listed(name: str) -> None:
    found = message(**{name: {"a": 1}})

    assert getattr(found, name) is None
    assert also_sent(found) == [f'{name}={{"a": 1}}']
    assert also_sent(message(**{name: None})) == []


def test_of_a_name_that_stands_twice_the_first_is_listed() -> None:
    found = read('{"role": "user", "content": "old", "role": "assistant", "content": "new"}')

    assert (found.role, found.plain_text) == ("assistant", "new")
    assert also_sent(found) == ['role="user"', 'content="old"']


def test_a_message_of_the_five_keys_that_says_nothing_may_lack_its_calls() -> None:
    five = {"id": "c-1", "content": None, "content_parts": None, "name": None}

    silent = message(role="assistant", **five)
    assert silent.is_empty and silent.has_only_input_keys and silent.may_lack_calls
    assert not message(role="user", **five).may_lack_calls
    assert not message(role="assistant", tool_calls=None, **five).may_lack_calls
    assert not message(role="assistant", content="Hi").may_lack_calls


@pytest.mark.parametrize(
    "members",
    [
        {"content": "x"},
        {"refusal": "No."},
        {"tool_calls": [{}]},
        {"annotations": [{}]},
        {"audio": {}},
        {"extra": 0},
        {"content": 0},
        {"role": 0},
    ],
)
def test_a_message_with_anything_to_show_is_not_empty(members: dict[str, Any]) -> None:
    assert not message(**members).is_empty


def test_a_message_that_is_no_object_is_shown_as_it_came() -> None:
    (part,) = read('["a", 1.0]').parts

    assert isinstance(part, Unknown)
    assert (part.label, part.json.source) == ("message", '["a", 1.0]')


@pytest.mark.parametrize(
    ("url", "inline"),
    [("data:,", True), ("DATA:image/png;base64,", True), ("https://d.example/data:", False)],
)
def test_an_inline_image_is_told_by_its_scheme(url: str, inline: bool) -> None:
    part = only_part({"type": "image_url", "image_url": {"url": url}})

    assert isinstance(part, Image)
    assert part.is_inline is inline


@given(values_over(st.sampled_from(FIELDS) | st.just("type")) | st.text())
@checked
def test_any_json_makes_a_message_that_keeps_it(value: Json) -> None:
    text = json.dumps(value)
    found = read(text)

    assert found.json.source == text
    assert found.is_empty is not any((found.parts, found.calls, found.annotations, found.also_sent))


@given(json_texts)
@checked
def test_any_json_text_makes_a_message(text: str) -> None:
    assert read(text).json.source == text.strip(" \t\n\r")


@given(written(MESSAGE))
@checked
def test_every_text_and_number_of_a_message_is_shown(text: str) -> None:
    value = parse(text)
    shown = KNOWN_WORDS.union(shown_of_message(Message.from_json(value)))

    assert set(leaves(value)) - shown == set()


@pytest.mark.parametrize("name", ["content", "content_parts", "tool_calls", "annotations"])
def test_a_list_that_nobody_could_read_is_kept_as_it_came(name: str) -> None:
    found = message(**{name: [0] * (MAX_ITEMS + 1)})

    pieces: list[object] = [*found.parts, *found.calls, *found.annotations]
    (piece,) = pieces
    assert isinstance(piece, Unknown)
    assert (piece.label, len(json.loads(piece.json.source))) == (name, MAX_ITEMS + 1)


def test_a_message_of_very_many_members_is_read_member_by_member() -> None:
    members = ",".join(f'"k{place}": {place}' for place in range(20_000))

    assert len(read("{" + members + "}").also_sent) == 20_000


@pytest.mark.skipif(not TRANSCRIPTS, reason="the recorded transcripts are not beside the checkout")
def test_every_recorded_message_shows_all_that_it_holds() -> None:
    count = 0
    for file in TRANSCRIPTS:
        for line in file.read_text(encoding="utf-8").splitlines():
            root = parse(line)
            assert isinstance(root, Object)
            for value in root.items("messages") or ():
                found = Message.from_json(value)
                shown = KNOWN_WORDS.union(shown_of_message(found))
                # Pieces of one thought are joined, and a text sent twice is shown once.
                thoughts = "".join(
                    "".join(part.text.split())
                    for part in found.parts
                    if isinstance(part, Reasoning)
                )
                lost = set(filter(None, leaves(value))) - shown - _detail_indexes(value)
                assert {one for one in lost if "".join(one.split()) not in thoughts} == set()
                named = {found.role, found.id, found.name, found.tool_call_id, ""}
                assert found.is_empty is (not set(leaves(value)) - named)
                count += 1
    assert count > 2000


def _detail_indexes(value: Value) -> set[str]:
    """Return the indexes of details of reasoning, which their order says."""
    details = value.items("reasoning_details") if isinstance(value, Object) else None
    indexes = (item.get("index") for item in details or () if isinstance(item, Object))
    return {index.source for index in indexes if index is not None}


_PLAIN_NAMES = ["id", "role", "content", "name", "tool_call_id", "refusal", "audio", "tool_calls"]
_PLAIN_VALUES = ["", "assistant", "user", "tool", "<think>A</think>B", None]


@checked
@given(st.lists(st.tuples(st.sampled_from(_PLAIN_NAMES), st.sampled_from(_PLAIN_VALUES))))
def test_plain_messages_are_parsed_as_others_are(members: list[tuple[str, str | None]]) -> None:
    written = [f"{json.dumps(name)}:{json.dumps(value)}" for name, value in members]
    # A null of an unknown name says nothing, but a message with one is not plain.
    plain, other = (read(f"{{{','.join(some)}}}") for some in (written, [*written, '"x":null']))
    assert list(map(fields, plain.parts)) == list(map(fields, other.parts))
    assert also_sent(plain) == also_sent(other)
    assert list(map(fields, plain.calls)) == list(map(fields, other.calls))
    for name in ("id", "role", "name", "tool_call_id", "annotations", "results", "bare"):
        assert getattr(plain, name) == getattr(other, name)
    assert plain.has_only_input_keys == {name for name, _ in members}.issubset(INPUT_KEYS)
