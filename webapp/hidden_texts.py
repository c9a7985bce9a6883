"""Decode the words that characters which nobody sees spell, by the schemes that are known."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Final

MAX_HIDDEN: Final = 4_000
"""Characters of a run that are decoded."""

_LEAST_KINDS: Final = 2
"""Different characters in a text: a pattern that only repeats spells one."""
_LARGEST: Final = 0x10FFFF


def decode_tags(run: str) -> str:
    """Decode tag characters, each of which stands for one of ASCII; others are left out."""
    letters = (chr(ord(one) - 0xE0000) for one in run if 0xE0000 <= ord(one) <= 0xE007F)
    return "".join(letter for letter in letters if letter.isprintable())


def decode_selectors(run: str) -> str:
    """Decode variation selectors, whose numbers from 0 are bytes; empty if they spell nothing."""
    numbers = [parse_selector(character) for character in run[:MAX_HIDDEN]]
    if len(run) < 3 or None in numbers:
        return ""
    words = _decode_bytes(bytes(number for number in numbers if number is not None))
    return words or ""


def parse_selector(character: str) -> int | None:
    """Parse the number of a variation selector from 0, by which texts hide bytes."""
    code = ord(character)
    if 0xFE00 <= code <= 0xFE0F:
        return code - 0xFE00
    return code - 0xE0100 + 16 if 0xE0100 <= code <= 0xE01EF else None


def decode_bits(run: str) -> str:
    """Decode a run of two characters of no width, which are bits; empty if they spell nothing.

    A third one may stand between the characters or at the ends. Either of the two may be the 0,
    and characters have 8 or 7 bits, or as many as they need if they stand apart. Of several
    readings the one with the most letters is returned.
    """
    kinds = sorted(set(run[:MAX_HIDDEN]))
    if not 2 <= len(kinds) <= 3:
        return ""
    readings = {
        words
        for zero, one, *apart in permutations(kinds)
        for words in _read_bits(run[:MAX_HIDDEN], zero, one, apart)
    }
    best = max(readings, key=lambda words: (_rate(words), words), default="")
    return best if _rate(best) > 0.7 else ""


def _read_bits(run: str, zero: str, one: str, apart: list[str]) -> Iterator[str]:
    bits = run.translate({ord(zero): "0", ord(one): "1", **{ord(mark): " " for mark in apart}})
    groups = bits.split()
    if len(groups) > 1 and max(map(len, groups)) <= 21:
        codes = [int(group, 2) for group in groups]
        if max(codes) <= _LARGEST and not any(0xD800 <= code < 0xE000 for code in codes):
            yield from filter(_is_readable, ["".join(map(chr, codes))])
    joined = "".join(groups)
    for size in (8, 7):
        if len(joined) % size == 0:
            pieces = (joined[at : at + size] for at in range(0, len(joined), size))
            if words := _decode_bytes(bytes(int(piece, 2) for piece in pieces)):
                yield words


def _decode_bytes(data: bytes) -> str | None:
    try:
        words = data.decode()
    except UnicodeDecodeError:
        return None
    return words if _is_readable(words) else None


def _is_readable(words: str) -> bool:
    return len(set(words)) >= _LEAST_KINDS and all(
        one.isprintable() or one in "\n\t" for one in words
    )


def _rate(words: str) -> float:
    """Rate how much of a text is letters, digits and spaces."""
    return sum(one.isalnum() or one == " " for one in words) / len(words) if words else 0
