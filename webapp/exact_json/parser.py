"""A document read as one value, without recursion."""

from __future__ import annotations

import re
from collections.abc import Callable
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

# The same lexemes with what stands around them: most of what is read is a scalar or nothing in
# brackets, and one match for it is several times faster than a match for each of its lexemes.
_SIMPLE = r"""(?:
      (?P<string>"[^"\\]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*+)*+")
    | (?P<number>NaN|-?Infinity|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+)
    | (?P<boolean>true|false)
    | (?P<null>null)
    | (?P<object>\{[ \t\n\r]*+\})
    | (?P<array>\[[ \t\n\r]*+\])
    )[ \t\n\r]*+"""
_ITEM = re.compile(rf"[ \t\n\r]*+{_SIMPLE}[,\]]", re.VERBOSE)
_MEMBER = re.compile(
    r"""[ \t\n\r]*+(?P<name>"[^"\\]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*+)*+")"""
    rf"[ \t\n\r]*+:[ \t\n\r]*+{_SIMPLE}[,}}]",
    re.VERBOSE,
)
_SCALARS: Final[dict[str, type[String | Number | Boolean | Null]]] = {
    "string": String,
    "number": Number,
    "boolean": Boolean,
    "null": Null,
}

_STEPS: Final = 1_000

_SPACE = re.compile(r"[ \t\n\r]*+")
_STRING_START = re.compile(r'"[^"\\]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*+)*+')
_CUT_ESCAPE = re.compile(r"(?:\\(?:u[0-9a-fA-F]{0,3})?)?\Z")
# What may stand at the end of a text that was cut inside a literal or a number.
_CUT_LEXEME = re.compile(
    r"(?:t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|Na?|-?I(?:n(?:f(?:i(?:n(?:it?)?)?)?)?)?"
    r"|-|\.|[eE][-+]?)\Z"
)


class NotJson(ValueError):
    """The text is not JSON; says where the first wrong character is.

    `position` counts characters from 0, `line` and `column` from 1. `at_end` tells that the
    text stops before its value does, as one that was cut off.
    """

    def __init__(self, problem: str, text: str, position: int, *, at_end: bool = False) -> None:
        self.problem = f"the text ends early: {problem}" if at_end else problem
        self.position = position
        self.at_end = at_end
        self.line = text.count("\n", 0, position) + 1
        self.column = position - text.rfind("\n", 0, position)
        super().__init__(f"{self.problem} at line {self.line}, column {self.column}")


def parse(text: str, *, check: Callable[[], None] | None = None) -> Value:
    """The one JSON value that `text` holds. Raises `NotJson`.

    `check` is called now and then, to raise what ends the reading of a text that takes too long.
    """
    return _Parser(text).document(check or _go_on)


def _go_on() -> None:
    """Lets the reading take as long as it does."""


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

    def document(self, check: Callable[[], None]) -> Value:
        value = self._value()
        while self._open:
            check()
            value = self._steps(value)
        assert value is not None
        self._skip_space()
        if self._at != len(self._text):
            raise NotJson("expected the end of the text", self._text, self._at)
        return value

    def _steps(self, value: Value | None) -> Value | None:
        """What `_step` gives last of so many that a check before each round costs nothing."""
        for _ in range(_STEPS):
            value = self._step(value)
            if not self._open:
                break
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
        complete = self._run(container)
        if complete is not None:
            return complete
        if container.members is not None:
            container.name = self._name()
        return self._value()

    def _run(self, container: _Open) -> Value | None:
        """Takes the simple values that come next; gives `container` when it ends with them."""
        text = self._text
        match = (_ITEM if container.members is None else _MEMBER).match
        for _ in range(_STEPS):
            found = match(text, self._at)
            if found is None:
                return None
            self._at = found.end()
            self._take(container, found)
            if text[self._at - 1] != ",":
                return self._closed()
        return None

    def _take(self, container: _Open, found: re.Match[str]) -> None:
        kind = found.lastgroup or ""
        start, end = found.span(kind)
        value: Value
        if kind in _SCALARS:
            value = _SCALARS[kind](self._text, start, end)
        elif kind == "object":
            value = Object(self._text, start, end, ())
        else:
            value = Array(self._text, start, end, ())
        if container.members is None:
            container.items.append(value)
        else:
            name = String(self._text, *found.span("name"))
            container.members.append(Member(name, value))

    def _value(self) -> Value | None:
        """The next scalar; or None when a container was opened instead."""
        match = TOKEN.match(self._text, self._at)
        if match is None:
            raise self._wrong("expected a value")
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
        at = self._at
        string = _STRING_START.match(self._text, at)
        if string is not None and self._text[string.end() : string.end() + 1] != '"':
            if _CUT_ESCAPE.match(self._text, string.end()):
                return NotJson("a string without end", self._text, at, at_end=True)
            return NotJson("an unknown escape in a string", self._text, string.end())
        at_end = at == len(self._text) or _CUT_LEXEME.match(self._text, at) is not None
        return NotJson(problem, self._text, at, at_end=at_end)
