"""Tool calls are told apart in a stream, whatever their server numbers them by."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

import pytest

from webapp.embedded.recording.stream_assembly import CompletionAccumulator
from webapp.exact_json import Object, parse

Json: TypeAlias = dict[str, Any]
OSLO, UTC = '{"city":"Oslo"}', '{"tz":"UTC"}'


def piece(
    call_id: str | None = None,
    name: str | None = None,
    arguments: str | None = None,
    index: int | None = 0,
) -> Json:
    function = {"name": name, "arguments": arguments}
    said = {"index": index, "id": call_id, "type": "function", "function": function}
    said["function"] = {key: value for key, value in function.items() if value is not None}
    return {key: value for key, value in said.items() if value is not None}


def named(name: str, arguments: str | None = None) -> Json:
    """Return a further piece of a call, with a piece of its name."""
    function = {"name": name} | ({} if arguments is None else {"arguments": arguments})
    return {"index": 0, "function": function}


def assemble(*chunks: list[Json] | Json) -> list[tuple[str, str, str]]:
    """Return id, name and arguments of each call in a stream of these pieces, a list a chunk."""
    completion = CompletionAccumulator()
    for pieces in chunks:
        choice = {"index": 0, "delta": {"tool_calls": pieces}}
        chunk = parse(json.dumps({"choices": [choice]}))
        assert isinstance(chunk, Object)
        completion.feed(chunk)
    [choice] = json.loads(completion.result())["choices"]
    return [
        (call.get("id", ""), call["function"].get("name", ""), call["function"]["arguments"])
        for call in choice["message"]["tool_calls"]
    ]


APART: dict[str, tuple[list[list[Json]], list[tuple[str, str, str]]]] = {
    "new ids": (
        [[piece("c1", "weather", OSLO)], [piece("c2", "time", UTC)]],
        [("c1", "weather", OSLO), ("c2", "time", UTC)],
    ),
    "new ids and equal names": (
        [[piece("c1", "weather", OSLO)], [piece("c2", "weather", OSLO)]],
        [("c1", "weather", OSLO), ("c2", "weather", OSLO)],
    ),
    "empty ids and new names": (
        [[piece("", "weather", OSLO)], [piece("", "time", UTC)]],
        [("", "weather", OSLO), ("", "time", UTC)],
    ),
    "empty ids and equal names": (
        [[piece("", "weather", OSLO)], [piece("", "weather", OSLO)]],
        [("", "weather", OSLO), ("", "weather", OSLO)],
    ),
    "no ids, names once": (
        [[piece(None, "weather", OSLO)], [piece(None, None, UTC)]],
        [("", "weather", OSLO), ("", "", UTC)],
    ),
    "closed braces that are no JSON, and a new id": (
        [[piece("c1", "weather", "{000}")], [piece("c2", "weather", OSLO)]],
        [("c1", "weather", "{000}"), ("c2", "weather", OSLO)],
    ),
    "closed braces that are no JSON, and the name again": (
        [[piece("", "weather", "{000}")], [piece("", "weather", OSLO)]],
        [("", "weather", "{000}"), ("", "weather", OSLO)],
    ),
    "both in one chunk": (
        [[piece("c1", "weather", OSLO), piece("c2", "time", UTC)]],
        [("c1", "weather", OSLO), ("c2", "time", UTC)],
    ),
    "both in one chunk, empty ids, equal names, no arguments yet": (
        [[piece("", "weather", ""), piece("", "weather", "")]],
        [("", "weather", ""), ("", "weather", "")],
    ),
    "one id for all, new names": (
        [[piece("c", "weather", OSLO)], [piece("c", "time", UTC)]],
        [("c", "weather", OSLO), ("c", "time", UTC)],
    ),
    "arguments in pieces, each call after the other": (
        [
            [piece("c1", "weather", "")],
            [piece(None, None, '{"city":')],
            [piece(None, None, '"}{ \\" Oslo"}')],
            [piece("c2", "time", "")],
            [piece(None, None, UTC[:5])],
            [piece(None, None, UTC[5:])],
        ],
        [("c1", "weather", '{"city":"}{ \\" Oslo"}'), ("c2", "time", UTC)],
    ),
    "pieces of two calls in turn": (
        [
            [piece("c1", "weather", OSLO[:4])],
            [piece("c2", "time", UTC[:4])],
            [piece("c1", None, OSLO[4:])],
            [piece("c2", None, UTC[4:])],
        ],
        [("c1", "weather", OSLO), ("c2", "time", UTC)],
    ),
    "names alone, in one chunk": (
        [[named("weather", ""), named("time", "")]],
        [("", "weather", ""), ("", "time", "")],
    ),
    "a new name after arguments, without ids": (
        [[named("weather", OSLO[:4])], [named("time", UTC)]],
        [("", "weather", OSLO[:4]), ("", "time", UTC)],
    ),
    "indexes that are texts": (
        [
            [piece("c1", "weather", OSLO[:4]) | {"index": "0"}],
            [piece("c2", "time", UTC[:4]) | {"index": "1"}],
            [piece(None, None, OSLO[4:]) | {"index": "0"}],
            [piece(None, None, UTC[4:]) | {"index": "1"}],
        ],
        [("c1", "weather", OSLO), ("c2", "time", UTC)],
    ),
    "indexes with a fraction": (
        [
            [piece("c1", "weather", OSLO[:4]) | {"index": 0.0}],
            [piece("c2", "time", UTC) | {"index": 1.0}],
            [piece(None, None, OSLO[4:]) | {"index": 0.0}],
        ],
        [("c1", "weather", OSLO), ("c2", "time", UTC)],
    ),
    "calls without arguments, and then others": (
        [[piece("c1", "weather", "{}")], [piece("c2", "time", "{}")]],
        [("c1", "weather", "{}"), ("c2", "time", "{}")],
    ),
    "without an index": (
        [[piece("", "weather", OSLO, None)], [piece("", "time", UTC, None)]],
        [("", "weather", OSLO), ("", "time", UTC)],
    ),
}

TOGETHER: dict[str, tuple[list[list[Json]], list[tuple[str, str, str]]]] = {
    "id and name in every piece": (
        [[piece("c1", "weather", OSLO[:6])], [piece("c1", "weather", OSLO[6:])]],
        [("c1", "weather", OSLO)],
    ),
    "the name in every piece, without ids": (
        [[piece(None, "weather", at)] for at in ("", OSLO[:6], OSLO[6:], "")],
        [("", "weather", OSLO)],
    ),
    "empty pieces and white space after the end": (
        [[piece("c1", "weather", OSLO)], [piece(None, None, "")], [piece("", "", " \n")]],
        [("c1", "weather", OSLO + " \n")],
    ),
    "closed braces that are no JSON, and more": (
        [[piece("c1", "weather", "{000}")], [piece(None, None, OSLO)], [piece(None, None, "{}")]],
        [("c1", "weather", "{000}" + OSLO + "{}")],
    ),
    "the whole call again at the end": (
        [[piece("c1", "weather", OSLO)], [piece("c1", "weather", OSLO)]],
        [("c1", "weather", OSLO)],
    ),
    "the name in pieces": (
        [[piece("c1", "get_", "")], [named("wea")], [named("ther")], [piece(None, None, OSLO)]],
        [("c1", "get_weather", OSLO)],
    ),
    "the name in pieces, without an id": (
        [[named("get_")], [named("wea")], [named("ther", OSLO)]],
        [("", "get_weather", OSLO)],
    ),
    "all of the name so far in every piece": (
        [[piece("c1", "get", "")], [piece("c1", "get_weather", "")], [piece("c1", None, OSLO)]],
        [("c1", "get_weather", OSLO)],
    ),
    "the name after the id": (
        [[piece("c1", None, "")], [piece("c1", "weather", "")], [piece(None, None, OSLO)]],
        [("c1", "weather", OSLO)],
    ),
    "the name in pieces, with empty ids after the first": (
        [[piece("c1", "get_", "")], [piece("", "wea", "")], [piece("", "ther", OSLO)]],
        [("c1", "get_weather", OSLO)],
    ),
    "the name in pieces, all ids empty": (
        [[piece("", "get_", "")], [piece("", "weather", "")], [piece("", "", OSLO)]],
        [("", "get_weather", OSLO)],
    ),
    "all arguments so far in every piece": (
        [
            [piece("c1", "weather", "")],
            *([piece(None, None, OSLO[:at])] for at in (1, 3, 9)),
            [piece(None, None, OSLO)],
        ],
        [("c1", "weather", OSLO)],
    ),
    "all of the call so far in every piece": (
        [[piece("c1", "weather", OSLO[:at])] for at in (1, 3, 9, 15, 15)],
        [("c1", "weather", OSLO)],
    ),
    "pieces that begin alike, of which all are needed": (
        [[piece("c1", "f", '{"a":')], [piece(None, None, '{"a":1}')], [piece(None, None, "}")]],
        [("c1", "f", '{"a":{"a":1}}')],
    ),
    "pieces that begin alike, of which the last is JSON": (
        [[piece("c1", "f", "[")], [piece(None, None, "[1]")], [piece(None, None, "]")]],
        [("c1", "f", "[[1]]")],
    ),
    "pieces, and the whole call again at the end": (
        [
            [piece("c1", "weather", OSLO[:6])],
            [piece(None, None, OSLO[6:])],
            [piece("c1", "weather", OSLO)],
        ],
        [("c1", "weather", OSLO)],
    ),
    "pieces, and all arguments again without an id": (
        [
            [piece("c1", "weather", OSLO[:6])],
            [piece(None, None, OSLO[6:])],
            [piece(None, None, OSLO)],
        ],
        [("c1", "weather", OSLO)],
    ),
    "an empty object in place of the arguments at first": (
        [[piece("c1", "weather", "{}")], [piece(None, None, OSLO[:6])], [piece("", "", OSLO[6:])]],
        [("c1", "weather", OSLO)],
    ),
    "pieces that are counted": (
        [
            [piece("c1", "weather", OSLO[:6])],
            [piece(None, None, OSLO[6:9], 1)],
            [piece(None, None, OSLO[9:], 2)],
        ],
        [("c1", "weather", OSLO)],
    ),
    "a backslash at the end of a piece": (
        [[piece("c1", "f", '{"a":"\\')], [piece(None, None, '"}"')], [piece(None, None, "}")]],
        [("c1", "f", '{"a":"\\"}"}')],
    ),
}


@pytest.mark.parametrize(("chunks", "calls"), APART.values(), ids=APART)
def test_calls_that_share_an_index_are_told_apart(
    chunks: list[list[Json]], calls: list[tuple[str, str, str]]
) -> None:
    assert assemble(*chunks) == calls


@pytest.mark.parametrize(
    "pieces", [("get_", "weather"), ("get", "get_weather"), ("get_weather",) * 2]
)
def test_the_name_of_the_deprecated_call_may_come_in_pieces(pieces: tuple[str, ...]) -> None:
    completion = CompletionAccumulator()
    for name in pieces:
        choice = {"index": 0, "delta": {"function_call": {"name": name}}}
        chunk = parse(json.dumps({"choices": [choice]}))
        assert isinstance(chunk, Object)
        completion.feed(chunk)

    [choice] = json.loads(completion.result())["choices"]
    assert choice["message"]["function_call"] == {"name": "get_weather"}


@pytest.mark.parametrize(("chunks", "calls"), TOGETHER.values(), ids=TOGETHER)
def test_the_pieces_of_one_call_stay_together(
    chunks: list[list[Json]], calls: list[tuple[str, str, str]]
) -> None:
    assert assemble(*chunks) == calls


@pytest.mark.parametrize(
    "calls",
    [
        [piece("c1", "weather", OSLO[:4]), piece(None, None, OSLO[4:])],
        [piece("c1", "weather", OSLO, None)],
        [{"0": piece("c1", "weather", OSLO[:4], None)}, {"0": piece(None, None, OSLO[4:], None)}],
        [{"1": piece("c2", "time", UTC, None), "0": piece("c1", "weather", OSLO, None)}],
    ],
    ids=["one call", "without an index", "under its index", "two"],
)
def test_calls_that_are_no_list_are_put_into_one(calls: list[Any]) -> None:
    first, *others = assemble(*calls)

    assert first == ("c1", "weather", OSLO)
    assert others in ([], [("c2", "time", UTC)])


def test_the_deprecated_call_may_come_with_all_of_its_arguments_in_every_piece() -> None:
    completion = CompletionAccumulator()
    for arguments in (OSLO[:4], OSLO[:9], OSLO):
        called = {"function_call": {"name": "weather", "arguments": arguments}}
        chunk = parse(json.dumps({"choices": [{"index": 0, "delta": called}]}))
        assert isinstance(chunk, Object)
        completion.feed(chunk)

    [choice] = json.loads(completion.result())["choices"]
    assert choice["message"]["function_call"] == {"name": "weather", "arguments": OSLO}


def test_a_custom_call_that_is_repeated_whole_at_the_end_has_its_input_once() -> None:
    def chunk(call_id: str | None, name: str | None, text: str) -> Json:
        custom = {"name": name, "input": text} if name else {"input": text}
        return {"index": 0, "type": "custom", "custom": custom} | (
            {"id": call_id} if call_id else {}
        )

    completion = CompletionAccumulator()
    for one in (chunk("c1", "run", ""), chunk(None, None, "{}"), chunk("c1", "run", "{}")):
        choice = {"index": 0, "delta": {"tool_calls": [one]}}
        given = parse(json.dumps({"choices": [choice]}))
        assert isinstance(given, Object)
        completion.feed(given)

    [choice] = json.loads(completion.result())["choices"]
    [call] = choice["message"]["tool_calls"]
    assert call["custom"] == {"name": "run", "input": "{}"}


def test_a_piece_without_an_index_belongs_to_the_last_call_of_its_id() -> None:
    begun = [piece(index=0, arguments=""), piece("c1", "time", '{"tz"', index=1)]

    calls = assemble(begun, [piece("c1", index=0)], [piece("c1", None, ':"UTC"}', index=None)])

    assert calls == [("c1", "", ""), ("c1", "time", UTC)]
