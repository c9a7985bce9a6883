"""Parse a document as one value, without recursion, and find what other parsers would refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Final, NamedTuple

from webapp.exact_json.lexemes import (
    CUT_ESCAPE,
    CUT_LEXEME,
    ITEM,
    LONG,
    MEMBER,
    NAME,
    SPACE,
    STRINGS,
    TOKEN,
    WINDOW,
    find_comma,
    find_end_of_content,
)
from webapp.exact_json.rope import Document, Rope
from webapp.exact_json.values import Array, Boolean, Member, Null, Number, Object, String, Value

MAX_LEVELS: Final = 200_000
"""Brackets alone cost a hundred times the memory of their text."""

_SIMPLE: Final[dict[str, Callable[[Document, int, int], Value]]] = {
    "string": String,
    "number": Number,
    "boolean": Boolean,
    "null": Null,
    "object": lambda text, start, end: Object(text, start, end, ()),
    "array": lambda text, start, end: Array(text, start, end, ()),
}

_STEPS_PER_CHECK: Final = 32
_MAX_RUN: Final = 1_000
"""The most simple values, or arrays nested in each other, that one step consumes."""

_OPENING: Final = frozenset("[{")
_ARRAYS: Final = re.compile(rf"\[{{1,{_MAX_RUN}}}")
_SPACES: Final = frozenset(" \t\n\r")

_EXTENSION: Final = re.compile(rf"{STRINGS.pattern}|NaN|-?Infinity")
_CONTROL: Final = re.compile(r"[\x00-\x1f]")
# Integers may have more digits than `int` takes.
_find_end: Final = json.JSONDecoder(strict=False, parse_int=float).raw_decode
_MOST_AT_ONCE: Final = 1024 * 1024
"""Characters that the decoder of the standard library reads, which holds the interpreter."""
_CONTROL_NAMES: Final = {"\n": "a line break", "\r": "a line break", "\t": "a tab"}


class NotJson(ValueError):
    """The text is not JSON; `position` is that of the first wrong character.

    `position` counts characters from 0, `line` and `column` from 1. `at_end` is true if the text
    ends before its value does, as a text that was cut off.
    """

    def __init__(self, problem: str, text: str, position: int, *, at_end: bool = False) -> None:
        self._problem = problem
        self.problem = f"the text ends early: {problem}" if at_end else problem
        self.position = position
        self.at_end = at_end
        self.line = text.count("\n", 0, position) + 1
        self.column = position - text.rfind("\n", 0, position)
        super().__init__(f"{self.problem} at line {self.line}, column {self.column}")

    def describe(self, what: str) -> str:
        """Say of `what`, such as `The arguments`, that they are cut off or not JSON, and why."""
        fault = "cut off" if self.at_end else "not JSON"
        place = f"line {self.line:,}, column {self.column:,}"
        return f"{what} are {fault}: {self._problem} at {place}"


class TooManyValues(NotJson):
    """The text holds more values than the caller wants to hold in memory."""


def parse(
    text: Document, *, check: Callable[[], None] | None = None, max_values: int | None = None
) -> Value:
    """Parse `text` as one JSON value. Raise `NotJson` if it is not JSON.

    `check` is called at intervals; it can raise an error to stop after too long a time. Raise
    `TooManyValues` soon after `max_values`: each costs a hundred times the memory of a digit.
    Most such texts are refused before the first value is made, by their commas outside strings.
    """
    if isinstance(text, Rope):
        try:
            return _Parser(text.text, text).parse_document(check, max_values)
        except NotJson:
            # For the position of the fault in the text as it was written.
            text = text[:]
    if max_values is not None and text.count(",") > max_values:
        position = find_comma(text, max_values)
        if position is not None:
            raise TooManyValues(_describe_excess(max_values), text, position + 1)
    return _Parser(text, text).parse_document(check, max_values)


def _describe_excess(most: int) -> str:
    return f"more than {most:,} values"


@dataclass(slots=True)
class _OpenArray:
    """An array whose end has not been read yet; its list is made with the first item."""

    start: int
    _items: list[Value] | None = None
    end: ClassVar[str] = "]"

    def add(self, value: Value) -> None:
        if self._items is None:
            self._items = [value]
        else:
            self._items.append(value)

    def close(self, text: Document, end: int) -> Array:
        return Array(text, self.start, end, tuple(self._items or ()))


@dataclass(slots=True)
class _OpenObject:
    """An object whose end has not been read yet; `name` is the name of its next value."""

    start: int
    name: String | None = None
    _members: list[Member] = field(default_factory=list)
    end: ClassVar[str] = "}"

    def add(self, value: Value) -> None:
        assert self.name is not None
        self._members.append(Member(self.name, value))

    def close(self, text: Document, end: int) -> Object:
        return Object(text, self.start, end, tuple(self._members))


class _Parser:
    """Parses the `text` of one document; `_open` are the containers around the current position."""

    def __init__(self, text: str, document: Document) -> None:
        self._text = text
        self._document = document
        self._at = 0
        self._open: list[_OpenArray | _OpenObject] = []
        self._count = 0

    def parse_document(self, check: Callable[[], None] | None, max_values: int | None) -> Value:
        value = self._read_value()
        while self._open:
            if check is not None:
                check()
            if max_values is not None and self._count > max_values:
                raise TooManyValues(_describe_excess(max_values), self._text, self._at)
            for _ in range(_STEPS_PER_CHECK):
                value = self._take_step(value)
                if not self._open:
                    break
        assert value is not None
        self._skip_space()
        if self._at != len(self._text):
            raise NotJson("expected the end of the text", self._text, self._at)
        return value

    def _take_step(self, value: Value | None) -> Value | None:
        """Add `value` to the innermost container, unless it is None: then that was just opened.

        Return the next scalar, the container if it is complete, or None after opening another.
        """
        container = self._open[-1]
        self._count += 1
        if value is None:
            if self._peek() == container.end:
                self._read_punctuation(container.end)
                return self._close()
        else:
            container.add(value)
            found = self._text[self._at : self._at + 1]
            if found == "," or found == container.end:
                self._at += 1
            else:
                found = self._read_punctuation("," + container.end)
            if found == container.end:
                return self._close()
        complete = self._read_run(container)
        if complete is not None:
            return complete
        if isinstance(container, _OpenObject):
            container.name = self._read_name()
        return self._read_value()

    def _read_run(self, container: _OpenArray | _OpenObject) -> Value | None:
        """Add the next scalars and empty containers; return `container` if it ends with them."""
        text, document = self._text, self._document
        named = container if isinstance(container, _OpenObject) else None
        if named is None and self._peek() in _OPENING:
            return None
        match = (MEMBER if named else ITEM).match
        for _ in range(_MAX_RUN):
            found = match(text, self._at, self._at + WINDOW)
            if found is None:
                return None
            self._at = found.end()
            if named:
                named.name = String(document, *found.span("name"))
            kind = found.lastgroup or ""
            container.add(_SIMPLE[kind](document, *found.span(kind)))
            self._count += 1
            if text[self._at - 1] != ",":
                return self._close()
        return None

    def _read_name(self) -> String:
        """Read the name of a member, and the colon after it."""
        match = NAME.match(self._text, self._at, self._at + WINDOW)
        if match is not None:
            self._at = match.end()
            return String(self._document, *match.span("name"))
        name = self._read_string()
        if name is None:
            raise self._build_error("expected a name in double quotes")
        if self._peek() != ":":
            raise self._build_error("expected ':'")
        self._at += 1
        return name

    def _read_value(self) -> Value | None:
        """Read the next scalar, or None after opening a container instead."""
        if self._text[self._at : self._at + 1] in _OPENING:
            self._enter(self._at)
            return None
        string = self._read_string()
        if string is not None:
            return string
        match = TOKEN.match(self._text, self._at)
        if match is None:
            raise self._build_error("expected a value")
        kind = match.lastgroup or ""
        start, end = match.span(kind)
        character = self._text[start]
        if kind == "punctuation" and character not in "{[":
            raise self._build_error("expected a value")
        if kind == "punctuation":
            self._enter(start)
            return None
        self._at = end
        if kind == "number":
            return Number(self._document, start, end)
        if character == "n":
            return Null(self._document, start, end)
        return Boolean(self._document, start, end)

    def _read_string(self) -> String | None:
        """Read a string; None if here is none."""
        text = self._text
        self._skip_space()
        start = self._at
        if not text.startswith('"', start):
            return None
        # A long string may have no escapes, such as an image in base64.
        end = text.find('"', start + 1)
        if end - start < LONG or text.find("\\", start, end) >= 0:
            end = find_end_of_content(text, start)
            if not text.startswith('"', end):
                raise self._build_error("expected a value")
        self._at = end + 1
        return String(self._document, start, self._at)

    def _enter(self, start: int) -> None:
        """Open the object whose bracket is at `start`, or the arrays nested in each other."""
        room = MAX_LEVELS - len(self._open)
        if self._text[start] == "{":
            self._at = start + 1
            self._open.append(_OpenObject(start))
        else:
            found = _ARRAYS.match(self._text, start)
            assert found is not None
            self._at = min(found.end(), start + room + 1)
            self._open += map(_OpenArray, range(start, self._at))
        if len(self._open) > MAX_LEVELS:
            raise self._build_error(f"nested deeper than {MAX_LEVELS:,} levels")

    def _read_punctuation(self, allowed: str) -> str:
        found = self._peek()
        if not found or found not in allowed:
            raise self._build_error("expected " + " or ".join(repr(one) for one in allowed))
        self._at += 1
        return found

    def _close(self) -> Value:
        return self._open.pop().close(self._document, self._at)

    def _peek(self) -> str:
        """Look at the next character that is not white space; "" at the end."""
        self._skip_space()
        return self._text[self._at : self._at + 1]

    def _skip_space(self) -> None:
        if self._text[self._at : self._at + 1] not in _SPACES:
            return
        match = SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _build_error(self, problem: str) -> NotJson:
        self._skip_space()
        at = self._at
        if self._text.startswith('"', at):
            end = find_end_of_content(self._text, at)
            if CUT_ESCAPE.match(self._text, end):
                return NotJson("a string without end", self._text, at, at_end=True)
            if not self._text.startswith('"', end):
                return NotJson("an unknown escape in a string", self._text, end)
        at_end = at == len(self._text) or CUT_LEXEME.match(self._text, at) is not None
        return NotJson(problem, self._text, at, at_end=at_end)


class Slot(NamedTuple):
    """A member of an object whose value was not parsed, but is the JSON from `start` to `end`."""

    name: String
    start: int
    end: int


def list_slots(text: str) -> list[Slot]:
    """List the members of the object `text`, which is JSON, ten times as fast as parsing it."""
    slots: list[Slot] = []
    at = text.index("{") + 1
    try:
        while len(text) <= _MOST_AT_ONCE and (found := NAME.match(text, at)):
            _, end = _find_end(text, found.end())
            slots.append(Slot(String(text, *found.span("name")), found.end(), end))
            after = SPACE.match(text, end)
            assert after is not None
            if text[after.end()] == "}":
                return slots
            at = after.end() + 1
    except RecursionError:
        pass
    parsed = parse(text)
    assert isinstance(parsed, Object)
    return [Slot(one.name, one.value.start, one.value.end) for one in parsed.members]


def find_extension(text: str) -> NotJson | None:
    """Find the first place of JSON as `parse` reads it that other parsers refuse; None if none.

    These are `NaN`, infinities, and control characters in strings that are not written as escapes.
    """
    for found in _EXTENSION.finditer(text):
        if not found[0].startswith('"'):
            return NotJson(f"{found[0]} is not a number of JSON", text, found.start())
        if control := _CONTROL.search(found[0]):
            name = _CONTROL_NAMES.get(control[0], f"the control character U+{ord(control[0]):04X}")
            return NotJson(f"{name} in a string", text, found.start() + control.start())
    return None
