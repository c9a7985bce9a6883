"""Compare two texts word by word, or line by line if they are long."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from webapp.analysis.differences.aligning import Budget, align
from webapp.media.finding import ENCODED

Unit: TypeAlias = Literal["words", "lines", "all"]

LONGEST_BY_WORDS: Final = 200_000
"""Characters of both texts, without base64 and those that they begin and end with in common."""

_BLANKS: Final = (" ", "\n")
_LEAST_COMMON: Final = 0.3
"""Texts that have less in common are shown one after the other: they are not versions of one."""

# Scripts without spaces are compared character by character; marks stay with their letters, and
# emoji with the characters that they are joined to. The base64 of a picture is one word.
_ALONE: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_MARKS: Final = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u109f\u1780-\u17ff\u200c"
)
_JOINED: Final = "\u0300-\u036f\ufe00-\ufe0f\U0001f3fb-\U0001f3ff"
_TOKEN: Final = re.compile(
    rf"{ENCODED}|[{_ALONE}]|(?:[^\W{_ALONE}]|[{_MARKS}])+|\s+"
    rf"|[^\w\s](?:[{_JOINED}]|\u200d[^\w\s])*"
)
_ENCODED: Final = re.compile(ENCODED)


@dataclass(frozen=True, slots=True)
class Edit:
    """A piece of both texts if `before` and `after` are equal, otherwise one that changed."""

    before: str
    after: str

    @property
    def is_equal(self) -> bool:
        return self.before == self.after


@dataclass(frozen=True, slots=True)
class TextDifference:
    """The edits that turn one text into another, and the `unit` of which they consist.

    The unit is `all` if the texts have too little in common, or are too long to compare.
    """

    edits: tuple[Edit, ...]
    unit: Unit


def compare_texts(a: str, b: str, budget: Budget | None = None) -> TextDifference:
    """Compute the edits that turn `a` into `b`: those of words, or of lines in long texts."""
    start, end = _measure_common_ends(a, b)
    before, after = a[start : len(a) - end], b[start : len(b) - end]
    size = _measure_words(before) + _measure_words(after)
    unit: Unit = "words" if size <= LONGEST_BY_WORDS else "lines"
    edits = _compare_parts(before, after, unit, budget)
    equal = (edit.before for edit in edits if edit.is_equal and not edit.before.isspace())
    common = sum(map(_measure_words, equal))
    is_scattered = sum(not edit.is_equal for edit in edits) > 1
    if is_scattered and 2 * common < _LEAST_COMMON * size:
        edits = [Edit(before, after)]
    if len(edits) == 1 and not edits[0].is_equal and not start and not end:
        unit = "all"
    if start:
        edits.insert(0, Edit(a[:start], a[:start]))
    if end:
        edits.append(Edit(a[-end:], a[-end:]))
    return TextDifference(tuple(edits), unit)


def _measure_common_ends(a: str, b: str) -> tuple[int, int]:
    """Count the characters both texts begin and end with, up to a blank or a line's end."""
    shorter = min(len(a), len(b))
    head = _bisect(shorter, lambda size: a[:size] == b[:size])
    head = max(a.rfind(blank, 0, head) for blank in _BLANKS) + 1
    tail = _bisect(shorter - head, lambda size: a[len(a) - size :] == b[len(b) - size :])
    blanks = (a.find(blank, len(a) - tail) for blank in _BLANKS)
    return head, len(a) - min((at for at in blanks if at >= 0), default=len(a))


def _measure_words(text: str) -> int:
    """Count the characters of `text`, without those of base64."""
    return len(text) - sum(len(one[0]) for one in _ENCODED.finditer(text))


def _bisect(most: int, fits: Callable[[int], bool]) -> int:
    """Find the largest size up to `most` that fits, if all smaller ones fit as well."""
    return bisect_left(range(1, most + 1), True, key=lambda size: not fits(size))


def _compare_parts(before: str, after: str, unit: Unit, budget: Budget | None) -> list[Edit]:
    """Compute the edits of words or lines; changes with only a blank between them are one."""
    a, b = (
        _TOKEN.findall(text) if unit == "words" else text.splitlines(keepends=True)
        for text in (before, after)
    )
    edits: list[Edit] = []
    for span in align(a, b, budget):
        edit = Edit("".join(a[span.a_start : span.a_end]), "".join(b[span.b_start : span.b_end]))
        blank = edits[-1] if len(edits) > 1 else edit
        is_blank = blank.before.isspace() and "\n" not in blank.before
        if not edit.is_equal and blank.is_equal and is_blank:
            edits.pop()
            first = edits.pop()
            edit = Edit(
                first.before + blank.before + edit.before, first.after + blank.after + edit.after
            )
        edits.append(edit)
    return edits
