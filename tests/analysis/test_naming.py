"""Calls in a few words, for the outline and the failing sequences."""

from __future__ import annotations

import json

import pytest

from webapp.analysis.naming import name_call
from webapp.exact_json import parse
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
