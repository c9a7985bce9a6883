"""Fold texts for searches, and find the places of matches in the texts as they were written."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Final

_UNSTORABLE: Final = re.compile(r"[\x00\x1d\x1e\ud800-\udfff]")
_PART: Final = 128 * 1024
"""Characters of a text that are folded at once; that holds the interpreter."""
_NEVER_COMPOSED: Final = re.compile(
    r"[\x00-\x7f\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3]"
)
"""A character that is never composed with the one before."""
_PIECE: Final = re.compile(
    rf".{{1,200}}(?={_NEVER_COMPOSED.pattern}|\Z)|.{{1,200}}",
    re.DOTALL,
)
"""A piece of a text, if possible up to a character that is never composed with the one before."""
_SHORT: Final = 256
_MARKS: Final = 64
_MARK: Final = r"[^\w\x00-\x7f\u2000-\u20cf\u2100-\u2bff\u3000-\u3029\ufe30-\uffff]"
_LONG_RUN: Final = re.compile(rf"{_MARK}(?<!{_MARK}{_MARK}){_MARK}{{{_MARKS - 1},}}")
"""A run of characters that may be combining marks, from its start."""


def fold_text(text: str, *, keeps_case: bool = False) -> str:
    """Fold `text` for search: without case, in NFC, and storable in both databases."""
    if text.isascii():
        folded = text if keeps_case else text.lower()
        if "\x00" not in folded and "\x1d" not in folded and "\x1e" not in folded:
            return folded
    pieces = []
    for piece in _iter_pieces(text):
        composed = unicodedata.normalize("NFC", piece)
        folded = composed if keeps_case else unicodedata.normalize("NFC", composed.casefold())
        pieces.append(_UNSTORABLE.sub("\ufffd", folded))
    return "".join(pieces)


def _iter_pieces(text: str) -> Iterator[str]:
    """Yield `text` in pieces that can be folded alone, each in a bounded time."""
    start = 0
    while len(text) - start > _PART and (
        safe := _NEVER_COMPOSED.search(text, start + _PART, start + 2 * _PART)
    ):
        yield from _cut_runs_of_marks(text[start : safe.start()])
        start = safe.start()
    rest = text[start:]
    yield from _cut_runs_of_marks(rest) if len(rest) > _SHORT else (rest,)


def _cut_runs_of_marks(text: str) -> list[str]:
    """Cut a text after every 64 combining marks in a row.

    To compose more takes a time that grows with the square of their number.
    """
    cuts: list[int] = []
    for run in _LONG_RUN.finditer(text):
        cuts += range(run.start() + _MARKS, run.end(), _MARKS)
    return [text[start:end] for start, end in pairwise([0, *cuts, len(text)])]


class FoldedText:
    """A text as it was `written`, and `folded` for search.

    Folding may change the length of a text, such as of `ß`, or of a letter beside its accent.
    """

    def __init__(self, written: str, *, keeps_case: bool = False) -> None:
        self.written = written
        self._keeps_case = keeps_case
        self.folded = self._fold(written)

    def iter_spans(self, term: str) -> Iterator[tuple[int, int]]:
        """Yield where each match of a folded `term` starts and ends in the text as written."""
        start = self.folded.find(term)
        while start >= 0:
            end = start + len(term)
            yield self._locate(start, end)
            start = self.folded.find(term, end)

    def _fold(self, text: str) -> str:
        return fold_text(text, keeps_case=self._keeps_case)

    def _locate(self, start: int, end: int) -> tuple[int, int]:
        if self.written.isascii():
            return start, end
        first, _ = self._find_place(start)
        last, is_exact = self._find_place(end)
        # The term may end within the letters that one is folded to.
        return first, last if is_exact else last + 1

    def _find_place(self, at: int) -> tuple[int, bool]:
        """Find the last place that folds to `at` or less, and whether it folds to just that."""
        pieces, starts, folded_starts = self._pieces
        index = min(bisect_right(folded_starts, at) - 1, len(pieces) - 1)
        piece, rest = pieces[index], at - folded_starts[index]

        def measure(place: int) -> int:
            return len(self._fold(piece[:place]))

        # Most letters are folded to one.
        if measure(rest) == rest < measure(rest + 1):
            return starts[index] + rest, True
        place = bisect_right(range(len(piece) + 1), rest, key=measure) - 1
        return starts[index] + place, measure(place) == rest

    @cached_property
    def _pieces(self) -> tuple[list[str], list[int], list[int]]:
        """The pieces of the text, with where they start in it, and in the folded text."""
        pieces = _PIECE.findall(self.written)
        starts = [0, *accumulate(map(len, pieces))]
        folded_starts = [0, *accumulate(len(self._fold(piece)) for piece in pieces)]
        return pieces, starts, folded_starts
