"""Find out in one pass over a text which rules can find anything in it.

Nearly all texts hold nothing to mask. Each rule therefore has an expression of RE2 that matches
wherever the rule may find something, and more; all of them run side by side.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

import re2

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_MEMORY: Final = 16 * 1024 * 1024
"""The memory for the expressions of a pass and their states, in bytes."""

_MANY: Final = 24
"""As many are searched for together."""


class PrefilterError(RuntimeError):
    """The expressions ran out of memory, so the text was not searched to its end."""


class Prefilter:
    """Searches for several expressions at once; safe to share between threads."""

    def __init__(self, needs: Sequence[str]) -> None:
        options = re2.Options()
        options.max_mem = _MEMORY
        options.log_errors = False
        self._set = re2.Set.SearchSet(options)
        for one in needs:
            if self._set.Add(one) < 0:
                raise ValueError(f"not an expression of RE2: {one}")
        # Matches every text: no match at all is a failure.
        self._end = self._set.Add("")
        self._nothing = [self._end]
        self._set.Compile()

    def find(self, encoded: bytes) -> list[int]:
        """Find the positions of the expressions that match a text, in ascending order.

        Raises `PrefilterError` if the text could not be searched.
        """
        found: list[int] = self._set.Match(encoded)
        if found == self._nothing:
            return []
        if self._end not in found:
            raise PrefilterError("A text could not be searched for secrets.")
        found.remove(self._end)
        found.sort()
        return found


def find_hints(text: str, hints: Sequence[str]) -> Sequence[str]:
    """Find those of many hints that are in a text, in their order; a few are all returned.

    One pass takes less time than a search for each of them.
    """
    if len(hints) < _MANY:
        return hints
    return [hints[at] for at in _compile_hints(tuple(hints)).find(encode(text))]


@cache
def _compile_hints(hints: tuple[str, ...]) -> Prefilter:
    return Prefilter([re.escape(hint) for hint in hints])


def encode(text: str) -> bytes:
    """Encode `text` for the search; a lone surrogate, which no rule needs, becomes `?`."""
    if "İ" in text:
        # Without case this letter is an i to the rules, and another letter to RE2.
        text = f"{text}\n{text.replace('İ', 'i')}"
    return text.encode("utf-8", "replace")


def replace_surrogates(text: str) -> str:
    """Replace each lone surrogate, which RE2 cannot read, by `?`; all places stay the same."""
    return text if text.isascii() else _SURROGATE.sub("?", text)


def prepare(text: str) -> str | bytes:
    """Prepare `text` for RE2, whose places are the same; it counts those of bytes in less time."""
    return text.encode() if text.isascii() else replace_surrogates(text)


def lower(text: str) -> str:
    """Convert `text` to lower case, each character in its place."""
    lowered = text.lower()
    # Only one letter has a longer lower case.
    return lowered if len(lowered) == len(text) else text.replace("İ", "i").lower()
