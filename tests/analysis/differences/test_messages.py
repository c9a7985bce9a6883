"""Messages that differ, and the alignment of two transcripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked
from webapp.analysis.differences import (
    Fingerprint,
    align_messages,
    compare_choices,
    compare_messages,
    compare_settings,
)
from webapp.completions import Completion
from webapp.exact_json import parse
from webapp.messages import Message


def message(role: str, content: Any = None, **more: Any) -> Message:
    return Message.from_json(parse(json.dumps({"role": role, "content": content, **more})))


def call(name: str, arguments: Any, call_id: str = "call_1") -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": call_id, "type": "function", "function": function}


def completion(**members: Any) -> Completion:
    return Completion.from_json(parse(json.dumps(members)))


def places(a: Message, b: Message, *, is_exact: bool = False) -> list[str]:
    return [f"{one.kind} {one.place}" for one in compare_messages(a, b, is_exact=is_exact)]


def states(a: Sequence[Message], b: Sequence[Message], *, is_exact: bool = False) -> str:
    """The rows of two transcripts, a character each: = equal, ~ changed, - removed, + added."""
    signs = {"equal": "=", "changed": "~", "removed": "-", "added": "+"}
    a_prints, b_prints = ([Fingerprint.of(one) for one in side] for side in (a, b))
    rows = align_messages(a_prints, b_prints, is_exact=is_exact)
    return "".join(signs[row.state] for row in rows)


def test_ids_of_messages_and_calls_and_the_form_of_content_are_no_difference() -> None:
    a = [
        message("user", "Book it.", id="chatcmpl-1-0"),
        message("assistant", None, tool_calls=[call("book", {"seat": 3}, "call_a")], refusal=None),
        message("tool", "booked", tool_call_id="call_a"),
    ]
    b = [
        message("user", [{"type": "text", "text": "Book it."}], id="chatcmpl-2-0"),
        message("assistant", None, tool_calls=[call("book", {"seat": 3}, "call_b")]),
        message("tool", "booked", tool_call_id="call_b"),
    ]

    assert states(a, b) == "==="
    assert states(a, b, is_exact=True) == "~~~"
    assert places(a[1], b[1], is_exact=True) == ["removed refusal", "changed tool_calls[0].id"]
    assert states(a[:1], [message("user", "Book it.", id="x")], is_exact=True) == "="


def test_messages_are_aligned_by_what_they_say_and_then_by_role() -> None:
    head = [message("system", "Be brief."), message("user", "Hello")]
    answer = message("assistant", "Good day.")
    more = [message("user", "And now?"), message("assistant", "Now it rains.")]

    assert states([*head, answer], [*head, answer, *more]) == "===++"
    assert states([*head, answer], [*head, message("assistant", "Good night.")]) == "==~"
    assert states([*head, answer], [head[1], answer]) == "-=="
    assert states([*head, answer], [*head, message("tool", "x"), message("user", "y")]) == "==-++"
    assert states([], head) == "++"
    assert states(head, [message("developer", "Be brief."), message("user", "Hi")]) == "~~"


@given(*[st.lists(st.tuples(st.sampled_from("ua"), st.integers(0, 3)))] * 2)
@checked
def test_every_message_is_in_one_row_and_in_order(
    a: list[tuple[str, int]], b: list[tuple[str, int]]
) -> None:
    sides = [
        [Fingerprint(b"", f"{role}{one}".encode(), role, bytes([one])) for role, one in side]
        for side in (a, b)
    ]
    rows = align_messages(sides[0], sides[1])

    assert [row.a for row in rows if row.a is not None] == list(range(len(a)))
    assert [row.b for row in rows if row.b is not None] == list(range(len(b)))
    for row in rows:
        is_pair = row.a is not None and row.b is not None
        assert is_pair == (row.state in ("equal", "changed"))
        if row.a is not None and row.b is not None:
            assert a[row.a][0] == b[row.b][0] or a[row.a][1] == b[row.b][1]
            assert (row.state == "equal") == (a[row.a] == b[row.b])


def test_arguments_differ_key_by_key_and_texts_word_by_word() -> None:
    a = message("assistant", "I book seat 3.", tool_calls=[call("book", {"seat": 3, "row": "a"})])
    b = message("assistant", "I book seat 4.", tool_calls=[call("book", {"seat": 4, "way": [1]})])
    found = compare_messages(a, b)

    assert [(one.kind, one.place) for one in found] == [
        ("changed", "content"),
        ("removed", "tool_calls[0].function.arguments › row"),
        ("changed", "tool_calls[0].function.arguments › seat"),
        ("added", "tool_calls[0].function.arguments › way"),
    ]
    assert found[0].text is not None
    edits = [(one.before, one.after) for one in found[0].text.edits if not one.is_equal]
    assert edits == [("3", "4")]


def test_arguments_that_differ_in_white_space_or_are_no_json_differ_as_texts() -> None:
    sides = []
    for written in ('{"seat":3}', '{"seat": 3}', '{"seat": 3'):
        one = call("book", {})
        one["function"]["arguments"] = written
        sides.append(message("assistant", None, tool_calls=[one]))

    assert states(sides[:1], sides[1:2]) == "~"
    for other in sides[1:]:
        (found,) = compare_messages(sides[0], other)
        assert (found.place, found.text is not None) == ("tool_calls[0].function.arguments", True)


def test_settings_are_grouped_and_ids_messages_and_times_are_left_out() -> None:
    tool = {"type": "function", "function": {"name": "book", "parameters": {"type": "object"}}}
    other = {"type": "function", "function": {"name": "book", "strict": True}}
    usage = {"total_tokens": 10, "completion_tokens": 3}
    a = completion(id="1", created=1, choices=[], tools=[tool], temperature=1, seed=None, model="m")
    b = completion(id="2", created=2, tools=[other], temperature=0.2, usage=usage, model="m")
    found = compare_settings(a, b)

    assert {group: [one.place for one in inner] for group, inner in found.items()} == {
        "Settings": ["temperature"],
        "Tools": ["tools[0].function.parameters", "tools[0].function.strict"],
        "Usage": ["usage"],
    }
    assert "seed" in [one.place for one in compare_settings(a, b, is_exact=True)["Settings"]]


def test_only_the_ids_of_calls_are_no_content() -> None:
    a, b = (completion(metadata={"tool_call_id": one}, choices=[]) for one in "xy")
    assert [one.place for one in compare_settings(a, b)["Metadata"]] == ["metadata.tool_call_id"]


def test_choices_differ_in_their_reason() -> None:
    logprobs = {"content": [{"token": "a", "logprob": -1}]}
    one, other = completion(
        choices=[
            {"index": 0, "message": {"role": "assistant"}, "finish_reason": "stop"},
            {"index": 1, "message": {}, "finish_reason": "length", "logprobs": logprobs},
        ]
    ).choices

    assert [found.place for found in compare_choices(one, other)] == ["finish_reason"]
