"""Texts with nothing to see: a sentence names their characters, or their marks are shown."""

from __future__ import annotations

import pytest

from tests.support.html import parsed
from webapp.exact_json import parse
from webapp.messages import Message
from webapp.rendering import StructureBudget, detect_structure, render_markdown


def shown(text: str) -> str:
    return parsed(str(render_markdown(text).html)).text().strip("\n")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (" ", "Only white space (1 space)."),
        ("\n\n", "Only white space (2 line breaks)."),
        ("\r\n\t  ", "Only white space (1 line break, 2 spaces, 1 tab)."),
        ("\u3000\xa0", "Only white space (2 other blanks)."),
        ("\u2800 ", "Only white space (1 space, 1 other blank)."),
    ],
)
def test_white_space_is_described(text: str, sentence: str) -> None:
    assert shown(text) == sentence
    message = Message.from_json(parse('{"role":"tool","content":""}'))
    assert detect_structure(text, message=message, budget=StructureBudget()).note == sentence


@pytest.mark.parametrize(
    "text",
    ["#", "##  ", "-", "1.", "> ", ">\n>", "- \n- ", "```\n```", "```python\n```", "~~~\n\n~~~"],
)
def test_marks_without_content_are_shown_as_written(text: str) -> None:
    assert shown(text) == text


@pytest.mark.parametrize("text", ["\u200b", "\u200b\u200c", "\ufeff", "\u2060 \u2060", "\u3164"])
def test_invisible_characters_are_marked(text: str) -> None:
    assert "data-mark=" in str(render_markdown(text).html)


@pytest.mark.parametrize(
    "text", ["---", "***", "- [ ] ", "\\", "&nbsp;x", "![](a)", "<!-- -->", "."]
)
def test_what_can_be_seen_is_rendered(text: str) -> None:
    html = str(render_markdown(text).html)
    assert "<pre" not in html and "quiet-note" not in html
