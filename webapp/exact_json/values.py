"""JSON values, each a span of characters in its document.

They are not changed once they are made. They are not frozen, since that doubles the time to make
one, and a document has thousands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from types import UnionType
from typing import Final, TypeAlias

from webapp.exact_json.lexemes import WINDOW, iter_content
from webapp.exact_json.rope import Document, Rope

_DECODER = json.JSONDecoder(strict=False)
_PIECE: Final = 256 * 1024
"""Characters that are encoded at once."""


@dataclass(slots=True, eq=False, repr=False)
class _Span:
    """The characters `start` to `end` (exclusive) of `document`."""

    document: Document
    start: int
    end: int

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.source[:60]!r})"

    @property
    def source(self) -> str:
        """The characters of the value, unchanged."""
        return self.document[self.start : self.end]

    @property
    def length(self) -> int:
        """The number of characters of `source`."""
        if isinstance(self.document, str):
            return self.end - self.start
        return self.document.measure(self.start, self.end)

    def iter_pieces(self) -> Iterator[str]:
        """Yield `source` in pieces; none is a copy of a long string."""
        if isinstance(self.document, str):
            return iter((self.source,))
        return self.document.iter_pieces(self.start, self.end)

    def contains(self, part: str) -> bool:
        """Return whether `part` is in `source`, which may be too large to be copied."""
        if isinstance(self.document, str):
            return self.document.find(part, self.start, self.end) >= 0
        return any(part in piece for piece in self.iter_pieces())

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield the UTF-8 of `source` in pieces, with lone surrogates as they came.

        With one emoji in it, a document takes four bytes a character, and so does a copy.
        """
        return iter_encoded(self.document, self.start, self.end)

    def digest(self) -> bytes:
        """Compute the digest of `source`, of 20 bytes."""
        return digest_text(self.document, self.start, self.end)


def digest_text(text: Document, start: int = 0, end: int | None = None) -> bytes:
    """Compute the digest of `text` from `start` to `end`, of 20 bytes."""
    hashed = blake2b(digest_size=20)
    for piece in iter_encoded(text, start, end):
        hashed.update(piece)
    return hashed.digest()


def iter_encoded(text: Document, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Yield the UTF-8 of `text` from `start` to `end` in pieces, with lone surrogates as they came.

    To encode a text with an emoji at once takes four bytes a character beside it.
    """
    end = len(text) if end is None else end
    if isinstance(text, Rope):
        for piece in text.iter_pieces(start, end):
            yield from iter_encoded(piece)
        return
    for at in range(start, end, _PIECE):
        yield text[at : min(at + _PIECE, end)].encode("utf-8", "surrogatepass")


@dataclass(slots=True, eq=False, repr=False)
class Null(_Span):
    """`null`."""


@dataclass(slots=True, eq=False, repr=False)
class Boolean(_Span):
    """`true` or `false`."""

    @property
    def value(self) -> bool:
        return self.source == "true"


@dataclass(slots=True, eq=False, repr=False)
class Number(_Span):
    """A number, kept as its lexeme; `NaN` and the infinities count as numbers."""

    @property
    def integer(self) -> int | None:
        """The number as an int; None if it is a fraction, or has more than 4,300 digits."""
        try:
            return int(self.source)
        except ValueError:
            return None


class Integer:
    """The type of numbers that `Object.integer` reads, for `Object.find_unread`."""


@dataclass(slots=True, eq=False, repr=False)
class String(_Span):
    """A string; `text` is unescaped, `source` as written."""

    @property
    def text(self) -> str:
        if not isinstance(self.document, str):
            held = self.document.find_string(self.start + 1)
            if held is not None:
                return held
        written = self.document[self.start : self.end]
        if "\\" not in written:
            return written[1:-1]
        if len(written) <= WINDOW:
            return _unescape(written)
        parts = (f'"{written[start:end]}"' for start, end in iter_content(written, 0))
        return "".join(map(_unescape, parts))


def _unescape(written: str) -> str:
    text: str = _DECODER.decode(written)
    return text


@dataclass(slots=True, eq=False, repr=False)
class Array(_Span):
    """An array and its values, in order."""

    items: tuple[Value, ...]


@dataclass(slots=True, eq=False, repr=False)
class Member:
    """One name and its value in an object."""

    name: String
    value: Value


@dataclass(slots=True, eq=False, repr=False)
class Object(_Span):
    """An object with all its members as written, duplicates included.

    If a name occurs twice, the methods use its last member, as every common parser does. They
    return None if there is no such member, or if its value has another type.
    """

    members: tuple[Member, ...]
    _values: dict[str, Value] | None = field(default=None, init=False)

    def get(self, name: str) -> Value | None:
        return (self._values or self._list_values()).get(name)

    def _list_values(self) -> dict[str, Value]:
        """Index the last value of every name once, since two dozen names are usually looked up."""
        values = {member.name.text: member.value for member in self.members}
        self._values = values
        return values

    def names(self) -> tuple[str, ...]:
        """List every name once, in the order of first appearance."""
        return tuple(self._values or self._list_values())

    def values(self) -> Mapping[str, Value]:
        """Map every name to its last value, in the same order."""
        return self._values or self._list_values()

    def text(self, name: str) -> str | None:
        value = self.get(name)
        return value.text if isinstance(value, String) else None

    def integer(self, name: str) -> int | None:
        value = self.get(name)
        return value.integer if isinstance(value, Number) else None

    def boolean(self, name: str) -> bool | None:
        value = self.get(name)
        return value.value if isinstance(value, Boolean) else None

    def object(self, name: str) -> Object | None:
        value = self.get(name)
        return value if isinstance(value, Object) else None

    def items(self, name: str) -> tuple[Value, ...] | None:
        value = self.get(name)
        return value.items if isinstance(value, Array) else None

    def find_unread(self, **read: type | UnionType) -> tuple[Member, ...]:
        """Find the members that remain after reading each name in `read` as its type.

        These are members of other names or other types, and all but the last of several members
        of one name. Nulls are left out.
        """
        last = self._values or self._list_values()
        names: Iterable[str] = last
        if len(last) < len(self.members):
            names = [member.name.text for member in self.members]
        unread = []
        for name, member in zip(names, self.members, strict=True):
            value = member.value
            if isinstance(value, Null):
                continue
            kind = read.get(name, ())
            if kind is Integer:
                is_read = isinstance(value, Number) and value.integer is not None
            else:
                is_read = isinstance(value, kind)
            if not is_read or last[name] is not value:
                unread.append(member)
        return tuple(unread)


Value: TypeAlias = Null | Boolean | Number | String | Array | Object
