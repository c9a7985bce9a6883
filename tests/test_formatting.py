"""Numbers, sizes and times as people say them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked
from webapp.formatting import (
    ago,
    count,
    duration,
    extent,
    first_words,
    is_past,
    iso_moment,
    moment,
    size,
    skip_preamble,
)

NOW = 1_758_039_249
HUGE = 10**400
MINUTE, HOUR, DAY, YEAR = 60, 3600, 86_400, 31_557_600


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 messages"), (1, "1 message"), (1204, "1,204 messages"), (None, "0 messages")],
)
def test_things_are_counted(number: int | None, words: str) -> None:
    assert count(number, "message") == words


def test_a_plural_may_be_given() -> None:
    assert (count(1, "reply", "replies"), count(2, "reply", "replies")) == ("1 reply", "2 replies")


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "0.00 s"),
        (420, "0.42 s"),
        (994, "0.99 s"),
        (995, "1.0 s"),
        (3_140, "3.1 s"),
        (9_949, "9.9 s"),
        (9_950, "10 s"),
        (59_499, "59 s"),
        (59_500, "1 min 0 s"),
        (125_000, "2 min 5 s"),
        (3_599_499, "59 min 59 s"),
        (3_600_000, "1 h 0 min"),
        (90_000_000, "1 d 1 h"),
        (86_400_000_000, "1,000 d 0 h"),
    ],
)
def test_durations_have_one_or_two_units(milliseconds: int, words: str) -> None:
    assert duration(milliseconds) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (42_400, "42 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (999_999, "1.0 MB"),
        (1_340_000, "1.3 MB"),
    ],
)
def test_sizes_are_in_the_unit_that_fits(number: int, words: str) -> None:
    assert size(number) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "0 words, 0 bytes"),
        ("Hm.", "1 word, 3 bytes"),
        ("so it is\n" * 500, "1,500 words, 4 kB"),
        ("まず数えてみましょう。" * 4, "44 characters, 132 bytes"),
        ("\ud800", "1 word, 3 bytes"),
    ],
)
def test_the_length_of_a_text_is_told_in_words_where_it_has_some(text: str, words: str) -> None:
    assert extent(text) == words


def test_a_moment_is_told_in_utc() -> None:
    assert moment(NOW) == "2025-09-16 16:14 UTC"
    assert iso_moment(NOW) == "2025-09-16T16:14:09Z"
    assert moment(0) == "1970-01-01 00:00 UTC"


@pytest.mark.parametrize("seconds", [HUGE, -HUGE, 10**15, 2**62, -(10**15)])
def test_a_number_that_is_no_time_stays_a_number(seconds: int) -> None:
    assert moment(seconds) == str(seconds)
    assert iso_moment(seconds) == ""
    assert ago(seconds, now=NOW) == ""


def test_what_has_no_time_says_so() -> None:
    assert (moment(None), iso_moment(None), ago(None)) == ("no time", "", "")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (59, "just now"),
        (MINUTE, "1 min ago"),
        (HOUR - 1, "59 min ago"),
        (2 * HOUR, "2 h ago"),
        (DAY, "1 day ago"),
        (3 * DAY, "3 days ago"),
        (31 * DAY, "1 month ago"),
        (70 * DAY, "2 months ago"),
        (YEAR, "1 year ago"),
        (5 * YEAR, "5 years ago"),
        (1000 * YEAR, ""),
        (-1, "in a moment"),
        (-40 * MINUTE, "in 40 min"),
        (-2 * DAY, "in 2 days"),
    ],
)
def test_how_long_ago_is_told_in_the_largest_unit(seconds: int, words: str) -> None:
    assert ago(NOW - seconds, now=NOW) == words


def test_without_a_clock_of_its_own_the_time_is_now() -> None:
    assert ago(0).endswith("years ago")
    assert is_past(0)
    assert not is_past(HUGE)


def test_a_moment_is_past_once_it_has_come() -> None:
    assert is_past(NOW, now=NOW) and is_past(NOW - 1, now=NOW)
    assert not is_past(NOW + 1, now=NOW)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        (" \n\t\n", ""),
        ("Hello", "Hello"),
        ("\n\n  Hello  \nthere", "Hello"),
        ("# A **bold** title\nbody", "A bold title"),
        ("`code` and **more**", "code and more"),
        ("What calls __init__ and 2**8 or 3 ** 2?", "What calls __init__ and 2**8 or 3 ** 2?"),
        ("```python\nprint(1)\n```", "print(1)"),
        ("  ```\nx", "x"),
        ("#hashtag", "#hashtag"),
        ("-----\nisort........Failed", "isort…Failed"),
        ("**", "**"),
    ],
)
def test_the_first_words_are_those_of_the_first_line_that_has_any(text: str, words: str) -> None:
    assert first_words(text) == words


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("We solve the following issue. Its text:\nISSUE:\n\nTimes are lost.", "Times are lost."),
        ("Our issue.\n## Issue\nTimes are lost.", "Our issue.\n## Issue\nTimes are lost."),
        ("Our issue:\nISSUE:\n", "Our issue:\nISSUE:\n"),
        ("ISSUE: Times are lost.", "ISSUE: Times are lost."),
    ],
)
def test_what_introduces_an_issue_is_skipped(text: str, rest: str) -> None:
    assert skip_preamble(text) == rest


def test_a_long_line_is_cut_at_a_word() -> None:
    assert first_words("one two three", 9) == "one two …"
    assert first_words("one two three", 13) == "one two three"
    assert first_words("a" * 20, 9) == "a" * 9 + " …"


@given(st.text(), st.integers(2, 50))
@checked
def test_first_words_are_one_line_and_short(text: str, limit: int) -> None:
    words = first_words(text, limit)

    assert len(words.splitlines()) <= 1
    assert len(words) <= limit + 2


@given(st.integers(), st.integers(0, 4 * 10**9))
@checked
def test_every_number_has_words(seconds: int, now: int) -> None:
    assert re.fullmatch(r"-?\d+|-?\d+-\d\d-\d\d \d\d:\d\d UTC", moment(seconds))
    assert re.fullmatch(r"|just now|in a moment|(in )?\d+ [a-z]+( ago)?", ago(seconds, now=now))
    assert re.fullmatch(r"|\d+-\d\d-\d\dT\d\d:\d\d:\d\dZ", iso_moment(seconds))
