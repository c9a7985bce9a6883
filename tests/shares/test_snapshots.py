"""The members of a transcript that a share contains."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from tests.shares.sharing import COMPLETION, MESSAGES, OWN_ID, SECRET, publish, snapshot
from webapp.messages.parsing import PART_TYPES
from webapp.messages.reasoning import DETAIL_TYPES
from webapp.shares import ShareChoices, find_new, write_text

EVERYTHING = ShareChoices(calls=True, system=True, settings=True)


def test_calls_settings_and_instructions_stay_out_unless_they_are_chosen() -> None:
    made = snapshot()
    document = json.loads(made.text)

    assert [one["role"] for one in document["messages"]] == ["user", "user"]
    assert set(document) == {"id", "object", "created", "model", "messages", "choices"}
    assert made.omitted == (
        "tool calls and results; system and developer messages; metadata and settings; "
        "1 secret or personal detail masked"
    )
    assert made.title.startswith("The password: [masked: ")


def test_everything_is_shared_when_it_is_chosen() -> None:
    document = json.loads(snapshot(EVERYTHING).text)

    assert len(document["messages"]) == len(MESSAGES)
    assert document["metadata"] == COMPLETION["metadata"]
    assert document["tools"] == COMPLETION["tools"]


@pytest.mark.parametrize(
    ("choices", "roles"),
    [
        (ShareChoices(), ["assistant"]),
        (ShareChoices(calls=True), ["tool", "assistant"]),
        (ShareChoices(answer=False), None),
    ],
)
def test_an_answer_in_messages_is_shared_as_others_are(
    choices: ShareChoices, roles: list[str] | None
) -> None:
    said = [{"role": "tool", "content": "{}"}, {"role": "assistant", "content": "Hello"}]
    document = json.loads(snapshot(choices, completion={"choices": [{"messages": said}]}).text)

    shared = [[one["role"] for one in choice["messages"]] for choice in document.get("choices", [])]
    assert shared == ([] if roles is None else [roles])


@pytest.mark.parametrize("choices", [ShareChoices(), EVERYTHING])
def test_the_ids_of_the_original_are_never_shared(choices: ShareChoices) -> None:
    completion = {**COMPLETION, "request_id": "req_original", "original_id": "orig-1"}
    messages = [{**one, "id": f"{OWN_ID}-{at}"} for at, one in enumerate(MESSAGES)]

    text = snapshot(choices, completion=completion, messages=messages).text

    assert OWN_ID not in text
    assert "req_original" not in text
    assert "orig-1" not in text


def test_a_secret_is_masked_everywhere_also_if_its_name_is_left_out() -> None:
    made = snapshot(ShareChoices(first=5))

    assert SECRET not in made.text
    assert json.loads(made.text)["messages"] == [
        {"role": "user", "content": "And [masked: password]?"}
    ]
    assert "4 of 5 messages" in made.omitted
    assert [one.path for one in made.findings] == ["/messages/0/content"]


def test_a_finding_can_be_kept_and_a_word_of_ones_own_masked() -> None:
    first = snapshot(words=("harbour",))
    (finding,) = [one for one in first.findings if one.text == SECRET]
    kept = snapshot(
        ShareChoices(keep=(finding.id,), key=first.choices.key, system=True), words=("harbour",)
    )

    assert "harbour" not in kept.text
    assert SECRET in kept.text
    assert not find_new(kept.text, kept.choices)
    assert SECRET in [one.text for one in find_new(kept.text, ShareChoices(key=kept.choices.key))]


def test_the_number_of_tokens_shows_no_length_of_a_secret() -> None:
    def share(length: int) -> Any:
        pieces = ["", "I", " am", " sk-proj-", *("Ab3", "dEf", "6hI", "j9k") * length, ".", ""]
        tokens = [{"token": one, "bytes": list(one.encode())} for one in pieces]
        answer = {"logprobs": {"content": tokens, "refusal": None}}
        return json.loads(snapshot(EVERYTHING, completion={"choices": [answer]}).text)

    (shared,) = share(4)["choices"]

    assert share(9)["choices"] == [shared]
    assert [one["token"] for one in shared["logprobs"]["content"]] == [
        *("", "I", " am", " [masked: api-key]", ".", "")
    ]


@pytest.mark.parametrize(
    "message",
    [
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "name": "f", "input": {"a": "CALL"}}],
        },
        {"role": "user", "content": [{"type": "tool_result", "content": "CALL"}]},
        {"role": "assistant", "content": [{"functionCall": {"args": {"a": "CALL"}}}, "said"]},
        {"role": "assistant", "parts": [{"toolUse": {"input": {"a": "CALL"}}}, {"text": "said"}]},
        {"role": "tool", "content": [{"toolResult": {"content": [{"text": "CALL"}]}}]},
        {
            "role": "assistant",
            "content": "said",
            "function_call": {"name": "f", "arguments": "CALL"},
        },
        {"role": "assistant", "content": "said", "somebodys_own_calls": [{"x": "CALL"}]},
        {"role": "assistant", "content": [{"type": "of_tomorrow", "x": "CALL"}, "said"]},
        {"role": "function", "name": "f", "content": "CALL"},
    ],
)
def test_calls_stay_out_in_whatever_form_they_come(message: Any) -> None:
    made = snapshot(messages=[{"role": "user", "content": "Hello"}, message])

    assert "CALL" not in made.text
    assert ("said" in made.text) is ("said" in json.dumps(message))


def test_every_kind_of_part_that_pages_show_is_shared_without_the_calls() -> None:
    parts = [{"type": kind, "text": "shown"} for kind in sorted(PART_TYPES)]
    details = [{"type": kind, "text": "thought"} for kind in sorted(DETAIL_TYPES)]
    message = {"role": "user", "content": parts, "reasoning_details": details}

    made = snapshot(messages=[message])

    assert json.loads(made.text)["messages"] == [message]
    assert "call" not in made.omitted and "unknown" not in made.omitted


def test_only_listed_members_of_messages_are_shared_with_the_calls() -> None:
    listed = {
        "role": "assistant",
        "content": "said",
        "refusal": "no",
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f"}}],
        "context": {"citations": [{"title": "A"}]},
    }
    result = {"role": "tool", "tool_call_id": "c1", "content": [{"type": "of_tomorrow"}]}
    messages = [{**listed, "internal_note": "do not tell"}, result, "a text"]
    answer = {"message": {**listed, "internal_note": "do not tell"}}

    made = snapshot(ShareChoices(calls=True), completion={"choices": [answer]}, messages=messages)

    document = json.loads(made.text)
    assert document["messages"] == [listed, result, "a text"]
    assert document["choices"] == [{"message": listed}]


@pytest.mark.parametrize("role", ["System", "DEVELOPER", " system", "Tool", "Function"])
def test_a_role_is_left_out_whatever_its_case(role: str) -> None:
    made = snapshot(messages=[{"role": role, "content": "kept to itself"}])

    assert "kept to itself" not in made.text


def test_parts_of_unknown_kinds_stay_out_and_are_no_calls() -> None:
    text = {"type": "text", "text": "Look."}
    unknown = [{"type": "hologram", "data": "x"}, {"hologram": {"name": "look_up"}}, 7]
    called = {"type": "tool_use", "id": "c1", "name": "look_up", "input": {}}
    completion = {"id": "c", "choices": []}

    def share(*content: object) -> Any:
        messages = [{"role": "assistant", "content": content}]
        return snapshot(completion=completion, messages=messages)

    made = share(text, *unknown)

    assert json.loads(made.text)["messages"] == [{"role": "assistant", "content": [text]}]
    assert made.omitted == "3 parts of unknown kinds"
    made = share(text, *unknown, called)
    assert made.omitted.startswith("tool calls and results; 3 parts of unknown kinds")


@pytest.mark.parametrize(
    "answer",
    [
        {"delta": {"role": "assistant", "content": f"Word {SECRET}"}},
        {"message": None, "delta": {"content": f"Word {SECRET}"}},
        {"text": f"Word {SECRET}"},
    ],
)
def test_an_answer_in_another_member_is_shared_and_masked(answer: dict[str, Any]) -> None:
    made = snapshot(completion={**COMPLETION, "choices": [answer]})

    text = write_text(made.document, 0)
    assert text is not None
    assert "Word [masked: " in text
    assert SECRET not in text


def test_the_answer_can_be_left_out() -> None:
    made = snapshot(ShareChoices(answer=False, last=2))

    assert json.loads(made.text)["choices"] == []
    assert "the answer" in made.omitted


def test_a_secret_in_two_messages_is_in_no_page_and_no_export_of_a_share(app: Flask) -> None:
    first, second = "ghp" + "_Ab3dEf6hIj9k", "Lm2nOp5qRs8tUv1wXy4zAb12"
    texts = ("The token begins", f"so: {first}", f"{second} is its end", "Salt=Pan-77 and then")
    messages = [{"role": "user", "content": text} for text in texts]
    messages += [{"role": "user", "content": f"login: ann / password: 'Salt=Pan-77'. {'x ' * 9}"}]
    messages += [
        {"role": "user", "content": "in the mail: Salt=3DPan-=\n77, backwards 77-naP=tlaS"}
    ]

    for chosen in (ShareChoices(), ShareChoices(first=2, last=2), ShareChoices(first=3)):
        _, token = publish(app, snapshot(chosen, messages=messages))
        client = app.test_client()
        for path in (
            "",
            "/json",
            "/json?messages=1",
            "/export.md",
            "/export.html",
            "/export.jsonl",
        ):
            shown = client.get(f"/s/{token}/completions/shared{path}").get_data(as_text=True)
            left = [one for one in (first[4:], second, "Pan-", "naP") if one in shown]
            assert left == [], path


def test_nothing_of_what_is_left_out_is_in_a_snapshot() -> None:
    numbers = iter(range(1000))

    def mark() -> str:
        return f"left-out-{next(numbers)}"

    messages: list[Any] = [
        {"role": "user", "content": f"first {mark()}", "name": mark()},
        {"role": "system", "content": mark()},
        {"role": "user", "content": "shared"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "shared"},
                {"type": "tool_use", "id": mark(), "name": mark(), "input": {mark(): mark()}},
                {"type": "unheard_of", "text": mark()},
            ],
            "tool_calls": [{"id": mark(), "function": {"name": mark(), "arguments": mark()}}],
            "function_call": {"name": mark(), "arguments": mark()},
            mark(): mark(),
        },
        {"role": "developer", "content": mark()},
        {"role": "tool", "tool_call_id": mark(), "name": mark(), "content": mark()},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": mark(), "content": mark()},
                {"type": "function_call_output", "call_id": mark(), "output": mark()},
                {"type": "text", "text": "shared"},
            ],
        },
        {"role": "user", "content": mark()},
    ]
    for message in messages:
        message["id"] = mark()
    completion = {
        "id": mark(),
        "metadata": {mark(): mark()},
        "user": mark(),
        "instructions": mark(),
        "tools": [{"type": "function", "function": {"name": mark(), "description": mark()}}],
        "choices": [{"index": 0, "message": {"role": "assistant", "content": mark()}}],
        mark(): mark(),
    }

    made = snapshot(
        ShareChoices(first=3, last=7, answer=False), completion=completion, messages=messages
    )
    assert made.text.count("shared") >= 3
    assert "left-out" not in made.text + made.title + made.omitted
