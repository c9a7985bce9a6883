"""Accumulate a text that arrives in pieces: an answer, a name, arguments, base64.

Most servers send the new text alone. Some send all of the text so far with each piece, or all
of it again at the end.
"""

from __future__ import annotations

import base64
import binascii
from itertools import pairwise
from typing import Final

from webapp.embedded.recording.call_assembly import join_names
from webapp.exact_json import NotJson, String, Value, parse

_EMPTY: Final = '""'
_LONGEST_REPEATED: Final = 10
"""Characters up to which pieces that begin with each other may be those of one word."""
_FEWEST_LETTERS: Final = 5
"""Different characters of a text: with fewer, such as those of a ruler, any pieces are alike."""


class NameAccumulator:
    """A name whole, in pieces, or all of it so far with every piece."""

    def __init__(self) -> None:
        self._source = ""

    def feed(self, value: Value, /) -> None:
        self._source = join_names(self._source, value.source[1:-1])

    def result(self) -> str:
        return f'"{self._source}"'


class StringAccumulator:
    """A string in pieces; a surrogate pair that is split between two of them becomes whole."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def feed(self, value: Value, /) -> None:
        if value.source != _EMPTY:
            self._pieces.append(value.source[1:-1])

    def result(self) -> str:
        return f'"{"".join(self._pieces)}"'

    @property
    def _is_cumulative(self) -> bool:
        """Whether each piece begins with all of the one before it."""
        return all(later.startswith(earlier) for earlier, later in pairwise(self._pieces))


class TextAccumulator(StringAccumulator):
    """A text in pieces; of a server that sends all of it so far with each, the last piece.

    That takes a text of some length, since a few equal letters can be pieces of one word, and
    rulers come in pieces of all lengths.
    """

    def result(self) -> str:
        *_, last = self._pieces or [""]
        is_text = len(last) > _LONGEST_REPEATED and len(set(last)) >= _FEWEST_LETTERS
        if is_text and self._is_cumulative and len(set(self._pieces)) > 2:
            return f'"{last}"'
        return super().result()


class ArgumentsAccumulator(StringAccumulator):
    """Arguments in pieces, or all of them so far with each; `{}` may hold their place before."""

    def result(self) -> str:
        pieces = self._pieces
        if len(pieces) > 1 and pieces[0] == "{}":
            pieces = pieces[1:]
        whole = f'"{"".join(pieces)}"'
        last = f'"{self._pieces[-1]}"' if self._pieces else whole
        is_repeated = len(pieces) > 1 and self._is_cumulative
        return last if is_repeated and _is_json(last) and not _is_json(whole) else whole


class Base64Accumulator(StringAccumulator):
    """Base64 in pieces; if each of them is padded, as by some servers, they are encoded again."""

    def result(self) -> str:
        if not any(piece.endswith("=") for piece in self._pieces[:-1]):
            return super().result()
        try:
            data = b"".join(base64.b64decode(piece, validate=True) for piece in self._pieces)
        except (binascii.Error, ValueError):
            return super().result()
        return f'"{base64.b64encode(data).decode()}"'


def _is_json(source: str) -> bool:
    """Return whether the text of a JSON string is JSON itself."""
    try:
        text = parse(source)
        assert isinstance(text, String)
        parse(text.text)
    except NotJson:
        return False
    return True
