"""Strings of JSON without needless escapes: readable, and still the same strings."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked
from tests.support.html import parsed
from webapp.exact_json import parse
from webapp.messages import Message
from webapp.rendering import StructureBudget, detect_structure, render_json_tree, write_readable


@pytest.mark.parametrize(
    ("lexeme", "readable"),
    [
        (r'"\u4e2d\u6587"', '"中文"'),
        (r'"caf\u00e9"', '"café"'),
        (r'"caf\u00E9"', '"café"'),
        (r'"\ud83d\ude00"', '"😀"'),
        (r'"\uD83D\uDE00!"', '"😀!"'),
        (r'"a\u0041"', '"aA"'),
        (r'"e\u0301"', '"e\u0301"'),
        (r'"\u6771\u4eac\u3000\u5927\u962a"', '"東京\u3000大阪"'),
        (r'"https:\/\/a.example\/b"', '"https://a.example/b"'),
        (r'"\u003cb\u003e \u0026"', '"<b> &"'),
        (r'"\ud83d\udc68\u200d\ud83d\udc67"', '"👨\u200d👧"'),
        (r'"\u0645\u06cc\u200c\u062e"', '"می\u200cخ"'),
    ],
)
def test_readable_characters_are_not_escaped(lexeme: str, readable: str) -> None:
    assert write_readable(lexeme) == readable


@pytest.mark.parametrize(
    "lexeme",
    [
        r'"\\u4e2d"',
        r'"\u0022\u005c"',
        r'"\n\t\u000a\u0009\u0000"',
        r'"\u200b"',
        r'"a\u200db"',
        r'"\u202e"',
        r'"\ufeff"',
        r'"\ue000"',
        r'"\ud83d"',
        r'"\ude00\ud83d"',
        r'"\udb40\udc41"',
        '"C:\\\\Users"',
        '"中"',
    ],
)
def test_what_needs_its_escape_keeps_it(lexeme: str) -> None:
    assert write_readable(lexeme) == lexeme


@given(st.text(), st.booleans())
@checked
def test_the_string_stays_the_same(text: str, ascii_only: bool) -> None:
    lexeme = json.dumps(text, ensure_ascii=ascii_only)
    assert json.loads(write_readable(lexeme)) == json.loads(lexeme)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r'{"q":"\u4e2d\u6587","\u30ad":"\ud83d\ude00"}', ['"中文"', "キ", '"😀"']),
        (r'{"all":["\u4e2d","caf\u00e9"]}', ['["中", "café"]']),
        (r'[{"a":"\u4e2d"}]', ['"中"']),
        (r'{"inner":"{\"q\":\"\\u4e2d\\u6587\",\"r\":[1,2]}"}', ['"中文"']),
        (r'{"inner":"[\"\\u4e2d\"]"}', ['"中"']),
        (r'[{"a":"[\"\\u4e2d\"]","b":1},{"a":"x","b":2}]', ['"中"']),
        (r'{"stdout":"{\"a\":\"\\u4e2d\"}\n{\"\\u30ad\":1}\n"}', ['"中"', "キ"]),
    ],
)
def test_the_tree_shows_readable_names_and_strings(text: str, shown: list[str]) -> None:
    tree = parsed(str(render_json_tree(parse(text)))).text()
    assert [word for word in shown if word not in tree] == []
    assert "\\u" not in tree


def test_a_result_that_is_one_escaped_string_is_readable() -> None:
    result = Message.from_json(parse('{"role":"tool","content":""}'))
    budget = StructureBudget()
    escaped = detect_structure(r'"\u4e2d\u6587"', message=result, budget=budget)
    assert escaped.kind == "json" and '"中文"' in escaped.view.unescape()
    assert detect_structure('"plain"', message=result, budget=budget).kind == "plain"
    assert detect_structure(r'"\\u4e2d"', message=result, budget=budget).kind == "plain"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"a":"\\u4e2d"}\n{"a":"\\u00e9","b":[1]}\n', "json"),
        ('{"a":"\\u4e2d"}{"\\u00e9":"]{"}', "json"),
        ('{\n "a": "\\u4e2d"\n}\n\n[\n "\\u00e9"\n]', "json"),
        ('\x1e{"a":"\\u4e2d"},\r\n{"a":"\\u00e9"}', "json"),
        (r'"{\"a\":\"\\u4e2d\"}\n{\"a\":\"\\u00e9\"}"', "json"),
        ('{"a":"\\u4e2d"}\nand {"a":"\\u00e9"}', "plain"),
        ('{"a":"\\u4e2d"}\n{"a":', "plain"),
        ('{"a":"\\u4e2d"}\n{a}', "plain"),
        ('{"a":1}]\n{"a":2}', "plain"),
    ],
)
def test_several_documents_are_shown_one_after_the_other(text: str, kind: str) -> None:
    result = Message.from_json(parse('{"role":"tool","content":""}'))
    found = detect_structure(text, message=result, budget=StructureBudget())
    assert found.kind == kind
    if kind == "json":
        assert found.note == "2 JSON documents, one after the other."
        words = parsed(str(found.view)).text()
        assert "中" in words and "é" in words and "\\u" not in words


def test_numbers_in_brackets_of_an_answer_stay_prose() -> None:
    answer = Message.from_json(parse('{"role":"assistant","content":""}'))
    assert detect_structure("[1] [2]", message=answer, budget=StructureBudget()).kind == "plain"
