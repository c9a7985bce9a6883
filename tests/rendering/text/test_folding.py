"""Which texts are folded, and the size that a fold shows."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked
from webapp.rendering.text.folding import estimate_fold, expand_lines


def lines(count: int) -> str:
    return "\n".join(f"line {at}" for at in range(count))


@pytest.mark.parametrize(("role", "shown"), [("assistant", 25), ("user", 15), ("tool", 15)])
def test_a_role_has_its_number_of_lines(role: str, shown: int) -> None:
    assert estimate_fold(lines(shown), role=role) is None
    assert estimate_fold(lines(shown + 2), role=role) is None
    fold = estimate_fold(lines(shown + 10), role=role)
    assert fold is not None
    assert (fold.shown, fold.lines) == (shown, 10)


def test_a_fold_shows_the_hidden_size() -> None:
    fold = estimate_fold(lines(427), role="user")
    assert fold is not None
    assert fold.lines == 412
    assert fold.bytes == len(lines(427)) - len(lines(15)) - 1
    assert fold.summary == "412 lines, 4 kB"


def test_a_long_line_is_as_many_as_it_wraps_to() -> None:
    fold = estimate_fold("word " * 2_000, role="user")
    assert fold is not None
    assert 70 < fold.lines < 90


def test_wide_letters_fill_a_line_sooner() -> None:
    assert estimate_fold("a" * 1_500, role="user") is None
    assert estimate_fold("日" * 1_500, role="user") is not None


def test_gaps_between_paragraphs_are_not_counted_as_lines_in_view() -> None:
    assert estimate_fold("one\n\n" * 11, role="user") is None
    assert estimate_fold("one\n\n" * 30, role="user") is not None


def test_lines_of_code_do_not_wrap() -> None:
    code = "```\n" + ("x" * 300 + "\n") * 10 + "```\n"
    assert estimate_fold(code, role="user") is None
    assert estimate_fold(code, role="user", mono=True) is not None


def test_json_is_measured_by_the_lines_of_its_tree() -> None:
    assert expand_lines('{"a": 1, "b": ["x, y", 2]}') == '{\n"a": 1,\n"b": [\n"x, y", 2]}'
    assert expand_lines(r'{"a": "one\ntwo"}') == '{\n"a": "one\ntwo"}'


@checked
@given(st.text(), st.sampled_from(["user", "assistant", None]), st.booleans())
def test_every_text_has_a_fold_within_it_or_none(text: str, role: str | None, mono: bool) -> None:
    fold = estimate_fold(text * 40, role=role, mono=mono)
    if fold is not None:
        assert 0 <= fold.bytes <= len((text * 40).encode())
        assert fold.lines >= 5
        assert re.fullmatch(r"[\d,]+ lines, [\d.]+ (bytes?|[kM]B)", fold.summary)


def test_a_fold_may_be_open() -> None:
    fold = estimate_fold(lines(100), is_open=True)
    assert fold is not None
    assert fold.is_open
