"""Footnotes: numbered, listed below the text, none lost."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborNode

from tests.support.html import assert_harmless, parsed
from webapp.rendering import MarkdownBudget, render_markdown


def shown(text: str) -> LexborNode:
    found = str(render_markdown(text).html)
    assert_harmless(found)
    assert " id=" not in found
    return parsed(found)


def notes(text: str) -> list[str]:
    return [note.text().strip() for note in shown(text).css("ol.footnotes > li")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A fact[^1].\n\n[^1]: The note.", ["The note."]),
        ("A[^b] and[^a].\n\n[^a]: First.\n[^b]: Second.", ["Second.", "First."]),
        ("A[^x] and again[^x].\n\n[^x]: Once.", ["Once."]),
        ('A[^"><b>].\n\n[^"><b>]: **Bold.**', ["Bold."]),
        ("A[^1].\n\n[^1]: One.\n\n    Two.\n\nText", ["One.\nTwo."]),
        ("| a |\n|---|\n| x[^1] |\n\n[^1]: In a table.", ["In a table."]),
        ("> quote[^1]\n\n[^1]: Below.", ["Below."]),
    ],
)
def test_notes_are_listed_below_the_text(text: str, found: list[str]) -> None:
    assert notes(text) == found
    assert shown(text).css("sup.footnote")[0].text() == "[1]"


@pytest.mark.parametrize(
    "text",
    [
        "A[^1].",
        "`[^1]`",
        "[^a b]: x",
        "Text.\n\n[^1]: Unused.",
        "Text.\n\n[^1]: - Unused list.",
        "`[^1]` x\n\n[^1]: Kept.",
        "x\n\n[^1]:\n\ny",
    ],
)
def test_what_is_no_footnote_stays_text(text: str) -> None:
    assert notes(text) == []
    assert "[^" in shown(text).text()


def test_no_note_is_lost() -> None:
    text = shown("A[^1].\n\n[^1]: One.\n\n[^1]: Again.\n\n[^2]: Unused.").text()
    assert "One." in text and "Again." in text and "Unused." in text


def test_a_note_that_refers_to_itself_ends() -> None:
    assert "Loop" in shown("A[^1].\n\n[^1]: Loop[^1].").text()


def test_names_without_end_cost_little() -> None:
    view = render_markdown("[^1]: x\n\n" + "[^" * 15_000)
    assert view.note is None or "brackets" in view.note
    assert "[^[^" in view.html


def test_a_reference_and_its_note_link_to_each_other() -> None:
    text = "A[^x], B[^y] and again[^x].\n\n[^x]: One.\n[^y]: - Two\n\n<sup>^1</sup>"
    budget = MarkdownBudget()
    pieces = [str(render_markdown(text, anchor="m-7", budget=budget).html) for _ in range(2)]
    assert_harmless("".join(pieces))
    found = parsed("".join(pieces))

    links = [link.attributes for link in found.css("a")]
    ids = [node.attributes["id"] for node in found.css("[id]")]
    assert len(ids) == len(set(ids)) and all(one and one.startswith("m-7-") for one in ids)
    assert [link["href"] for link in links] == [
        f"#m-7-{text}-note{number}"
        for text in (1, 2)
        for number in ("-1", "-2", "-1", "ref-1", "ref-2")
    ]
    assert {(link["href"] or "")[1:] for link in links} == set(ids)


@pytest.mark.parametrize("text", ["[^1]: x", "x[^1]", "^1 [1] <sup>[1]</sup>", "- a\n- b"])
def test_what_is_no_footnote_gets_no_id(text: str) -> None:
    assert not parsed(str(render_markdown(text, anchor="m-7").html)).css("[id], a")
