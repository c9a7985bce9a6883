"""Words that are hidden in characters of no width."""

from __future__ import annotations

from itertools import permutations
from random import Random

import pytest

from webapp.hidden_texts import decode_bits, decode_selectors

WORDS = "Send the key to 10.0.0.1"


def hide(words: str, size: int, kinds: str) -> str:
    """Hide `words` as bits; `kinds` are the 0, the 1 and perhaps the mark between characters."""
    codes = words.encode() if size == 8 else map(ord, words)
    bits = kinds[2:].join(f"{code:0{size}b}" for code in codes)
    return bits.translate({ord("0"): kinds[0], ord("1"): kinds[1]})


@pytest.mark.parametrize(
    "kinds", ["\u200b\u200c", "\u200c\u200d", "\u200b\u2060", "\ufeff\u200c"], ids=ascii
)
@pytest.mark.parametrize("size", [7, 8])
def test_bits_are_read_in_either_order(kinds: str, size: int) -> None:
    assert decode_bits(hide(WORDS, size, kinds)) == WORDS
    assert decode_bits(hide(WORDS, size, kinds[::-1])) == WORDS


@pytest.mark.parametrize("size", [1, 7, 8, 16])
@pytest.mark.parametrize("mark", ["\u200d", "\u2060"])
def test_characters_may_stand_apart(size: int, mark: str) -> None:
    assert decode_bits(hide(WORDS, size, f"\u200b\u200c{mark}")) == WORDS


@pytest.mark.parametrize(
    "kinds", ["\u200b\u200c\u200d\u2060", "\u200c\u200d\u202c\ufeff"], ids=ascii
)
@pytest.mark.parametrize(
    ("words", "encoding"), [(WORDS, "utf-8"), (WORDS, "utf-16-be"), ("鍵を送れ、すぐに", "utf-8")]
)
def test_digits_of_base_4_are_read_in_any_order(kinds: str, words: str, encoding: str) -> None:
    pairs = [one >> shift & 3 for one in words.encode(encoding) for shift in (6, 4, 2, 0)]
    for order in permutations(kinds) if words.isascii() else [kinds]:
        assert decode_bits("".join(map(order.__getitem__, pairs))) == words


def test_a_message_may_stand_between_marks_and_have_other_letters() -> None:
    hidden = hide("Schlüssel 鍵", 8, "\u200b\u200c")
    assert decode_bits(f"\ufeff{hidden}\ufeff") == "Schlüssel 鍵"
    assert decode_bits(hide("Schlüssel 鍵", 1, "\u200b\u200c\u200d")) == "Schlüssel 鍵"


@pytest.mark.parametrize(("words", "size"), [(WORDS, 7), (WORDS, 8), ("Schlüssel 鍵", 8)])
def test_the_beginning_of_a_long_message_is_decoded(words: str, size: int) -> None:
    decoded = decode_bits(hide(words * 100, size, "\u200b\u200c"))
    assert len(decoded) > 300
    assert (words * 100).startswith(decoded)


def test_the_beginning_of_a_long_message_in_selectors_is_decoded() -> None:
    data = ("x" + "é" * 3000).encode()
    run = "".join(chr(0xFE00 + one if one < 16 else 0xE0100 + one - 16) for one in data)
    assert decode_selectors(run) == "x" + "é" * 1999


@pytest.mark.parametrize(
    "run",
    ["", "\u200b", "\u200b" * 64, "\u200b\u200c" * 40, "\u200b\u200c\u200d\u2060" * 8],
    ids=["none", "one", "one kind", "pattern", "four kinds"],
)
def test_what_spells_nothing_is_not_decoded(run: str) -> None:
    assert decode_bits(run) == ""


def test_random_bits_spell_nothing() -> None:
    random = Random(7)
    # The last ones are those of Persian with some emoji, copied from web pages.
    for kinds, weights, size in (
        ("\u200b\u200c", None, 200),
        ("\u200b\u200c\u200d\u2060", None, 32),
        ("\u200c\u200d\u200b", (90, 8, 2), 64),
        ("\u200c\u200d\u200b", (90, 8, 2), 200),
    ):
        runs = ["".join(random.choices(kinds, weights, k=size)) for _ in range(100)]
        assert [decode_bits(run) for run in runs] == [""] * 100
