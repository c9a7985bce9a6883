"""Citation markers of private-use characters: chips, or left out with a note, never boxes."""

from __future__ import annotations

import re

import pytest

from tests.support.html import assert_harmless, parsed
from webapp.rendering import TextView, render_exact, render_markdown

PRIVATE = re.compile("[\ue000-\uf8ff]")


def rendered(text: str) -> TextView:
    view = render_markdown(text)
    assert_harmless(str(view.html))
    return view


def chips(text: str) -> list[str]:
    return [chip.text() for chip in parsed(str(rendered(text).html)).css(".source-chip")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A fact. \ue200cite\ue202turn0search1\ue201", ["turn0search1"]),
        ("A.\ue200cite\ue202turn0search1\ue202turn0news2\ue201 B", ["turn0search1, turn0news2"]),
        ("**Bold.** \ue200cite\ue202turn0search_1_x\ue201", ["turn0search_1_x"]),
        ("\ue200filecite\ue202turn0file0\ue202L1-L5\ue201", ["filecite: turn0file0, L1-L5"]),
        ('By \ue200entity\ue202["company","Acme","maker"]\ue201.', ["Acme"]),
        ('\ue200image_group\ue202{"query":["a *b*"]}\ue201', ['image_group: {"query":["a *b*"]}']),
        ("Cut off \ue200cite\ue202turn0sea", ["turn0sea"]),
        ("A fact citeturn0search1turn0view22.", ["turn0search1, turn0view22"]),
        ("See :contentReference[oaicite:3]{index=3}.", ["source 4"]),
        ("| a |\n|---|\n| x \ue200cite\ue202turn1search0\ue201 |", ["turn1search0"]),
        ("- **x**\ue200cite\ue202turn1search0\ue201", ["turn1search0"]),
    ],
)
def test_a_marker_is_a_chip(text: str, found: list[str]) -> None:
    assert chips(text) == found
    assert not PRIVATE.search(str(rendered(text).html))


@pytest.mark.parametrize(
    "text", ["\ue203A sentence.\ue204 B", "A \ue206 sentence. B", "A sentence.\ue201 B"]
)
def test_other_delimiters_are_left_out_with_a_note(text: str) -> None:
    view = rendered(text)
    assert not PRIVATE.search(str(view.html)) and "sentence." in view.html
    assert view.note and "left out" in view.note


@pytest.mark.parametrize(
    "text", ["a recite citeturn", "excited", "xciteturn0search1", ":contentReference[x]", "a: b"]
)
def test_words_stay_words(text: str) -> None:
    assert chips(text) == [] and parsed(str(rendered(text).html)).text().strip() == text


@pytest.mark.parametrize("text", ["`a\ue200cite\ue201`", "```\na\ue200cite\ue201\n```"])
def test_in_code_the_delimiters_are_named(text: str) -> None:
    html = str(rendered(text).html)
    assert 'data-mark="U+E200"' in html and chips(text) == []


def test_a_source_names_them() -> None:
    assert str(render_exact("a\ue200cite\ue201")).count("data-mark=") == 2


def test_a_marker_in_a_link_stays_in_its_text() -> None:
    html = parsed(str(rendered("[x \ue200cite\ue202<b>\ue201](https://a.example/)").html))
    assert html.css("a .source-chip")[0].text() == "<b>"
    address = parsed(str(rendered("https://a.example/x\ue200cite\ue202t0\ue201").html))
    assert address.css("a")[0].attributes["href"] == "https://a.example/x"
