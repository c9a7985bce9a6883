"""The arguments of calls, parsed once, and calls in a few words, for outline and sequences."""

from __future__ import annotations

import json

import pytest

from webapp.analysis.naming import name_call, parse_arguments
from webapp.exact_json import NotJson, parse
from webapp.messages import Message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"pattern": "tide", "path": "."}, "tide"),
        ({"path": "a.py", "content": "x"}, "a.py"),
        ({"path": "a.py", "query": " "}, "a.py"),
        ({"cmd": ["ls", "-l"], "path": "/"}, "ls -l"),
        ({"from": "Oslo", "to": "Bergen"}, "Oslo, Bergen"),
        ("{", "{"),
    ],
)
def test_the_argument_that_says_most_comes_first(arguments: object, words: str) -> None:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    function = {"name": "f", "arguments": text}
    sent = {"role": "assistant", "tool_calls": [{"id": "c", "function": function}]}
    (call,) = Message.from_json(parse(json.dumps(sent))).calls
    assert name_call(call).words == words


def test_arguments_have_the_value_that_they_had_recently() -> None:
    text = '{"path": "a", "path": 1.0}'

    assert parse_arguments(text) is parse_arguments(f" {text}"[1:])
    assert parse_arguments(text).source == text
    assert parse_arguments('{"path": "a", "path": 1}').source != text


def test_arguments_of_many_values_are_not_kept() -> None:
    text = f"[{'1,' * 10_000}1]"

    assert parse_arguments(text) is not parse_arguments(text)


def test_what_is_no_json_is_refused_each_time() -> None:
    for _ in range(2):
        with pytest.raises(NotJson):
            parse_arguments('{"path": ')
