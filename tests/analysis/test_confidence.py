"""The tokens of an answer with their probabilities."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from tests.support.any_json import checked, json_texts
from webapp.analysis.confidence import Stream, find_level, read_streams
from webapp.exact_json import Object, parse


def token(text: str, logprob: Any = -0.1, data: Any = "own", **more: Any) -> dict[str, Any]:
    sent = list(text.encode()) if data == "own" else data
    return {"token": text, "logprob": logprob, "bytes": sent, **more}


def read(*tokens: Any, name: str = "content") -> Stream:
    json_object = parse(json.dumps({name: tokens}))
    assert isinstance(json_object, Object)
    (stream,) = read_streams(json_object)
    return stream


def texts(*tokens: Any) -> list[tuple[str, int]]:
    """The pieces with the numbers of their tokens."""
    return [(piece.text, len(piece.tokens)) for piece in read(*tokens).pieces]


def test_tokens_whose_bytes_make_one_character_are_one_piece() -> None:
    whale = list("🐳".encode())

    assert texts(token("a "), token("\\xf0", data=whale[:1]), token("x", data=whale[1:])) == [
        ("a ", 1),
        ("🐳", 2),
    ]
    assert texts(*(token("?", data=[one]) for one in whale), token("!")) == [("🐳", 4), ("!", 1)]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([token("?", data=[0xF0, 0x9F])], [("\\xf0\\x9f", 1)]),
        ([token("?", data=[0xF0]), token("a")], [("\\xf0", 1), ("a", 1)]),
        ([token("?", data=[0xFF]), token("a")], [("\\xff", 1), ("a", 1)]),
        ([token("?", data=[0xF0]), token("b", data=None)], [("\\xf0", 1), ("b", 1)]),
        (
            [token("a", data=[300]), token("b", data=["x"]), token("c", data=7)],
            [("a", 1), ("b", 1), ("c", 1)],
        ),
        ([token("", data=[]), 7, None], [("", 1)] * 3),
        ([token("<|end|>", data=[]), token("é", data=[])], [("<|end|>", 1), ("é", 1)]),
    ],
)
def test_bytes_that_are_no_characters_are_shown_as_bytes(
    tokens: list[Any], expected: list[tuple[str, int]]
) -> None:
    assert texts(*tokens) == expected


@pytest.mark.parametrize(
    ("logprob", "percent", "level"),
    [
        (0, 100, 5),
        (1e-9, 100, 5),
        (-0.001, 99.9, 5),
        (-0.105, 90.03, 4),
        (-0.36, 69.8, 2),
        (-1.6, 20.2, 1),
        (-9999.0, 0, 0),
        (-3, 5, 0),
    ],
)
def test_a_log_probability_is_a_probability(logprob: float, percent: float, level: int) -> None:
    (one,) = read(token("a", logprob)).tokens

    assert one.probability is not None
    assert one.probability * 100 == pytest.approx(percent, abs=0.05)
    assert (one.level, one.written) == (level, json.dumps(logprob))


@pytest.mark.parametrize("logprob", [None, "-1", 0.5, float("nan"), float("inf")])
def test_what_is_no_log_probability_has_none(logprob: Any) -> None:
    (one,) = read(token("a", logprob)).tokens

    assert (one.probability, one.level) == (None, find_level(None))


def test_alternatives_and_the_least_certain() -> None:
    unsure = token("ten", -0.9, top_logprobs=[token("ten", -0.9), token("nine", -1.1), "odd"])
    stream = read(token("At ", -0.001), unsure, token(".", -2), token("?", None), name="refusal")
    found = stream.find_least_certain(5)

    assert stream.name == "refusal"
    assert [one.text for one in found] == [".", "ten"]
    assert [(one.text, one.is_chosen) for one in found[1].alternatives] == [
        ("ten", True),
        ("nine", False),
    ]
    assert stream.count_below(0.5) == 2


@given(json_texts)
@checked
def test_any_json_is_read(text: str) -> None:
    value = parse(text)
    for one in (text, f'{{"content":[{text}]}}', f'{{"refusal":{text}}}'):
        value = parse(one)
        if isinstance(value, Object):
            for stream in read_streams(value):
                assert all(piece.tokens for piece in stream.pieces)
