"""A document read as one value, without recursion."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from webapp.exact_json.values import Array, Boolean, Member, Null, Number, Object, String, Value

TOKEN = re.compile(
    r"""[ \t\n\r]*+(?:
      (?P<string>"[^"\\]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*+)*+")
    | (?P<literal>true|false|null)
    | (?P<number>NaN|-?Infinity|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?)
    | (?P<punctuation>[{}\[\],:])
    )""",
    re.VERBOSE,
)
MAX_LEVELS: Final = 200_000
"""Brackets alone would cost a hundred times the memory of their text, to hold nothing."""

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


def parse(text: str) -> Value:
    """The one JSON value that `text` holds. Raises `NotJson`."""
    return _Parser(text).document()


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
        match = TOKEN.match(self._text, self._at)
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
            if len(self._open) >= MAX_LEVELS:
                raise self._wrong(f"nested deeper than {MAX_LEVELS:,} levels")
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
        match = TOKEN.match(self._text, self._at)
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
