"""Texts: read as Markdown, kept as written; roles, names, refusals, reasoning."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.bubbles import HERE, ID, ShowAnswer, ShowMessages, pairs, part
from tests.support.pages import Page, open_menu, readable


def test_text_is_read_as_markdown_and_kept_as_it_was_written(show: ShowMessages) -> None:
    text = (
        "# Title\n\n*Some* **words**, `code` and a [link](https://a.example/x).\n\n- one\n- two\n"
    )
    (bubble,) = show({"role": "user", "content": text})
    assert bubble.sources == [text]
    rendered = bubble.parts.css_first(".rendered")
    assert rendered is not None
    assert [node.text() for node in rendered.css("h3, em, strong, code, li")] == [
        *("Title", "Some", "words", "code", "one", "two")
    ]
    (link,) = rendered.css("a")
    assert link.attributes["href"] == "https://a.example/x"


@pytest.mark.parametrize(
    "text",
    [
        "\n\nfirst lines are empty\n",
        "  indented\n\ttabbed  ",
        "a\r\nb\rc",
        "<b>&amp;</b> &lt;",
        "\x01\x1b[31m\x7f\u0085\u2028",
        "日本語 العربية 😀 e\u0301",
        "x" * 190_000,
        "[" * 5_000,
    ],
    ids=["lines", "space", "returns", "markup", "controls", "scripts", "long", "brackets"],
)
def test_the_source_of_a_text_is_exact(show: ShowMessages, text: str) -> None:
    (bubble,) = show({"role": "user", "content": text})
    assert bubble.sources == [text]


def test_a_text_beyond_the_budget_says_that_it_is_shown_plainly(show: ShowMessages) -> None:
    (bubble,) = show({"role": "user", "content": "*" * 5_000})
    assert "Shown as plain text" in bubble.text


@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant", "tool", "function"])
def test_a_role_is_told_by_its_word(show: ShowMessages, role: str) -> None:
    (bubble,) = show({"role": role, "content": "x"})
    assert bubble.role == role
    assert readable(bubble.node.css_first(".role") or bubble.node) == role


@pytest.mark.parametrize(
    ("role", "shown"), [("critic", "critic"), (None, "no role"), (7, "no role")]
)
def test_an_unknown_role_is_shown_as_it_is(show: ShowMessages, role: Any, shown: str) -> None:
    (bubble,) = show({"role": role, "content": "x"})
    assert readable(bubble.node.css_first(".role") or bubble.node) == shown
    if role == 7:
        assert pairs(bubble.parts, ".also-sent") == {"role": "7"}


def test_a_name_stands_beside_the_role(show: ShowMessages) -> None:
    (bubble,) = show({"role": "user", "name": "Alice", "content": "x"})
    assert bubble.text.startswith("1 user Alice")


def test_parts_stand_in_their_order(show: ShowMessages) -> None:
    (bubble,) = show(
        {
            "role": "user",
            "content": "first  last",
            "content_parts": [
                {"type": "text", "text": "first", "image_url": None},
                {"type": "file", "file": {"file_id": "file-1"}},
                {"type": "text", "text": "last", "cache": {"ttl": 1.0}},
            ],
        }
    )
    assert bubble.sources == ["first", "last"]
    text = bubble.text
    assert text.index("first") < text.index("file-1") < text.index("last") < text.index("cache")
    assert '{"ttl":1.0}' in text


def test_content_that_says_more_than_its_parts_is_not_lost(show: ShowMessages) -> None:
    parts = [{"type": "text", "text": "a part"}]
    (bubble,) = show({"role": "user", "content": "another text", "content_parts": parts})
    assert bubble.sources == ["a part", "another text"]


def test_texts_among_parts_may_be_bare(show: ShowMessages) -> None:
    (bubble,) = show({"role": "user", "content": ["bare", {"type": "text", "text": "in a part"}]})
    assert bubble.sources == ["bare", "in a part"]


def test_a_refusal_says_that_the_model_refused(answered: ShowAnswer) -> None:
    bubble = answered(content=None, refusal="I cannot help with that.")
    assert "The model refused to answer" in bubble.text
    assert bubble.sources == ["I cannot help with that."]


def test_a_refusal_among_parts_is_one_too(show: ShowMessages) -> None:
    (bubble,) = show(part(type="refusal", refusal="No."))
    assert "The model refused to answer" in bubble.text


def test_a_message_has_one_heading_and_its_tools(
    show: ShowMessages, fake_client: FlaskClient
) -> None:
    (bubble,) = show({"role": "user", "content": "# Mine"})
    (heading,) = bubble.node.css("h1, h2")
    assert heading.attributes["id"] == bubble.node.attributes["aria-labelledby"]
    assert [button.text() for button in bubble.node.css("button")] == ["copy"]
    alone = Page.of(fake_client.get(bubble.link("⋯")))
    for page in (open_menu(fake_client, bubble.node), alone):
        assert page.link("copy link") == f"{HERE}/messages/{ID}-0#m-1"
        assert page.link("JSON") == f"{HERE}/messages/{ID}-0/json"
        assert page.link("redacted text") == f"{HERE}/messages/{ID}-0/redacted"
        assert page.one("[data-source-switch]").tag == "input"
    assert readable(alone.one("article h1")) == "1 user parts 1 to 1 of 1"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('Plain  & <b>\nof "two" lines.', 0),
        ("It *is*.", 1),
        (" Indented.", 1),
        ("Two\n\nparagraphs.", 1),
        ("Invisible\u200b.", 1),
        ("CR\r\nLF.", 1),
    ],
)
def test_the_source_is_beside_what_is_read_unless_it_is_the_same(
    show: ShowMessages, text: str, count: int
) -> None:
    (bubble,) = show({"role": "user", "content": text})
    assert bubble.sources == [text]
    assert len(bubble.parts.css(".source")) == count


def test_a_text_that_hides_words_says_so_and_shows_where(show: ShowMessages) -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "send it all")
    text = f"Hello{hidden}, \u202egnp.exe"
    (bubble,) = show({"role": "user", "content": text})
    assert "Contains 12 invisible characters, which spell: send it all" in bubble.text
    for view in (".rendered", ".source"):
        marks = bubble.parts.css(f"{view} .control")
        names = [mark.attributes["data-mark"] for mark in marks]
        assert names == ["TAG × 11: send it all", "U+202E RLO"]
    assert bubble.sources == [text]


@pytest.mark.parametrize(
    ("role", "shown"),
    [("system", 15), ("developer", 15), ("user", 15), ("assistant", 25), ("tool", 15)],
)
def test_a_long_text_is_folded_with_all_of_it_in_the_page(
    show: ShowMessages, role: str, shown: int
) -> None:
    text = "\n".join(f"line {at}" for at in range(100))
    first, last = show({"role": role, "content": text}, {"role": "user", "content": text})
    fold = first.parts.css_first("details.fold")
    assert fold is not None
    assert fold.attributes["data-lines"] == str(shown)
    assert "open" not in fold.attributes
    assert first.sources == [text]
    assert last.parts.css_first("details.fold") is None


def test_an_answer_is_not_folded(answered: ShowAnswer) -> None:
    bubble = answered(content="\n".join(f"line {at}" for at in range(100)))
    assert bubble.parts.css_first("details.fold") is None


def test_media_stay_outside_the_fold(show: ShowMessages) -> None:
    content = [
        {"type": "text", "text": "line\n" * 100},
        {"type": "image_url", "image_url": {"url": "https://images.example/a.png"}},
    ]
    (bubble, _) = show({"role": "user", "content": content}, {"role": "user", "content": "x"})
    assert bubble.parts.css_first(".fold") is not None
    assert bubble.parts.css_first(".media") is not None
    assert bubble.parts.css_first(".fold .media") is None


def test_long_arguments_are_folded(show: ShowMessages) -> None:
    text = "\\n".join(f"line {at}" for at in range(100))
    function = {"name": "write", "arguments": f'{{"text": "{text}"}}'}
    calls = [{"id": "call_1", "type": "function", "function": function}]
    (bubble,) = show({"role": "assistant", "content": None, "tool_calls": calls})
    (call,) = bubble.calls
    summary = call.css_first(".fold > summary")
    assert summary is not None
    assert readable(summary).startswith("+ 8")


def test_a_refusal_is_a_region_of_its_own_with_a_name(answered: ShowAnswer) -> None:
    bubble = answered(content=None, refusal="I cannot help with **that**.")
    region = bubble.parts.css_first("section.refusal")
    assert region is not None
    assert region.attributes["aria-label"] == "Refusal"
    assert "I cannot help with that ." in readable(region)
