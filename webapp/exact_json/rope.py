"""Hold the long strings of a large JSON text apart, so that an emoji does not quadruple them.

Python stores a text with one character beyond U+FFFF in four bytes a character. A message with
images in base64 would take four times its size, and each image as much again when it is read.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

LEAST: Final = 1024 * 1024
"""Bytes of a text from which on its long strings are held apart."""
_LONG: Final = 4_096
_WINDOW: Final = 1024 * 1024
_OVERLAP: Final = 512
"""Bytes, more than an opening has."""
_MARK: Final = "x"
"""One letter, so that a text with a string at a wrong place is not JSON without it either."""

_OPENING: Final = re.compile(rb'"(?=(?:data:[^",\\]{1,200},)?[A-Za-z0-9+/_-]{64})')
"""The quote before media: in JSON it cannot be a closing one, which no letter follows."""
_ESCAPE: Final = ord("\\")


class Rope:
    """A JSON text in pieces: in `text` one letter stands for each of `strings`, at `places`.

    Positions are those in `text`. A slice is the text as written between two of them.
    """

    __slots__ = ("_places", "_strings", "text")

    def __init__(self, text: str, places: Sequence[int], strings: Sequence[str]) -> None:
        self.text = text
        self._places = places
        self._strings = strings

    def __getitem__(self, span: slice) -> str:
        return "".join(self.iter_pieces(*span.indices(len(self.text))[:2]))

    def __len__(self) -> int:
        return len(self.text)

    def find_string(self, place: int) -> str | None:
        """Return the string that is held apart at `place`, without its quotes."""
        at = bisect_left(self._places, place)
        is_there = at < len(self._places) and self._places[at] == place
        return self._strings[at] if is_there else None

    def iter_pieces(self, start: int, end: int) -> Iterator[str]:
        """Yield the text as written from `start` to `end`; each string held apart is a piece."""
        at = bisect_left(self._places, start)
        while at < len(self._places) and self._places[at] < end:
            yield self.text[start : self._places[at]]
            yield self._strings[at]
            start = self._places[at] + 1
            at += 1
        yield self.text[start:end]

    def measure(self, start: int, end: int) -> int:
        """Count the characters that were written from `start` to `end`."""
        first, last = (bisect_left(self._places, place) for place in (start, end))
        return end - start + sum(len(one) - 1 for one in self._strings[first:last])


Document: TypeAlias = str | Rope
"""A JSON text."""


def decode_json(body: bytes, *, errors: str = "strict") -> Document:
    """Decode the UTF-8 of a JSON text, without its byte order mark.

    Raises `UnicodeDecodeError`. Base64 and other ASCII without escapes is held apart if the text
    is large.
    """
    if len(body) < LEAST:
        return body.decode("utf-8-sig", errors)
    texts: list[str] = []
    places = array("Q")
    strings: list[str] = []
    length = at = 0
    start = _find_opening(body, 0)
    while start is not None:
        opened, end = start, body.find(b'"', start)
        start = _find_opening(body, end if end >= 0 else opened)
        if end - opened < _LONG or body[opened - 2] == _ESCAPE or b"\\" in body[opened:end]:
            continue
        string = body[opened:end]
        if not string.isascii():
            continue
        texts.append(_decode(body, at, opened, errors))
        length += len(texts[-1])
        places.append(length)
        strings.append(string.decode("ascii"))
        texts.append(_MARK)
        length += 1
        at = end
    texts.append(_decode(body, at, len(body), errors))
    text = "".join(texts)
    return Rope(text, places, strings) if strings else text


def _find_opening(body: bytes, start: int) -> int | None:
    """Find the beginning of a string that may be long, after its quote.

    A search holds the interpreter, so one has a part of the body.
    """
    for at in range(start, len(body), _WINDOW):
        opening = _OPENING.search(body, at, at + _WINDOW + _OVERLAP)
        if opening is not None:
            return opening.end()
    return None


def _decode(body: bytes, start: int, end: int, errors: str) -> str:
    try:
        return body[start:end].decode("utf-8" if start else "utf-8-sig", errors)
    except UnicodeDecodeError as error:
        error.start += start
        error.end += start
        raise
