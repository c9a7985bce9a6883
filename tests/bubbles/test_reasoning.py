"""Reasoning: folded before the answer, with its length, wherever a server puts it."""

from __future__ import annotations

from typing import Any

import pytest
from selectolax.lexbor import LexborNode

from tests.support.bubbles import ShowAnswer, ShowMessages, pairs, part
from tests.support.media_bytes import png, uri
from tests.support.pages import Bubble, classes, readable


def folds(bubble: Bubble) -> list[LexborNode]:
    return bubble.parts.css("details.reasoning")


def summaries(bubble: Bubble) -> list[str]:
    return [readable(fold.css_first("summary") or fold) for fold in folds(bubble)]


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content", "reasoning_text", "thinking"])
def test_a_field_of_reasoning_is_folded_in_front_of_the_answer(
    answered: ShowAnswer, field: str
) -> None:
    bubble = answered(content="So it is 7.", **{field: "Let me **count**."})
    (fold,) = folds(bubble)
    assert "open" not in fold.attributes
    assert summaries(bubble) == [f"Reasoning {field} 3 words, 17 bytes"]
    assert bubble.sources == ["Let me **count**.", "So it is 7."]
    assert fold.css_first("strong") is not None


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content", "reasoning_text", "thinking"])
def test_reasoning_that_is_no_text_is_shown_as_it_came(answered: ShowAnswer, field: str) -> None:
    bubble = answered(content="7", **{field: {"result": "I counted."}})
    assert folds(bubble) == []
    assert field in bubble.text
    assert "I counted." in bubble.text


def test_the_length_of_text_without_spaces_is_told_in_characters(answered: ShowAnswer) -> None:
    bubble = answered(content="七", reasoning="まず数えてみましょう。" * 10)
    assert summaries(bubble) == ["Reasoning reasoning 110 characters, 330 bytes"]


def test_the_signature_of_a_thought_is_listed_with_it(show: ShowMessages) -> None:
    (bubble,) = show(part(type="thinking", thinking="Hm.", signature="s1"))
    assert bubble.sources == ["Hm."]
    assert pairs(bubble.parts, ".also-sent") == {"signature": "s1"}


def test_a_list_of_thoughts_is_one_fold(show: ShowMessages) -> None:
    thoughts = [{"type": "text", "text": text} for text in ("First.", "Then.")]
    (bubble,) = show(part(type="thinking", thinking=thoughts, closed=True))
    assert bubble.sources == ["First.Then."]
    assert pairs(bubble.parts, ".also-sent") == {"closed": "true"}


@pytest.mark.parametrize(
    "thinking", [[], [{"type": "image"}], [{"type": "text", "text": "a"}, 5], {"a": 1}]
)
def test_thoughts_of_another_form_are_shown_as_they_came(show: ShowMessages, thinking: Any) -> None:
    (bubble,) = show(part(type="thinking", thinking=thinking))
    assert folds(bubble) == []
    assert "content part thinking" in bubble.text


def test_redacted_thinking_says_that_nobody_can_read_it(show: ShowMessages) -> None:
    (bubble,) = show(part(type="redacted_thinking", data="RW5j" * 300))
    assert summaries(bubble) == ["Reasoning, encrypted redacted_thinking 1 kB"]
    assert "RW5j" * 300 in bubble.text
    assert "encrypted this reasoning" in bubble.text


def test_a_leading_think_block_is_folded_and_the_source_is_whole(answered: ShowAnswer) -> None:
    content = "<think>\nThe user says **hi**.\n</think>\n\nHello, *you*."
    bubble = answered(content=content)
    (fold,) = folds(bubble)
    assert summaries(bubble) == ["Reasoning <think> 4 words, 23 bytes"]
    assert fold.css_first("strong") is not None
    assert "Hello, you ." in bubble.text
    assert bubble.sources == [content]


@pytest.mark.parametrize(
    "content",
    [
        "Well: <think>late</think> yes",
        "<think>a<think>b</think>c",
        "<think>a</think>b</think>",
        "<ponder>a</ponder>b",
    ],
)
def test_an_unclean_think_block_stays_text(answered: ShowAnswer, content: str) -> None:
    bubble = answered(content=content)
    assert folds(bubble) == []
    assert bubble.sources == [content]
    assert content in bubble.text


def test_a_think_block_of_a_user_stays_text(show: ShowMessages) -> None:
    (bubble,) = show({"role": "user", "content": "<think>a</think> b"})
    assert folds(bubble) == []


@pytest.mark.parametrize("field", ["reasoning", "refusal", "content"])
@pytest.mark.parametrize("form", ["![a picture]({})", "`{}`", "{}"])
def test_an_image_in_a_text_is_shown_once(answered: ShowAnswer, field: str, form: str) -> None:
    text = form.format(uri(png(3, 2)))
    bubble = answered(**{"content": "A", field: text})
    (image,) = bubble.node.css("img")
    section = image.parent
    while section is not None and not {"reasoning", "refusal", "parts"} & {*classes(section)}:
        section = section.parent
    assert section is not None
    assert classes(section) == ["parts" if field == "content" else field]


def test_reasoning_between_tags_changes_neither_direction_nor_notes(answered: ShowAnswer) -> None:
    noted = "[*_" * 8_000
    bubble = answered(content=f"<think>{noted}</think>مرحبا بالعالم \ue203")
    (text,) = bubble.parts.css(".text")
    note = text.css(".quiet-note")[0]
    assert text.attributes["dir"] == "rtl"
    assert "plain text" in readable(note) and "Private-use characters" in readable(note)
