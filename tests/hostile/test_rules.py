"""The corpus is as large as it should be, and the rules find what they look for."""

from __future__ import annotations

import pytest

from tests.hostile.rules import assert_harmless, assert_said, lexemes
from tests.support.pages import Page
from tools.hostile.corpus import CASES
from tools.hostile.fields import COMPLETIONS, POLYGLOT


def test_there_are_many_cases_and_each_has_a_name_of_its_own() -> None:
    assert len(CASES) + len(COMPLETIONS) >= 300
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    "html",
    [
        "<script>pwn()</script>",
        "<img src=//evil.example/x>",
        "<img src=data:image/png;base64,x>",
        "<p onclick=x>",
        "<p style=x>",
        "<a href=javascript:x>",
        "<a href=https://elsewhere.example>",
        "<a href='http://localhost/x' rel='noopener noreferrer nofollow'>",
        "<a href='https://a@evil.example/' rel='noopener noreferrer nofollow'>",
        "<a href=/completions/pwned>",
        "<p id=main><p id=main>",
        "<p id='A b'>",
        "<i hx-get=//evil.example>",
        "<article class=bubble><form></form></article>",
        "<article class=bubble><svg></svg></article>",
        "<main><pwned-element></pwned-element></main>",
    ],
)
def test_the_rules_find_what_content_must_not_make(html: str) -> None:
    with pytest.raises(AssertionError):
        assert_harmless(Page(html))


def test_words_are_missed_when_one_is_lost_or_out_of_order() -> None:
    assert_said("a <b> javascript: pwn ()", "javascript:pwn()")
    for shown in ("javascript", "pwn javascript"):
        with pytest.raises(AssertionError):
            assert_said(shown, "javascript:pwn()")
    with pytest.raises(AssertionError):
        assert_said(POLYGLOT[: len(POLYGLOT) // 2], POLYGLOT)


def test_json_is_compared_by_its_signs() -> None:
    assert lexemes('{"a": [1.0, "\\u0041"]}') == [
        "{",
        '"a"',
        ":",
        "[",
        "1.0",
        ",",
        '"\\u0041"',
        "]",
        "}",
    ]
