"""Decode the words that characters which nobody sees spell, by the schemes that are known."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterator
from itertools import permutations
from typing import Final

MAX_HIDDEN: Final = 4_000
"""Characters of a run that are decoded."""

_LEAST_KINDS: Final = 2
"""Different characters in a text: a pattern that only repeats spells one."""
_LEAST_BITS: Final = 4
"""Of a character that stands apart: those of a line break and a tab, which have the fewest."""
_LEAST_DIGITS: Final = 40
"""Of base 4, those of ten letters; fewer may spell some by chance in one of 24 readings."""
_MOST_DIGITS: Final = 30
"""Of a character with marks between its bytes; if they are more, hardly any of them are digits."""
_MOST_BITS: Final = 21
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
    data = bytes(number for number in numbers if number is not None)
    return _decode_bytes(data, is_cut=len(run) > MAX_HIDDEN) or ""


def parse_selector(character: str) -> int | None:
    """Parse the number of a variation selector from 0, by which texts hide bytes."""
    code = ord(character)
    if 0xFE00 <= code <= 0xFE0F:
        return code - 0xFE00
    return code - 0xE0100 + 16 if 0xE0100 <= code <= 0xE01EF else None


def decode_bits(run: str) -> str:
    """Decode a run of characters of no width, which are digits; empty if they spell nothing.

    Two are bits. A third one may stand between the characters or at the ends. Either of the two may
    be the 0, and characters have 8 or 7 bits, or as many as they need if they stand apart. Four are
    digits of base 4, of bytes or of UTF-16. Of several readings the one with the most letters is
    returned.
    """
    run = run[:MAX_HIDDEN]
    kinds = sorted(set(run))
    if not 2 <= len(kinds) <= 4 or len(run) < _LEAST_KINDS * _LEAST_BITS:
        return ""
    # Those of ASCII are replaced much faster, and that is done for each reading.
    letters = "abcd"[: len(kinds)]
    run = run.translate(dict(zip(map(ord, kinds), letters, strict=True)))
    readings: set[str] = set()
    if len(kinds) < 4:
        for zero, one, *apart in permutations(letters):
            readings.update(_read_bits(run, zero, one, apart))
    elif len(run) >= _LEAST_DIGITS:
        for digits in permutations("0123"):
            numbers = dict(zip(map(ord, letters), digits, strict=True))
            found = max(_read_digits(run.translate(numbers)), key=_rate, default="")
            # Digits in another order are often letters, too, of languages with many.
            if [*digits] == sorted(digits) and _rate(found) > 0.7:
                return found
            readings.add(found)
    best = max(readings, key=lambda words: (_rate(words), words), default="")
    return best if _rate(best) > 0.7 and len(best) * _MOST_DIGITS >= len(run) else ""


def _read_bits(run: str, zero: str, one: str, apart: list[str]) -> Iterator[str]:
    bits = run.translate({ord(zero): "0", ord(one): "1", **{ord(mark): " " for mark in apart}})
    groups = bits.split()
    sizes = set(map(len, groups))
    if len(groups) > 1 and min(sizes) >= _LEAST_BITS and max(sizes) <= _MOST_BITS:
        codes = [int(group, 2) for group in groups]
        if max(codes) <= _LARGEST and not any(0xD800 <= code < 0xE000 for code in codes):
            yield from filter(_is_readable, ["".join(map(chr, codes))])
    joined, is_cut = "".join(groups), len(run) == MAX_HIDDEN
    for size in (8, 7):
        # A run that was cut may end within a character.
        end = len(joined) - len(joined) % size
        if end and (is_cut or end == len(joined)):
            octets = "".join(joined[at : at + size].zfill(8) for at in range(0, end, size))
            if words := _decode_bytes(int(octets, 2).to_bytes(end // size, "big"), is_cut=is_cut):
                yield words


def _read_digits(digits: str) -> Iterator[str]:
    is_cut = len(digits) == MAX_HIDDEN
    for size, encoding in ((4, "utf-8"), (8, "utf-16-be")):
        end = len(digits) - len(digits) % size
        if is_cut or end == len(digits):
            data = int(digits[:end], 4).to_bytes(end // 4, "big")
            words = _decode_bytes(data, is_cut=is_cut, encoding=encoding)
            # Any two bytes are likely to be a character of East Asia in UTF-16.
            if words and (size == 4 or max(words) < "\u0500"):
                yield words


def _decode_bytes(data: bytes, *, is_cut: bool, encoding: str = "utf-8") -> str | None:
    try:
        words = getincrementaldecoder(encoding)().decode(data, final=not is_cut)
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
