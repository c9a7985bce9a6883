"""Matches in folded texts, cut out of the texts as they were written."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.finding import FoldedText, fold_text

LETTERS = st.text(st.sampled_from("aeßẞéÉ\u0301\u0323İıſKﬁΣσς가각\u11a8か\u3099 \n😀"), max_size=30)


def matches(written: str, term: str, *, keeps_case: bool = False) -> list[str]:
    text = FoldedText(written, keeps_case=keeps_case)
    folded = fold_text(term, keeps_case=keeps_case)
    return [written[slice(*span)] for span in text.iter_spans(folded)]


@pytest.mark.parametrize(
    ("written", "term", "expected"),
    [
        # One letter that folding makes longer, and one that it makes shorter.
        ("ße\u0301", "é", ["e\u0301"]),
        ("e\u0301ß needle", "needle", ["needle"]),
        ("Straße und STRASSE", "sse", ["ße", "SSE"]),
        ("Straße e\u0301", "as", ["aß"]),
        ("xße\u0301y", "sé", ["ße\u0301"]),
        ("ÉTUDE", "tude", ["TUDE"]),
        ("Cafe\u0301, café, cafe", "CAFÉ", ["Cafe\u0301", "café"]),
        ("Cafe\u0301, café, cafe", "cafe", ["cafe"]),
        ("ﬁnd, FIND", "find", ["ﬁnd", "FIND"]),
        ("aaaa", "aa", ["aa", "aa"]),
        ("two\nlines", "o\nL", ["o\nl"]),
    ],
)
def test_matches_are_cut_out_as_they_were_written(
    written: str, term: str, expected: list[str]
) -> None:
    assert matches(written, term) == expected


def test_case_can_be_kept_and_accents_count_all_the_same() -> None:
    assert matches("Cafe\u0301 café", "café", keeps_case=True) == ["café"]
    assert matches("STRASSE Straße", "Straße", keeps_case=True) == ["Straße"]


@pytest.mark.parametrize("filler", ["ß. ", "e\u0301 ", "か\u3099", "ก็"])
def test_a_match_far_into_a_text_of_other_lengths_is_found(filler: str) -> None:
    written = f"{filler * 3_000}Needle{filler * 3_000}"
    assert matches(written, "needle") == ["Needle"]


def test_places_are_exact_between_letters_that_folding_makes_shorter_and_longer() -> None:
    assert [*FoldedText("e\u0301 aaaa ß").iter_spans("aa")] == [(3, 5), (5, 7)]


def test_many_combining_marks_in_a_row_are_folded_soon() -> None:
    marks = "\u0301\u0316" * 100_000
    text = FoldedText(f"E{marks} Cafe\u0301")
    assert len(text.folded) == len(text.written) - 2
    assert [text.written[slice(*span)] for span in text.iter_spans("café")] == ["Cafe\u0301"]


@pytest.mark.parametrize("letters", ["E\u0301", "か\u3099", "각", "\u1100\u1161\u11a8", "Σß", "É"])
def test_large_texts_are_folded_like_small_ones(letters: str) -> None:
    for shift in range(4):
        text = "x" * shift + letters * 150_000 + " x" + letters
        composed = unicodedata.normalize("NFC", text).casefold()
        assert fold_text(text) == unicodedata.normalize("NFC", composed)


@given(LETTERS, LETTERS)
def test_a_match_folds_to_what_was_searched_for(written: str, term: str) -> None:
    folded = fold_text(term)
    if not folded or unicodedata.combining(folded[0]):
        return
    for one in matches(written, term):
        assert folded in fold_text(one)
