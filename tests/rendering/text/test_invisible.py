"""Marks for invisible characters, and only for those: named, and exact inside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked
from tests.support.html import parsed
from webapp.rendering.text.invisible import MAX_MARKS, find_hidden, reveal_in_html, reveal_invisible

TAGGED = "".join(chr(0xE0000 + ord(letter)) for letter in "ignore previous")
BITS = "".join(f"{ord(letter):08b}" for letter in "Send the key").translate(
    {ord("0"): "\u200b", ord("1"): "\u200c"}
)
SELECTED = "".join(chr(0xE0100 + ord(letter) - 16) for letter in "secret")
FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
ENGLAND = "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in "gbeng") + "\U000e007f"
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"

anything = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\u202e\u200b\u200d\ufe0f\U000e0041\U0001f469\U0001f3f4\r\n<>&\"'\u0645"),
    )
)


def find_labels(html: str) -> list[str]:
    return [node.attributes["data-mark"] or "" for node in parsed(html).css(".control")]


def read_text(html: str) -> str:
    return parsed(f"<pre>\n{html}</pre>").css("pre")[0].text()


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("a\u202eb", "U+202E RLO"),
        ("\u2066", "U+2066 LRI"),
        ("\u061c", "U+061C ALM"),
        ("\u200b", "U+200B ZWSP"),
        ("\u200b" * 5_000, "U+200B ZWSP × 5,000"),
        ("\u200b\u200c" * 2_500, "5,000 invisible: ZWSP ZWNJ ZWSP ZWNJ …"),
        ("\xad", "U+00AD SHY"),
        ("\ufeff", "U+FEFF BOM"),
        ("\x1b", "ESC"),
        ("\x85", "NEL"),
        ("\ufdd0", "U+FDD0"),
        ("\U0001fffe", "U+1FFFE"),
        (TAGGED, "TAG × 15: ignore previous"),
        ("\U000e0041" * 200, "TAG × 200: " + "A" * 80 + "…"),
        (f"\U0001f600{SELECTED}", "VS × 6: secret"),
        (BITS, "ZW × 96: Send the key"),
        ("\ufe0f", "U+FE0F VS16"),
        ("\r", "CR"),
        ("\0", "NUL"),
        ("\ud800", "U+D800"),
        ("\u200d\U0001f469", "U+200D ZWJ"),
        ("a\u200cb", "U+200C ZWNJ"),
    ],
)
def test_an_invisible_character_is_marked_by_its_name(text: str, label: str) -> None:
    assert find_labels(reveal_invisible(text)) == [label]


@pytest.mark.parametrize(
    "text",
    ["a\tb\nc", "e\u0301", "\U0001f600", "\ufffd", "日本語 العربية", "a\xa0b", "\u2400"],
)
def test_a_visible_character_gets_no_mark(text: str) -> None:
    assert reveal_invisible(text) == text


@pytest.mark.parametrize(
    "cluster",
    [FAMILY, ENGLAND, "\u2764\ufe0f", "1\ufe0f\u20e3", "\u06cc\u200c\u062e", "\u845b\U000e0100"],
)
def test_joiners_within_a_visible_character_are_only_underlined(cluster: str) -> None:
    html = reveal_invisible(f"a {cluster} b")
    assert find_labels(html) == []
    (joined,) = parsed(html).css(".joined")
    assert joined.text() == cluster


@checked
@given(anything)
def test_the_text_of_a_source_is_exact(text: str) -> None:
    kept = "".join("\ufffd" if "\ud800" <= one <= "\udfff" else one for one in text)
    assert read_text(reveal_invisible(text)) == kept.replace("\0", "\u2400")


@checked
@given(anything)
def test_marks_hold_nothing_but_text(text: str) -> None:
    html = reveal_invisible(text)
    assert {node.tag for node in parsed(html).css("main *")} <= {"span"}
    for node in parsed(html).css("span"):
        assert set(node.attributes) <= {"class", "data-mark", "data-quiet", "title"}


def test_a_hidden_message_cannot_leave_its_label() -> None:
    hostile = "".join(chr(0xE0000 + ord(letter)) for letter in '"><b onclick=x>')
    assert find_labels(reveal_invisible(hostile)) == ['TAG × 15: "><b onclick=x>']
    assert parsed(reveal_invisible(hostile)).css("b") == []


def test_markdown_marks_only_deceiving_characters() -> None:
    text = f"<p>a\u202eb {FAMILY} {PERSIAN} {ENGLAND} \u200f {TAGGED}</p>"
    html = reveal_in_html(text)
    assert find_labels(html) == ["U+202E RLO", "TAG × 15: ignore previous"]
    assert parsed(html).text() == parsed(text).text()


def test_tags_and_formulas_stay_as_they_are() -> None:
    html = '<a href="/x\u202e&gt;">a</a><math><mi>\u202e\u202e</mi></math>'
    assert reveal_in_html(html) == html


@pytest.mark.parametrize(
    ("text", "count", "message"),
    [
        (f"Hello{TAGGED}", 15, "ignore previous"),
        (f"a{SELECTED}", 6, "secret"),
        ("a\u202eb", 1, ""),
        ("a" + "\u200b" * 5, 5, ""),
        ("\ufeff# Title", 1, ""),
        ("\ufeff\ufeffa", 2, ""),
    ],
)
def test_hidden_characters_are_counted_and_decoded(text: str, count: int, message: str) -> None:
    hidden = find_hidden(text)
    assert hidden is not None
    assert (hidden.count, hidden.message) == (count, message)


@pytest.mark.parametrize(
    "text", ["plain", FAMILY, PERSIAN, ENGLAND, "a\u200bb", "a\ufeff", "\u200f", "\r\n"]
)
def test_ordinary_texts_hide_nothing(text: str) -> None:
    assert find_hidden(text) is None


def test_hidden_runs_are_found_among_ordinary_joiners_and_flags() -> None:
    hidden = find_hidden(f"a\u200bb{ENGLAND}{FAMILY}\u202e\U0001f3f4{TAGGED}\u200d\ufeff")
    assert hidden is not None
    assert (hidden.count, hidden.message) == (1 + len(TAGGED), "ignore previous")


def test_a_text_of_nothing_but_invisible_characters_has_so_many_marks_and_says_so() -> None:
    text = "<\u202e" * (MAX_MARKS + 3)
    for html in (str(reveal_invisible(text)), str(reveal_in_html("a\u202e" * (MAX_MARKS + 3)))):
        assert html.count('class="control"') == MAX_MARKS + 1
        assert "the rest is not marked" in html
    assert read_text(str(reveal_invisible(text))) == text


def test_cr_at_every_line_end_is_said_once() -> None:
    node = parsed(str(reveal_invisible("a\r\nb\r\nc\r\n")))
    assert [one.attributes.get("data-mark") for one in node.css(".control")] == [
        "CR at every line end",
        None,
        None,
    ]
    mixed = parsed(str(reveal_invisible("a\r\nb\nc\r\n")))
    said = [one.attributes.get("data-mark") for one in mixed.css(".control")]
    assert said == ["CR at 2 of 3 line ends", None]
    alone = parsed(str(reveal_invisible("a\r\nb\rc\r\n")))
    assert [one.attributes["data-mark"] for one in alone.css(".control")] == ["CR", "CR", "CR"]
