"""The values of a form around their nouns, for which no part of a text is read twice.

And the text between them, which may be of two sentences.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final

REACH: Final = 70
"""Characters between a noun and its value at most."""

_BORDER: Final = re.compile(
    # A sentence that begins with such a word goes on about the same thing.
    r"\n|(?<!\bN[or])[.!?][\"')]?\s+(?!(?:It|Its|This|That|Es|Er|Sie|C['’]est|Mine|Meine?|New|Neue?s?|Nueva|Nouveau)\b)"
    r"[A-ZÀ-Þ][a-zß-ž]"
)
_TEMPLATE: Final = re.compile(r"[{}\[\]\\|]|\w\(|%[sd]|[!=]=|[?&]\w+=")
"""Signs of code and of templates between a noun and a value."""
_ODD: Final = re.compile(r"[\n.!?{}\[\]\\|(%=]")
"""Signs without which no text ends a sentence, or is code."""


class Values:
    """The matches of `form`, of at most `longest` characters, around `nouns` in ascending order.

    Every value has a `sign` in it.
    """

    def __init__(
        self,
        text: str,
        form: re.Pattern[str],
        sign: re.Pattern[str],
        longest: int,
        nouns: Iterable[tuple[int, int]],
    ) -> None:
        self._text = text
        self._form = form
        self._found: list[re.Match[str]] = []
        begin = end = 0
        for start, stop in nouns:
            if start - REACH > end:
                self._read(begin, end, sign)
                begin = start - REACH
            end = stop + REACH + longest
        self._read(begin, end, sign)
        self._starts = [match.start() for match in self._found]

    def _read(self, begin: int, end: int, sign: re.Pattern[str]) -> None:
        if sign.search(self._text, begin, end):
            self._found += self._form.finditer(self._text, begin, end)

    def iter_after(self, begin: int, end: int) -> Iterator[re.Match[str]]:
        """Yield the values that begin at `begin` or after it, and before `end`."""
        at = bisect_left(self._starts, begin)
        if at and self._found[at - 1].end() > begin:
            # The noun is a part of a longer one.
            yield from self._form.finditer(self._text, begin, end)
            return
        while at < len(self._found) and self._starts[at] < end:
            yield self._found[at]
            at += 1

    def find_before(self, begin: int, end: int) -> re.Match[str] | None:
        """Find the last value between two places."""
        at = bisect_left(self._starts, end) - 1
        if at < 0 or self._found[at].end() <= begin:
            return None
        if self._starts[at] >= begin and self._found[at].end() <= end:
            return self._found[at]
        return max(
            self._form.finditer(self._text, begin, end),
            key=lambda match: match.start(),
            default=None,
        )


def is_apart(between: str) -> bool:
    """Return whether the words between a noun and a value are of two sentences, or of code."""
    return _ODD.search(between) is not None and (
        _BORDER.search(between) is not None or _TEMPLATE.search(between) is not None
    )
