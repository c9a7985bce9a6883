"""Words and lines that differ between two texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked
from webapp.analysis.differences import Budget, align, compare_texts
from webapp.analysis.differences.texts import LONGEST_BY_WORDS

_words = st.lists(
    st.sampled_from(
        ["harbour", "ferry", " ", "  ", "\n", ", ", "東京", "é", "👩‍🚀", "\ud800", "A1"]
    )
).map("".join)


def marked(a: str, b: str) -> str:
    """The edits of two texts in one line, as `equal [-deleted-]{+inserted+}`."""
    pieces = []
    for edit in compare_texts(a, b).edits:
        if edit.is_equal:
            pieces.append(edit.before)
        else:
            pieces += [f"[-{edit.before}-]"] if edit.before else []
            pieces += [f"{{+{edit.after}+}}"] if edit.after else []
    return "".join(pieces)


@given(a=_words | st.text(), b=_words | st.text())
@checked
def test_the_edits_turn_one_text_into_the_other(a: str, b: str) -> None:
    edits = compare_texts(a, b).edits

    assert "".join(edit.before for edit in edits) == a
    assert "".join(edit.after for edit in edits) == b
    assert all(edit.before or edit.after for edit in edits)


@given(st.lists(st.integers(0, 3)), st.lists(st.integers(0, 3)), st.integers(0, 30))
@checked
def test_spans_cover_both_sequences_and_equal_ones_are_equal(
    a: list[int], b: list[int], steps: int
) -> None:
    spans = align(a, b, Budget(steps))
    rebuilt = [item for span in spans for item in b[span.b_start : span.b_end]]

    assert rebuilt == b
    assert [item for span in spans for item in a[span.a_start : span.a_end]] == a
    assert all(a[one.a_start : one.a_end] == b[one.b_start : one.b_end] for one in spans if one[0])


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("The quick brown fox", "The slow brown fox", "The [-quick-]{+slow+} brown fox"),
        ("at 12:04 in port", "at 12:05 in port", "at 12:[-04-]{+05+} in port"),
        ("one two three four", "one 2 3 four", "one [-two three-]{+2 3+} four"),
        ("one\ntwo\nthree", "one\nthree", "one\n[-two\n-]three"),
        ("東京都に行く", "東京に行った", "東京[-都-]に行[-く-]{+った+}"),
        ("a crew: 👩‍🚀 ok", "a crew: 👨‍🚀 ok", "a crew: [-👩‍🚀-]{+👨‍🚀+} ok"),
        ("Ja.", "Nothing like it at all", "[-Ja.-]{+Nothing like it at all+}"),
    ],
)
def test_words_are_what_differs(a: str, b: str, expected: str) -> None:
    assert marked(a, b) == expected


def test_texts_with_little_in_common_are_replaced_as_wholes() -> None:
    found = compare_texts(
        "The ferry leaves at nine, if at all.", "Is rain a reason, or if not all?"
    )

    assert (len(found.edits), found.unit) == (1, "all")


def test_long_texts_are_compared_by_lines_and_their_common_ends_cost_nothing() -> None:
    lines = [f"line {number} of the log\n" for number in range(LONGEST_BY_WORDS // 20)]
    changed = [*lines]
    changed[1], changed[-2] = "another second line\n", "another last but one\n"
    by_lines = compare_texts("".join(lines), "".join(changed))
    by_words = compare_texts("x " * LONGEST_BY_WORDS + "one", "x " * LONGEST_BY_WORDS + "two")

    # The end of a line that both have is cut off as a common end.
    assert by_lines.unit == "lines"
    assert [edit.after for edit in by_lines.edits if not edit.is_equal] == [
        "another second line\n",
        "another last but one",
    ]
    assert [(edit.before, edit.after) for edit in by_words.edits[1:]] == [("one", "two")]


def test_base64_is_one_word_however_long() -> None:
    pictures = [f"data:image/png;base64,{letter * LONGEST_BY_WORDS}==" for letter in "ABC"]
    found = compare_texts(
        f"See ![a]({pictures[0]}) and {pictures[2]} here.",
        f"See ![a]({pictures[1]}) and {pictures[2]} there.",
    )

    assert [(one.before, one.after) for one in found.edits if not one.is_equal] == [
        (pictures[0], pictures[1]),
        ("here", "there"),
    ]


def test_without_a_budget_the_middle_is_replaced() -> None:
    found = compare_texts("start a b c end", "start a x c y end", Budget(0))

    assert [(edit.before, edit.after) for edit in found.edits] == [
        ("start a ", "start a "),
        ("b c", "x c y"),
        (" end", " end"),
    ]
