"""Marks that are no emphasis stay: in products of numbers, in faces, and in numbers of items."""

from __future__ import annotations

import re

import pytest

from tests.support.html import assert_harmless, parsed
from webapp.rendering import render_markdown


def inner(text: str) -> str:
    html = str(render_markdown(text).html).strip()
    return re.sub(r"^<p[^>]*>|</p>$", "", html)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2*3*4 = 24", "2*3*4 = 24"),
        ("4**2**1 and *2*", "4<strong>2</strong>1 and <em>2</em>"),
        ("1_000_000", "1_000_000"),
        ("^_^ and (>_<) and -_- *_*", "^_^ and (&gt;_&lt;) and -_- *_*"),
        (r"¯\_(ツ)_/¯ and ^_^", r"¯\_(ツ)_/¯ and ^_^"),
        ("(*^▽^*) and ;_; or =_=", "(*^▽^*) and ;_; or =_="),
        ("-*- mode: c -*- and # -*- coding: utf-8 -*-",) * 2,
        ("*^_^*", "<em>^_^</em>"),
        ("a*b*c and _x_ **_y_**", "a<em>b</em>c and <em>x</em> <strong><em>y</em></strong>"),
    ],
)
def test_marks_between_digits_and_in_faces_are_text(text: str, shown: str) -> None:
    assert inner(text) == shown


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1. a\n1. b\n3. c", [None, "1", "3"]),
        ("1. a\n1. b\n1. c", [None, None, None]),
        ("5. a\n6. b\n8. c\n9. d", [None, None, "8", None]),
        ("3. a\n2. b\n1. c", [None, "2", "1"]),
        ("1. a\n   - x\n   4. y\n   7. z\n2. b", [None, None, None, "7", None]),
        ("1. a\n\n3. b", [None, "3"]),
    ],
)
def test_items_keep_numbers_that_do_not_count_up(text: str, values: list[str | None]) -> None:
    html = str(render_markdown(text).html)
    assert_harmless(html)
    assert [item.attributes.get("value") for item in parsed(html).css("li")] == values


def test_large_numbers_of_items_have_room() -> None:
    html = str(render_markdown("1. a\n12345. b").html)
    assert [one.attributes["class"] for one in parsed(html).css("ol")] == ["very-long-numbers"]
