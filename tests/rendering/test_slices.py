"""Slices of long texts: joined they are the text, and each ends where a reader would pause."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.any_json import checked
from webapp.rendering.slices import MIN_BYTES, Slice, exceeds, size_of, slice_of, start_before

pieces = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["\n\n", "\r\n", "\r\n\r\n", "\n```python\n", "\n```\n", "\n~~~~\n", "a" * 200, "日" * 100]
        + ["\U0001f469\u200d\U0001f467", "e\u0301", "\ud800", "\0", " "]
    ),
)
texts = st.lists(pieces, max_size=60).map("".join)


def all_of(text: str, limit: int) -> list[Slice]:
    slices = [slice_of(text, start=0, limit=limit)]
    while (start := slices[-1].next) is not None:
        slices.append(slice_of(text, start=start, limit=limit))
    return slices


@checked
@given(texts, st.integers(MIN_BYTES, 1_000))
def test_slices_join_to_the_text_and_keep_the_limit(text: str, limit: int) -> None:
    slices = all_of(text, limit)
    assert "".join(one.text for one in slices) == text
    assert all(size_of(one.reopens + one.text) <= limit for one in slices)
    assert slices[-1].seen == slices[-1].total == size_of(text)
    for one, following in zip(slices, slices[1:], strict=False):
        assert not (one.text.endswith("\r") and following.text.startswith("\n"))
        assert one.seen == following.before


@checked
@given(texts, st.integers(MIN_BYTES, 1_000))
def test_the_slice_before_is_the_one_that_led_here(text: str, limit: int) -> None:
    starts = [one.start for one in all_of(text, limit)]
    for before, start in zip(starts, starts[1:], strict=False):
        assert start_before(text, start=start, limit=limit) == before
    assert start_before(text, start=0, limit=limit) is None


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\n"])
def test_a_slice_ends_behind_a_paragraph_or_a_line(end: str) -> None:
    text = f"{'word ' * 20}{end}" * 40
    assert all(one.text.endswith(end) for one in all_of(text, 1_000))


def test_a_paragraph_within_code_is_no_place_to_end() -> None:
    text = "before\n\n" * 60 + "```\n" + "code\n\n" * 40 + "```\n" + "after\n\n" * 200
    first = slice_of(text, start=0, limit=620)
    assert first.text.endswith("before\n\n")


def test_code_longer_than_a_slice_is_opened_again() -> None:
    text = "```python\n" + "print(1)\n" * 200 + "```\n\nThe end.\n"
    first, *later = all_of(text, 600)
    assert first.reopens == ""
    assert {one.reopens for one in later} == {"```python\n"}
    assert later[-1].markdown.startswith("```python\nprint(1)\n")
    assert later[-1].text.endswith("```\n\nThe end.\n")


def test_a_family_is_not_taken_apart() -> None:
    family = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
    assert all(len(one.text) % len(family) == 0 for one in all_of(family * 100, 300))


@pytest.mark.parametrize(
    ("text", "limit", "over"), [("a" * 10, 10, False), ("a" * 11, 10, True), ("日" * 4, 11, True)]
)
def test_bytes_are_counted(text: str, limit: int, over: bool) -> None:
    assert exceeds(text, limit) is over
