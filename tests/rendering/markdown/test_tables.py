"""Tables: every cell of a row is shown, and a cell may have several lines."""

from __future__ import annotations

import pytest

from tests.support.html import assert_harmless, parsed
from webapp.rendering import render_markdown

HEAD = "| Sign | Name | Use |\n|---|---|---|\n"


def cells(text: str, selector: str = "td") -> list[str]:
    """Return the cells of the rows below the head, each line break as `/`."""
    found = str(render_markdown(text).html)
    assert_harmless(found)
    nodes = parsed(found.replace("<br>", "/")).css(selector)
    return [node.text().replace("\n", "") for node in nodes]


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ("| a | b | c |", ["a", "b", "c"]),
        ("| a || b | logical or | x |", ["a", "", "b | logical or | x"]),
        ("a | b | c | d", ["a", "b", "c | d"]),
        ("|a|b|c||d|", ["a", "b", "c |  | d"]),
        ("| a | b | c | |", ["a", "b", "c"]),
        ("| a | b | c ||", ["a", "b", "c"]),
        ("| a | b | | d |", ["a", "b", "| d"]),
        (r"| a \| b | b | c \| d |", ["a | b", "b", "c | d"]),
        (r"| a \| b | b | c | d \|", ["a | b", "b", "c | d |"]),
        ("| a | b |", ["a", "b", ""]),
        ("| a | b | c | **d** | `e` |", ["a", "b", "c | d | e"]),
        ("| `x | y` | b | c |", ["x | y", "b", "c"]),
        ("| a | b | `x || y`, `|` |", ["a", "b", "x || y, |"]),
        ("| a | b | c | `d |", ["a", "b", "c | `d"]),
        ("| | | |", ["", "", ""]),
        (r"a \| b \| c \| d", ["a | b | c | d", "", ""]),
    ],
)
def test_cells_beyond_the_columns_are_appended_to_the_last(row: str, shown: list[str]) -> None:
    assert cells(HEAD + row) == shown


@pytest.mark.parametrize(("first", "next_"), [("> ", "> "), ("- ", "  "), ("1. > ", "   > ")])
def test_cells_beyond_the_columns_are_kept_wherever_a_table_is(first: str, next_: str) -> None:
    text = HEAD + "| a | b | c | d |\n| e |"

    assert cells(first + text.replace("\n", f"\n{next_}")) == ["a", "b", "c | d", "e", "", ""]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("a<br>b", "a/b"),
        ("a <br/> b", "a/b"),
        ("a<br />b<BR>c", "a/b/c"),
        ("`a<br>b`", "a<br>b"),
        (r"a\<br>b", "a<br>b"),
        ("a<br class=x>b", "a<br class=x>b"),
        ("<broken>", "<broken>"),
    ],
)
def test_a_cell_may_have_several_lines(cell: str, shown: str) -> None:
    assert cells(f"| {cell} |\n|---|\n| {cell} |", "th, td") == [shown, shown]


def test_a_break_outside_a_table_breaks_the_line_as_well() -> None:
    assert parsed(str(render_markdown("a<br>b").html)).text().strip() == "a\nb"
