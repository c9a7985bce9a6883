"""JSON as written: values that know which characters of the document they are.

Owns reading and re-indenting JSON without changing a character of any number, string or
name: `1.0` stays `1.0`, a 64-bit `seed` keeps its digits, duplicate names and their order
stay. Nothing here knows what the JSON is about.

The reader is iterative, so nesting depth is bounded by memory and not by Python's stack. It
takes what servers send beyond RFC 8259: `NaN`, `Infinity`, raw control characters in strings
and lone surrogates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Final, TypeAlias

MAX_INDENTED_LEVELS: Final = 40
"""Levels beyond this are not indented further: deep nesting would grow quadratically."""

_TOKEN = re.compile(
    r"""[ \t\n\r]*+(?:
      (?P<string>"[^"\\]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*+)*+")
    | (?P<literal>true|false|null)
    | (?P<number>NaN|-?Infinity|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?)
    | (?P<punctuation>[{}\[\],:])
    )""",
    re.VERBOSE,
)
_DECODER = json.JSONDecoder(strict=False)
_SPACE = re.compile(r"[ \t\n\r]*+")


class NotJson(ValueError):
    """The text is not JSON; says where the first wrong character is.

    `position` counts characters from 0, `line` and `column` from 1.
    """

    def __init__(self, problem: str, text: str, position: int) -> None:
        self.problem = problem
        self.position = position
        self.line = text.count("\n", 0, position) + 1
        self.column = position - text.rfind("\n", 0, position)
        super().__init__(f"{problem} at line {self.line}, column {self.column}")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Span:
    """The characters `start` to `end` (exclusive) of `document`."""

    document: str
    start: int
    end: int

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.source[:60]!r})"

    @property
    def source(self) -> str:
        """The value's own characters, unchanged."""
        return self.document[self.start : self.end]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Null(_Span):
    """`null`."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Boolean(_Span):
    """`true` or `false`."""

    @property
    def value(self) -> bool:
        return self.source == "true"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Number(_Span):
    """A number, kept as its lexeme; `NaN` and the infinities count as numbers."""

    @property
    def integer(self) -> int | None:
        """The number as an int, or None when it is not written as one of at most 4,300 digits."""
        try:
            return int(self.source)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class String(_Span):
    """A string; `text` is what it means, `source` how it was written."""

    @property
    def text(self) -> str:
        written = self.source
        if "\\" not in written:
            return written[1:-1]
        text: str = _DECODER.decode(written)
        return text


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Array(_Span):
    """An array and its values, in order."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Member:
    """One name and its value in an object."""

    name: String
    value: Value


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Object(_Span):
    """An object and all its members as written, duplicates included.

    The readers below take the last of several members of one name, as every common parser
    does, and answer None when there is none or its value is of another type.
    """

    members: tuple[Member, ...]

    def get(self, name: str) -> Value | None:
        quoted = f'"{name}"'
        for member in reversed(self.members):
            written = member.name.source
            if member.name.text == name if "\\" in written else written == quoted:
                return member.value
        return None

    def names(self) -> tuple[str, ...]:
        """Every name once, in the order of its first appearance."""
        return tuple(dict.fromkeys(member.name.text for member in self.members))

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

    def beyond(self, **read: type | UnionType) -> tuple[Member, ...]:
        """What is left when each name in `read` was read as a value of its type.

        These are the other names, values of other types, numbers that are no integers where
        one was read, and all but the last of several members of one name. Nulls are left out.
        """
        last = {member.name.text: member for member in self.members}
        return tuple(
            member
            for name, member in ((member.name.text, member) for member in self.members)
            if not isinstance(member.value, Null)
            and not (last[name] is member and _is_read(member.value, read.get(name)))
        )


Value: TypeAlias = Null | Boolean | Number | String | Array | Object


def _is_read(value: Value, kind: type | UnionType | None) -> bool:
    if kind is Number:
        return isinstance(value, Number) and value.integer is not None
    return kind is not None and isinstance(value, kind)


def parse(text: str) -> Value:
    """The one JSON value that `text` holds. Raises `NotJson`."""
    return _Parser(text).document()


def indented(text: str, indent: int = 2) -> str:
    """`text`, one value or member a line, every lexeme as it was. Raises `NotJson`."""
    parse(text)
    out: list[str] = []
    depth = 0
    previous = ""
    for token in _lexemes(text):
        closes = token in "}]"
        depth -= closes
        empty = closes and previous in ("{", "[")
        if not empty and (closes or previous in ("{", "[", ",")):
            out.append("\n" + " " * indent * min(depth, MAX_INDENTED_LEVELS))
        elif previous == ":":
            out.append(" ")
        out.append(token)
        depth += token in ("{", "[")
        previous = token
    return "".join(out)


def compact(text: str) -> str:
    """`text` without the white space between its lexemes. Raises `NotJson`."""
    parse(text)
    return "".join(_lexemes(text))


def _lexemes(text: str) -> Iterator[str]:
    return (match[0].lstrip(" \t\n\r") for match in _TOKEN.finditer(text))


@dataclass(slots=True)
class _Open:
    """A container whose end has not been read yet."""

    start: int
    items: list[Value]
    members: list[Member] | None
    name: String | None = None

    @property
    def end(self) -> str:
        return "]" if self.members is None else "}"

    def add(self, value: Value) -> None:
        if self.members is None:
            self.items.append(value)
        else:
            assert self.name is not None
            self.members.append(Member(self.name, value))


class _Parser:
    """Reads one document; `_open` is the stack of containers around the current place."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._open: list[_Open] = []

    def document(self) -> Value:
        value = self._value()
        while self._open:
            value = self._step(value)
        assert value is not None
        self._skip_space()
        if self._at != len(self._text):
            raise self._wrong("expected the end of the text")
        return value

    def _step(self, value: Value | None) -> Value | None:
        """Takes `value` into the innermost container (None: it was just opened).

        Gives the next scalar, the container when that is complete, or None when another
        one was opened.
        """
        container = self._open[-1]
        if value is None:
            if self._peek() == container.end:
                self._punctuation(container.end)
                return self._closed()
        else:
            container.add(value)
            if self._punctuation("," + container.end) == container.end:
                return self._closed()
        if container.members is not None:
            container.name = self._name()
        return self._value()

    def _value(self) -> Value | None:
        """The next scalar; or None when a container was opened instead."""
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            quoted = self._peek() == '"'
            raise self._wrong(
                "a string without end or with an unknown escape" if quoted else "expected a value"
            )
        kind = match.lastgroup or ""
        start, end = match.span(kind)
        character = self._text[start]
        if kind == "punctuation" and character not in "{[":
            raise self._wrong("expected a value")
        self._at = end
        if kind == "punctuation":
            self._open.append(_Open(start, [], [] if character == "{" else None))
            return None
        if kind == "string":
            return String(self._text, start, end)
        if kind == "number":
            return Number(self._text, start, end)
        if character == "n":
            return Null(self._text, start, end)
        return Boolean(self._text, start, end)

    def _name(self) -> String:
        match = _TOKEN.match(self._text, self._at)
        if match is None or match.lastgroup != "string":
            raise self._wrong("expected a name in double quotes")
        start, self._at = match.span("string")
        name = String(self._text, start, self._at)
        self._punctuation(":")
        return name

    def _punctuation(self, allowed: str) -> str:
        found = self._peek()
        if not found or found not in allowed:
            raise self._wrong("expected " + " or ".join(repr(one) for one in allowed))
        self._skip_space()
        self._at += 1
        return found

    def _closed(self) -> Value:
        container = self._open.pop()
        if container.members is not None:
            return Object(self._text, container.start, self._at, tuple(container.members))
        return Array(self._text, container.start, self._at, tuple(container.items))

    def _peek(self) -> str:
        """The next character that is not white space; empty at the end."""
        match = _SPACE.match(self._text, self._at)
        at = match.end() if match else self._at
        return self._text[at : at + 1]

    def _skip_space(self) -> None:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _wrong(self, problem: str) -> NotJson:
        self._skip_space()
        if self._at == len(self._text):
            problem = f"the text ends early: {problem}"
        return NotJson(problem, self._text, self._at)
