"""The words of a search: filters, texts in quotes, and everything else as one text."""

from __future__ import annotations

import pytest

from webapp.finding import (
    BadQuery,
    Query,
    parse_query,
    split_words,
    write_filter,
    write_moment,
)

DAY = 1_794_873_600
"""The beginning of 17 November 2026 in UTC."""


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", Query()),
        ("   ", Query()),
        ("two  words", Query(terms=("two  words",))),
        ('"a b" c d "e"', Query(terms=("c d", "a b", "e"))),
        ("東京", Query(terms=("東京",))),
        ("http://a.example:80/x", Query(terms=("http://a.example:80/x",))),
        ("unknown:word", Query(terms=("unknown:word",))),
        ('say "tool:shell"', Query(terms=("say", "tool:shell"))),
        ("tool:shell tool:shell", Query(tags=("tool:shell",))),
        ('tool:"with blanks"', Query(tags=("tool:with blanks",))),
        ("finish:length has:Image x", Query(terms=("x",), tags=("finish:length", "has:image"))),
        ("model:gpt-4.1", Query(model="gpt-4.1")),
        ("metadata:a=b=c metadata:d=", Query(metadata=(("a", "b=c"), ("d", "")))),
        ('metadata:a="b c" x', Query(terms=("x",), metadata=(("a", "b c"),))),
        ('metadata:a="" metadata:b="say ""c"""', Query(metadata=(("a", ""), ("b", 'say "c"')))),
        ('metadata:"a b=c"', Query(metadata=(("a b", "c"),))),
        ("tokens:>10", Query(ranges=(("total_tokens", 11, 2**31 - 1),))),
        ("tokens:<=10 messages:3-5", Query(ranges=(("total_tokens", 0, 10), ("messages", 3, 5)))),
        ("duration:7", Query(ranges=(("duration_ms", 7, 7),))),
        ("since:2026-11-17", Query(since=DAY)),
        ("on:2026-11-17", Query(since=DAY, before=DAY + 86_400)),
        (
            "since:2026-11-17T01:00 before:2026-11-17t01:00:09z",
            Query(since=DAY + 3600, before=DAY + 3609),
        ),
        ("on:2026-11-17 since:2026-11-17T01:00", Query(since=DAY + 3600, before=DAY + 86_400)),
        (
            "since:2026-11-17T01:00+02:00 before:2026-11-16T19:00:00-05:00",
            Query(since=DAY - 3600, before=DAY),
        ),
        ("tokens:>99999999999", Query(ranges=(("total_tokens", 2**31 - 1, 2**31 - 1),))),
        ('tool:"a ""b"" c"', Query(tags=('tool:a "b" c',))),
        ("calls:x", Query(tags=("calls:x",))),
        ("findings:Error", Query(tags=("findings:error",))),
        ("model:m model:m", Query(model="m")),
        ("in:output in:text x", Query(terms=("x",), scopes=("output", "text"))),
    ],
)
def test_a_search_is_parsed(text: str, query: Query) -> None:
    assert parse_query(text) == query


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("has:wings", "has: takes audio"),
        ("findings:many", "findings: takes error, warning or failed-call."),
        ("tokens:many", "tokens: takes a number"),
        ("messages:1-", "messages: takes a number"),
        ("since:2026-11-17 before:2026-11-17", "No time is within all of since:, before: and on:"),
        ("on:2026-11-17 on:2026-11-18", "No time is within all"),
        ("tokens:>20 tokens:<10", "No number is within all of tokens:."),
        ("tokens:5 messages:2 tokens:6", "No number is within all of tokens:."),
        ("tokens:20-10", "tokens: takes the smaller number first, such as tokens:10-20."),
        ("on:2026-02-30", "on: takes a day"),
        ("since:yesterday", "since: takes a day or a time"),
        ("before:2026-11-17T25:00", "before: takes a day or a time"),
        ("since:0000-01-01", "since: takes a day or a time"),
        ("on:2026-11-17T10:00", "on: takes a day"),
        ("since:2026-11-17+01:00", "since: takes a day or a time"),
        ("since:2026-11-17T10:00+24:00", "since: takes a day or a time"),
        ("model:a model:b", "model: can be given once"),
        ("metadata:team", "metadata: takes a key and a value"),
        ("in:title", "in: takes text"),
        ("in:output", "in: says where words are searched for; add some, such as in:output refund."),
        ("in:text tool:shell", "in: says where"),
        ("tokens:<0", "tokens:<0 matches nothing"),
        ("x" * 1_001, "up to 1,000 characters"),
        ("tool:a " * 21, "up to 20 filters"),
    ],
)
def test_a_filter_with_another_value_says_what_it_takes(text: str, words: str) -> None:
    with pytest.raises(BadQuery, match=words):
        parse_query(text)


@pytest.mark.parametrize("text", ["x", "tool:x", "model:x", "on:2026-11-17", "tokens:0"])
def test_a_search_for_something_is_true_and_one_for_nothing_is_not(text: str) -> None:
    assert parse_query(text)
    assert not parse_query("  ")


@pytest.mark.parametrize("value", ["x", "a b", 'say "x"', '"', "a:b", "　", "\0", "a\nb", "%_\\"])
def test_a_written_filter_is_read_again(value: str) -> None:
    word = write_filter("tool", value)

    assert parse_query(f"finish:stop {word} has:image").tags == (
        "finish:stop",
        f"tool:{value}",
        "has:image",
    )
    assert split_words(f"a {word} b") == ["a", word, "b"]
    assert split_words('metadata:a="b c" d') == ['metadata:a="b c"', "d"]


def test_a_written_time_is_read_again() -> None:
    assert parse_query(f"since:{write_moment(DAY + 61)}").since == DAY + 61
