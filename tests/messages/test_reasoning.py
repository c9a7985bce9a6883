"""Reasoning in all forms that servers send: joined if it was streamed, shown once if repeated."""

from __future__ import annotations

import json
from typing import Any

import pytest

from webapp.exact_json import parse
from webapp.messages import Message, Reasoning, RedactedReasoning, Unknown


def read(**members: Any) -> tuple[Any, ...]:
    return Message.from_json(parse(json.dumps({"role": "assistant", **members}))).parts


def thoughts(*parts: Any) -> list[tuple[str, str]]:
    return [(part.field, part.text) for part in parts if isinstance(part, Reasoning)]


def extras(part: Any) -> list[str]:
    return [f"{member.name.text}={member.value.source}" for member in part.extras]


def test_details_are_reasoning() -> None:
    text, encrypted, answer = read(
        content="A",
        reasoning_details=[
            {"type": "reasoning.text", "text": "long chain of **thought**", "index": 0},
            {"type": "reasoning.encrypted", "data": "gAAA", "index": 1},
        ],
    )
    assert (text.field, text.text) == ("reasoning_details", "long chain of **thought**")
    assert isinstance(encrypted, RedactedReasoning) and encrypted.data == "gAAA"
    assert answer.text == "A" and extras(text) == extras(encrypted) == []


def test_a_summary_and_thinking_blocks_are_reasoning() -> None:
    summary = {"type": "reasoning.summary", "summary": "In short."}
    blocks = [
        {"type": "thinking", "thinking": "First.", "signature": "c2ln"},
        {"type": "thinking", "thinking": "Second.", "signature": "c2lo"},
        {"type": "redacted_thinking", "data": "RW5j"},
    ]
    parts = read(reasoning_details=[summary], thinking_blocks=blocks)
    assert thoughts(*parts) == [
        ("reasoning_details reasoning.summary", "In short."),
        ("thinking_blocks", "First."),
        ("thinking_blocks", "Second."),
    ]
    assert extras(parts[1]) == ['signature="c2ln"']
    assert isinstance(parts[3], RedactedReasoning)


def test_streamed_details_are_one_thought() -> None:
    pieces = [
        {"type": "reasoning.text", "text": text, "index": 0, "format": "x-v1"}
        for text in ("Let", " me", " see.")
    ]
    signature = {"type": "reasoning.text", "signature": "c2ln", "index": 0, "format": "x-v1"}
    (part,) = read(reasoning_details=[*pieces, signature])
    assert part.text == "Let me see."
    assert extras(part) == ['format="x-v1"', 'signature="c2ln"']


def test_streamed_thinking_parts_are_one_thought() -> None:
    pieces = [
        {"type": "thinking", "thinking": [{"type": "text", "text": text}]}
        for text in ("Okay", ", so", " 4.")
    ]
    assert thoughts(*read(content=[*pieces, {"type": "text", "text": "4"}])) == [
        ("thinking", "Okay, so 4.")
    ]
    texts = [{"type": "text", "text": text} for text in ("Okay", ", so", " 4.")]
    assert thoughts(*read(content=[{"type": "thinking", "thinking": texts}])) == [
        ("thinking", "Okay, so 4.")
    ]


def test_signed_thoughts_stay_two() -> None:
    one = {"type": "thinking", "thinking": "One.", "signature": "c2ln"}
    two = {"type": "thinking", "thinking": "Two.", "signature": "c2lo"}
    assert [text for _, text in thoughts(*read(content=[one, two]))] == ["One.", "Two."]


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"reasoning": "same", "reasoning_content": "same"}, "reasoning, reasoning_content"),
        (
            {
                "reasoning": "same text",
                "reasoning_details": [{"type": "reasoning.text", "text": "same text\n"}],
            },
            "reasoning, reasoning_details",
        ),
        (
            {
                "reasoning_content": "same",
                "thinking_blocks": [{"type": "thinking", "thinking": "same"}],
            },
            "reasoning_content, thinking_blocks",
        ),
        (
            {"reasoning": "same", "reasoning_content": "same", "thinking": "same"},
            "reasoning, reasoning_content, thinking",
        ),
        (
            {
                "reasoning_content": "same",
                "provider_specific_fields": {
                    "citations": None,
                    "reasoning_content": "same",
                    "thinking_blocks": [{"type": "thinking", "thinking": "same"}],
                },
            },
            "reasoning_content, provider_specific_fields.reasoning_content, "
            "provider_specific_fields.thinking_blocks",
        ),
        ({"additional_kwargs": {"reasoning": "same"}}, "additional_kwargs.reasoning"),
        ({"model_extra": {"reasoning": "same"}}, "model_extra.reasoning"),
    ],
)
def test_a_text_in_several_fields_is_shown_once_with_all_names(
    members: dict[str, Any], field: str
) -> None:
    (part, _) = read(content="A", **members)
    assert part.field == field and part.text.startswith("same")


def test_a_repeated_text_loses_nothing_beside_it() -> None:
    details = [
        {"type": "reasoning.text", "text": "same", "signature": "c2ln", "id": "r-1"},
        {"type": "reasoning.encrypted", "data": "gAAA"},
    ]
    text, encrypted = read(reasoning="same", reasoning_details=details)
    assert extras(text) == ['signature="c2ln"', 'id="r-1"']
    assert isinstance(encrypted, RedactedReasoning)


@pytest.mark.parametrize("details", [5, "x", [5], [{"type": "new"}]])
def test_details_of_another_shape_are_kept(details: Any) -> None:
    (part,) = read(reasoning_details=details)
    assert isinstance(part, Unknown)


def test_what_is_beside_a_repeated_text_of_several_parts_is_shown_once() -> None:
    details = [
        {"type": "reasoning.text", "text": text, "index": at} for at, text in enumerate("ab")
    ]
    block = {"type": "thinking", "thinking": "a b", "signature": "c2ln"}

    first, second = read(reasoning_details=details, thinking_blocks=[block])

    assert (first.text, second.text) == ("a", "b")
    assert (extras(first), extras(second)) == (['signature="c2ln"'], [])


def test_different_texts_are_both_shown() -> None:
    assert thoughts(*read(reasoning="One.", reasoning_content="Two.")) == [
        ("reasoning", "One."),
        ("reasoning_content", "Two."),
    ]


@pytest.mark.parametrize("name", ["reasoning_summary", "thinking_content", "thought"])
def test_newer_names_of_reasoning_are_reasoning(name: str) -> None:
    assert thoughts(*read(content="A", **{name: "Hm"})) == [(name, "Hm")]


@pytest.mark.parametrize(
    ("value", "texts", "rest"),
    [
        pytest.param({"content": "Hm", "effort": "high"}, ["Hm"], ['effort="high"'], id="content"),
        pytest.param({"thinking": "Hm", "signature": "s"}, ["Hm"], ['signature="s"'], id="block"),
        pytest.param(
            {"summary": [{"type": "summary_text", "text": "Hm"}], "encrypted_content": "g"},
            ["Hm"],
            ['encrypted_content="g"'],
            id="summary and encrypted",
        ),
        pytest.param({"type": "reasoning.text", "text": "Hm"}, ["Hm"], [], id="one detail"),
        pytest.param([{"type": "text", "text": "H"}, {"type": "text", "text": "m"}], ["Hm"], []),
        pytest.param([{"text": "H"}, "m"], ["H", "m"], [], id="bare texts"),
    ],
)
@pytest.mark.parametrize("name", ["reasoning", "thoughts", "reasoning_details"])
def test_reasoning_in_objects_and_lists_is_reasoning(
    name: str, value: Any, texts: list[str], rest: list[str]
) -> None:
    *found, answer = read(content="A", **{name: value})
    assert thoughts(*found) == [(name, text) for text in texts]
    assert [one for part in found for one in extras(part)] == rest
    assert answer.text == "A"


@pytest.mark.parametrize("value", [{"effort": "high"}, True])
def test_reasoning_without_a_text_stays_what_it_is(value: Any) -> None:
    unknown, answer = read(content="A", reasoning=value)
    assert isinstance(unknown, Unknown) and unknown.label == "reasoning"
    assert answer.text == "A"


SUMMARY = [{"type": "summary_text", "text": f"**{name}** words."} for name in "AB"]


@pytest.mark.parametrize(
    "members",
    [
        {"content": [{"type": "reasoning", "summary": SUMMARY}]},
        {"reasoning": {"summary": SUMMARY}},
        {"reasoning": {"content": SUMMARY}},
        {"reasoning": {"summary": [one["text"] for one in SUMMARY]}},
        {"reasoning_summary": SUMMARY},
        {"reasoning_details": SUMMARY},
    ],
)
def test_the_texts_of_a_summary_are_paragraphs(members: dict[str, Any]) -> None:
    texts = [text for _, text in thoughts(*read(**members))]
    assert "\n\n".join(texts) == "**A** words.\n\n**B** words."


@pytest.mark.parametrize(
    ("part", "rest"),
    [
        # LangChain on Bedrock, and the AI SDK.
        ({"type": "reasoning_content", "reasoning_content": {"text": "Hm", "x": 1}}, ["x=1"]),
        ({"type": "reasoning", "details": [{"type": "text", "text": "Hm"}], "x": 1}, ["x=1"]),
    ],
)
def test_parts_of_frameworks_are_reasoning(part: Any, rest: list[str]) -> None:
    found, answer = read(content=[part, {"type": "text", "text": "A"}])
    assert thoughts(found) == [(part["type"], "Hm")]
    assert extras(found) == rest and answer.text == "A"
