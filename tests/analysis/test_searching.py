"""The texts that a search of a transcript looks at, and its hits in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from webapp.analysis.searching import TextSearch
from webapp.exact_json import parse
from webapp.messages import Message
from webapp.transcript import arrange


def search(arguments: str, words: str, **options: Any) -> list[str]:
    function = {"name": "find", "arguments": arguments}
    call = {"id": "a", "type": "function", "function": function}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    (entry,) = arrange([Message.from_json(parse(json.dumps(message)))], first=1)
    found = TextSearch(words, kinds=("input",), **options).search(entry)
    assert found.count == len(found.hits)
    return [hit.match for hit in found.hits]


@pytest.mark.parametrize(
    ("words", "hits"),
    [
        ("window", 1),
        ("café", 1),
        ('"14C"', 1),
        ("C:\\seats", 1),
        ("aisle\nwindow", 1),
        ("caf\\u00e9", 0),
    ],
)
def test_arguments_are_searched_as_pages_show_them(words: str, hits: int) -> None:
    arguments = json.dumps({"café": 'C:\\seats "14C"', "side": "aisle\nwindow"})
    assert len(search(arguments, words)) == hits


def test_arguments_that_are_not_json_are_searched_as_they_are() -> None:
    assert len(search('{"side": "a\\u00e9', "\\u00e9")) == 1


def test_a_match_of_no_character_is_no_hit() -> None:
    assert search('{"row": 14}', r"14|\b", is_pattern=True) == ["14"]


@pytest.mark.parametrize(
    ("words", "is_exact", "hits"),
    [
        ("café", False, ["Cafe\u0301", "CAFÉ"]),
        ("cafe", False, []),
        ("CAFÉ", True, ["CAFÉ"]),
        ("Café", True, ["Cafe\u0301"]),
        ("strasse", False, ["Straße"]),
    ],
)
def test_letters_are_the_same_however_they_are_written(
    words: str, is_exact: bool, hits: list[str]
) -> None:
    """As in the search of all completions, whose results lead here."""
    assert search("Cafe\u0301 CAFÉ Straße", words, is_exact=is_exact) == hits


def test_what_surrounds_a_hit_is_cut_between_words() -> None:
    text = f"{'before ' * 40}needle{' after' * 40}"
    (entry,) = arrange(
        [Message.from_json(parse(json.dumps({"role": "user", "content": text})))], first=1
    )
    (hit,) = TextSearch("needle", kinds=("text",)).search(entry).hits
    assert hit.before.startswith("…before ") and hit.before.endswith("before ")
    assert hit.after.startswith(" after") and hit.after.endswith(" after…")
