"""Accumulating chunks into a completion, and splitting a stream into events."""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked, values
from tests.support.model_server import chunk, delta
from webapp.embedded.recording.sse import EventSplitter
from webapp.embedded.recording.stream_assembly import CompletionAccumulator
from webapp.exact_json import Object, parse

Json: TypeAlias = dict[str, Any]


def accumulate_text(*chunks: Json | str) -> str:
    accumulator = CompletionAccumulator()
    for one in chunks:
        value = parse(one if isinstance(one, str) else json.dumps(one))
        assert isinstance(value, Object)
        accumulator.feed(value)
    return accumulator.result()


def accumulate(*chunks: Json | str) -> Any:
    return json.loads(accumulate_text(*chunks))


def message(*deltas: Json) -> Any:
    """Return the message made of the deltas of one choice."""
    return accumulate(*(chunk(delta(**one)) for one in deltas))["choices"][0]["message"]


def test_strings_are_joined_and_null_does_not_replace_them() -> None:
    said: list[Json] = [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "Hel"},
        {"content": "lo"},
        {"content": None},
        {"content": "!"},
        {"role": "", "content": ""},
        {},
    ]

    assert message(*said) == {"role": "assistant", "content": "Hello!", "refusal": None}


def test_members_that_never_came_are_null() -> None:
    completion = accumulate(chunk(delta(role="assistant")), chunk(usage=None))

    assert completion["usage"] is None
    assert completion["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant"},
            "finish_reason": None,
            "logprobs": None,
        }
    ]


def test_tool_calls_are_joined_by_index_and_lose_it() -> None:
    calls = message(
        {"tool_calls": [_call(1, "call_b", "second", "")]},
        {"tool_calls": [_call(0, "call_a", "first", "")]},
        {"tool_calls": [{"index": 1, "function": {"arguments": '{"b"'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
        {"tool_calls": [{"index": 1, "id": None, "function": {"name": "", "arguments": ":1}"}}]},
    )["tool_calls"]

    assert calls == [
        {"id": "call_a", "type": "function", "function": {"name": "first", "arguments": "{}"}},
        {
            "id": "call_b",
            "type": "function",
            "function": {"name": "second", "arguments": '{"b":1}'},
        },
    ]


def test_a_name_that_is_repeated_with_every_piece_is_kept_once() -> None:
    pieces = [_call(0, "call_a", "look", text) for text in ('{"q":', "1}")]
    (call,) = message(*({"tool_calls": [piece]} for piece in pieces))["tool_calls"]

    assert call["id"] == "call_a"
    assert call["function"] == {"name": "look", "arguments": '{"q":1}'}


def test_calls_without_an_index_are_distinguished_by_id() -> None:
    def call(call_id: str | None, arguments: str) -> Json:
        function = {"name": "f", "arguments": arguments}
        return {"tool_calls": [{"id": call_id, "type": "function", "function": function}]}

    calls = message(call("a", "1"), call("b", "2"), call(None, "3"), call("a", "4"))["tool_calls"]

    assert [(one["id"], one["function"]["arguments"]) for one in calls] == [
        ("a", "14"),
        ("b", "23"),
    ]


def test_the_input_of_custom_calls_and_the_deprecated_call_are_joined() -> None:
    custom = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "sql", "input": "SEL"}}
    said = message(
        {"tool_calls": [custom], "function_call": {"name": "old", "arguments": "{"}},
        {"tool_calls": [{"index": 0, "custom": {"input": "ECT"}}]},
        {"function_call": {"arguments": "}"}},
    )

    assert said["tool_calls"][0]["custom"] == {"name": "sql", "input": "SELECT"}
    assert said["function_call"] == {"name": "old", "arguments": "{}"}


def test_spoken_answers_are_joined() -> None:
    audio = message(
        {"audio": {"id": "audio_1", "transcript": "Good "}},
        {"audio": {"data": "AAAA"}},
        {"audio": {"data": "BBBB", "transcript": "day"}},
        {"audio": {"expires_at": 1}},
        {"audio": {"expires_at": 2}},
    )["audio"]

    assert audio == {
        "id": "audio_1",
        "transcript": "Good day",
        "data": "AAAABBBB",
        "expires_at": 2,
    }


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content", "thinking", "content"])
def test_texts_in_objects_continue(name: str) -> None:
    given = message({name: {"type": "text", "text": "He"}}, {name: {"text": "llo", "n": 1}})

    assert given[name] == {"type": "text", "text": "Hello", "n": 1}


def test_sound_that_is_padded_piece_by_piece_is_padded_once() -> None:
    pieces = [{"audio": {"data": base64.b64encode(one).decode()}} for one in (b"a", b"bcd", b"ef")]

    assert base64.b64decode(message(*pieces)["audio"]["data"], validate=True) == b"abcdef"


def test_what_litellm_adds_is_joined() -> None:
    given = message(
        {"provider_specific_fields": {"citation": {"a": 1}, "thinking_blocks": [1]}},
        {"provider_specific_fields": {"citation": {"b": 2}, "thinking_blocks": [2]}},
    )

    assert given["provider_specific_fields"] == {
        "citation": [{"a": 1}, {"b": 2}],
        "thinking_blocks": [1, 2],
    }


def test_lists_are_extended_known_and_unknown() -> None:
    first = delta(annotations=[{"a": 1}], reasoning_details=[1])
    second = delta(annotations=[{"b": 2}], reasoning_details=[2])
    first["logprobs"] = {"content": [{"token": "x"}], "refusal": None}
    second["logprobs"] = {"content": [{"token": "y"}], "refusal": None}
    (choice,) = accumulate(chunk(first), chunk(second))["choices"]

    assert choice["message"] == {"annotations": [{"a": 1}, {"b": 2}], "reasoning_details": [1, 2]}
    assert choice["logprobs"] == {"content": [{"token": "x"}, {"token": "y"}], "refusal": None}


def test_text_before_after_and_between_parts_is_kept() -> None:
    parts = [{"type": "thinking", "thinking": "Hm"}]
    said = message({"content": "a"}, {"content": parts}, {"content": "b"}, {"content": "c"})

    assert said["content"] == ["a", *parts, "bc"]


def test_two_text_parts_of_one_chunk_are_two() -> None:
    parts = [{"type": "text", "text": text} for text in ("One.", "Two", ".", "Three.")]
    given = message({"content": parts[:2]}, {"content": [parts[2]]}, {"content": [parts[3]]})

    assert [part["text"] for part in given["content"]] == ["One.", "Two.Three."]


@pytest.mark.parametrize(
    ("pieces", "joined"),
    [
        ([{"text": "Hel"}, {"text": "lo"}], [{"text": "Hello"}]),
        ([{"text": "a", "index": 0}, {"text": "b", "index": 0}], [{"text": "ab", "index": 0}]),
        ([{"text": "a", "index": 0}, {"text": "b", "index": 1}], None),
        ([{"text": "a"}, {"text": "b", "citations": [1]}], None),
    ],
)
def test_text_parts_that_differ_in_their_text_alone_continue_each_other(
    pieces: list[Json], joined: list[Json] | None
) -> None:
    pieces = [{"type": "text"} | one for one in pieces]
    expected = pieces if joined is None else [{"type": "text"} | one for one in joined]

    assert message(*({"content": [one]} for one in pieces))["content"] == expected


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["Hel", "Hello wor", "Hello world.", "Hello world."], "Hello world."),
        (["", "A", "A cat", "A cat sat down"], "A cat sat down"),
        (["ha", "haha", "hahaha"], "hahahahahaha"),
        (["-", "--", "-" * 12], None),
        (["ha", "haha", "hahahahahaha"], None),
        (["A cat", "A cat sat down"], "A catA cat sat down"),
        (["So ", "So it is, ", "So it is, I say, ", "friend"], None),
    ],
)
def test_the_last_of_texts_that_repeat_all_before_is_the_text(
    pieces: list[str], text: str | None
) -> None:
    said = message(*({"content": one} for one in pieces))

    assert said["content"] == ("".join(pieces) if text is None else text)


@pytest.mark.parametrize(
    ("reasons", "kept"),
    [
        (["tool_calls", "stop"], "tool_calls"),
        (["length", "stop"], "length"),
        (["stop", "content_filter"], "content_filter"),
        (["stop", "null"], "stop"),
        (["null"], None),
    ],
)
def test_of_two_finish_reasons_the_one_that_says_more_counts(
    reasons: list[str], kept: str | None
) -> None:
    (choice,) = accumulate(*(chunk(delta(finish_reason=one)) for one in reasons))["choices"]

    assert choice["finish_reason"] == kept


def test_unknown_strings_continue_and_the_last_of_other_things_counts() -> None:
    said = message(
        {"reasoning": "I ", "reasoning_content": "we", "score": 1, "extra": {"a": 1}},
        {"reasoning": "think", "reasoning_content": "igh", "score": 0, "extra": {"b": 2}},
    )

    assert said == {
        "reasoning": "I think",
        "reasoning_content": "weigh",
        "score": 0,
        "extra": {"b": 2},
    }


def test_of_the_completions_own_members_the_last_that_is_not_empty_counts() -> None:
    first = {"id": "", "model": "", "created": 0, "choices": [], "prompt_filter_results": [1]}
    completion = accumulate(
        first | {"obfuscation": "xyz"},
        chunk(delta(content="a"), usage=None, obfuscation="q"),
        chunk(usage={"total_tokens": 3}, system_fingerprint=None),
    )

    assert completion["object"] == "chat.completion"
    assert (completion["id"], completion["created"]) == ("chatcmpl-1", 1_758_039_103)
    assert completion["usage"] == {"total_tokens": 3}
    assert completion["prompt_filter_results"] == [1]
    assert "obfuscation" not in completion


def test_choices_are_accumulated_apart_and_end_one_by_one() -> None:
    accumulator = CompletionAccumulator()
    for one in (
        chunk(delta(1, content="b"), delta(0, content="a")),
        chunk(delta(1, "length", content="B")),
    ):
        value = parse(json.dumps(one))
        assert isinstance(value, Object)
        accumulator.feed(value)

    assert not accumulator.is_finished
    choices = json.loads(accumulator.result())["choices"]
    assert [(one["index"], one["message"]["content"]) for one in choices] == [(0, "a"), (1, "bB")]
    assert [one["finish_reason"] for one in choices] == [None, "length"]


def test_a_message_without_words_does_not_replace_the_calls_before_it() -> None:
    call = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "assistant", "content": ""},
    ]

    [choice] = accumulate(*(chunk({"index": 0, "message": one}) for one in messages))["choices"]

    assert choice["message"]["tool_calls"] == [call]


def test_lexemes_and_escapes_stay_as_they_came() -> None:
    text = accumulate_text(
        '{"created":1.0e3,"choices":[{"index":0,"delta":{"content":"\\u0041\\/","n":1.50},"p":-0}]}',
        '{"choices":[{"index":0,"delta":{"content":"\u00e9"}}],"usage":{"t":18446744073709551615}}',
    )

    assert '"content":"\\u0041\\/\u00e9"' in text
    for lexeme in ('"created":1.0e3', '"n":1.50', '"p":-0', '"t":18446744073709551615'):
        assert lexeme in text


def test_halves_of_a_surrogate_pair_are_joined() -> None:
    pieces = (
        rf'{{"choices":[{{"delta":{{"content":"{half}"}}}}]}}' for half in ("\\ud83d", "\\ude00")
    )

    assert accumulate(*pieces)["choices"][0]["message"]["content"] == "\U0001f600"


def _call(index: int, call_id: str, name: str, arguments: str) -> Json:
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": call_id, "type": "function", "function": function}


# Any completion, split in any way.

_texts = st.text(max_size=12)
_names = st.text("abc", min_size=1, max_size=4)
_STRINGS = ("content", "refusal", "reasoning_content", "unknown")


@st.composite
def _cuts(draw: st.DrawFn, whole: Any) -> list[Any]:
    """Draw one to four pieces of a string, list or bytes; some may be empty."""
    places = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=3)))
    return [whole[start:end] for start, end in pairwise([0, *places, len(whole)])]


def _written(draw: st.DrawFn, one: Json) -> str:
    return json.dumps(one, ensure_ascii=draw(st.booleans()))


@st.composite
def _choices(draw: st.DrawFn, index: int) -> tuple[Json, list[list[Json]]]:
    """Draw a choice and queues of its pieces; each queue must stay in order."""
    message: Json = {"role": "assistant"}
    queues = [[delta(index, role="assistant")]]
    for name in draw(st.sets(st.sampled_from(_STRINGS))):
        message[name] = draw(_texts)
        queues.append([delta(index, **{name: piece}) for piece in draw(_cuts(message[name]))])
    if notes := draw(st.lists(st.fixed_dictionaries({"n": values}), max_size=4)):
        message["annotations"] = notes
        queues.append([delta(index, annotations=piece) for piece in draw(_cuts(notes))])
    if sound := draw(st.binary(max_size=9)):
        message["audio"] = {"id": "audio_1", "data": base64.b64encode(sound).decode()}
        queues.append(_sound(draw, index, sound))
    # What follows arguments whose braces are closed is another call.
    arguments = _texts.filter(lambda text: "{" not in text and "[" not in text)
    calls = draw(st.lists(st.tuples(_names, arguments, st.sampled_from(["function", "custom"]))))
    for at, (name, text, kind) in enumerate(calls[:3]):
        text_name = "arguments" if kind == "function" else "input"
        call = {"id": f"call_{at}", "type": kind, kind: {"name": name, text_name: text}}
        message.setdefault("tool_calls", []).append(call)
        first = call | {"index": at, kind: {"name": name}}
        more = [{"index": at, kind: {text_name: piece}} for piece in draw(_cuts(text))]
        queues.append([delta(index, tool_calls=[one]) for one in (first, *more)])
    reason = draw(st.sampled_from(["stop", "length", "tool_calls"]))
    queues.append([delta(index, reason)])
    whole = {"index": index, "message": message, "finish_reason": reason, "logprobs": None}
    return whole, queues


def _sound(draw: st.DrawFn, index: int, sound: bytes) -> list[Json]:
    """Split sound between characters, or between bytes with padding in each piece."""
    encoded = base64.b64encode(sound).decode()
    pieces = draw(_cuts(encoded))
    if draw(st.booleans()):
        pieces = [base64.b64encode(piece).decode() for piece in draw(_cuts(sound))]
    return [
        delta(index, audio={"id": "audio_1"}),
        *(delta(index, audio={"data": piece}) for piece in pieces),
    ]


@st.composite
def _streams(draw: st.DrawFn) -> tuple[list[Json], list[str]]:
    """Draw the choices of a completion, and the chunks of a stream that yields them."""
    drawn = [draw(_choices(index)) for index in range(draw(st.integers(1, 3)))]
    queues = [list(queue) for _, own in drawn for queue in own]
    turns = draw(st.permutations([at for at, queue in enumerate(queues) for _ in queue]))
    chunks = [_written(draw, chunk(queues[at].pop(0))) for at in turns]
    return [whole for whole, _ in drawn], chunks


@given(_streams())
@checked
def test_a_completion_is_the_same_however_it_is_split(
    stream: tuple[list[Json], list[str]],
) -> None:
    choices, chunks = stream
    assert accumulate(*chunks)["choices"] == choices


@given(st.lists(values, max_size=6))
@checked
def test_no_chunk_however_odd_stops_the_accumulator(deltas: list[Any]) -> None:
    odd = ({"choices": [{"index": 0, "delta": {"content": one, "x": one}}, one]} for one in deltas)
    whole = accumulate(*odd, *({"choices": one} for one in deltas), chunk(delta(content="")))

    assert whole["id"] == "chatcmpl-1"


# Events.


@given(
    st.lists(
        st.sampled_from([b"data: 1", b"data:", b": comment", b"event: x", b"data: a\xff", b""])
    ),
    st.lists(st.sampled_from([b"\n", b"\r\n", b"\r"]), min_size=1),
    st.data(),
)
@checked
def test_events_are_the_bytes_of_their_stream(
    lines: list[bytes], ends: list[bytes], data: st.DataObject
) -> None:
    sent = b"".join(line + ends[at % len(ends)] for at, line in enumerate(lines))
    splitter = EventSplitter()
    pieces = data.draw(_cuts(sent))
    events = [event for piece in pieces for event in splitter.feed(piece)]
    rest = splitter.flush()

    assert b"".join(one.raw for one in [*events, *([rest] if rest else [])]) == sent


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_events_end_at_blank_lines_of_any_kind(end: bytes, step: int) -> None:
    sent = end.join([b"event: a", b"data: 1", b"data:2", b"", b": hi", b"", b"data: 3", b"", b""])
    splitter = EventSplitter()
    cuts = (sent[at : at + step] for at in range(0, len(sent), step))
    events = [event for piece in cuts for event in splitter.feed(piece)]
    rest = splitter.flush()

    data = [one.data for one in [*events, *([rest] if rest else [])]]
    assert [one for one in data if one] == [b"1\n2", b"3"]


def test_an_event_without_end_is_cut_and_not_gathered() -> None:
    splitter = EventSplitter(max_bytes=10)
    events = [event for _ in range(5) for event in splitter.feed(b"data: 12")]

    assert [len(one.raw) for one in events] == [16, 16]
