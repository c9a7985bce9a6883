"""Decide which pieces of streamed tool calls belong to the same call.

The API numbers the calls by `index`. Other servers send no index, or one index for all calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from webapp.exact_json import NotJson, Number, Object, String, TooManyValues, Value, parse

_MARKS = re.compile(r'[\\"{}\[\]]')
_EMPTY: Final = frozenset({"null", '""'})
_PLACEHOLDER: Final = '"{}"'
"""Arguments that servers send with the name of a call, before the pieces of the real ones."""
_MAX_VALUES: Final = 10_000
"""Values in arguments that are looked at; no others are broken so late."""


class JsonEnd:
    """Detects the end of an object or array that arrives in pieces, in time linear in them."""

    def __init__(self) -> None:
        self._depth = 0
        self._is_begun = False
        self._in_string = False
        self._skipped = 0

    def feed(self, text: str) -> None:
        """Read a piece."""
        if not self._is_begun:
            text = text.lstrip()
            self._is_begun = text.startswith(("{", "["))
        at = self._skipped if self._is_begun else len(text)
        while match := _MARKS.search(text, at):
            at = match.end()
            mark = match[0]
            if self._in_string:
                # The character after a backslash is never a mark, and may be in the next piece.
                at += mark == "\\"
                self._in_string = mark != '"'
            elif mark == '"':
                self._in_string = True
            elif mark != "\\":
                self._depth += 1 if mark in "{[" else -1
        self._skipped = max(0, at - len(text)) if self._is_begun else 0

    @property
    def is_complete(self) -> bool:
        return self._is_begun and self._depth <= 0 and not self._in_string


class CallPieces:
    """One call, as far as its pieces have arrived."""

    def __init__(self, index: int) -> None:
        self.index: Final = index
        self.id = ""
        self.name = ""
        self._repeats_name = False
        self._end = JsonEnd()
        self._has_object = False
        self._is_json: bool | None = None
        self._arguments: list[str] = []
        self._length = 0

    @property
    def is_complete(self) -> bool:
        """Whether the arguments so far are JSON, all of an object or array.

        Closed brackets around anything else end no call: no piece after them makes it JSON.
        """
        if self._end.is_complete and self._is_json is None:
            self._is_json = _are_json(self._arguments)
        return (self._end.is_complete and bool(self._is_json)) or self._has_object

    def feed(self, call: Object) -> None:
        """Read a piece of this call."""
        name, arguments = _read_function(call)
        self._repeats_name = self._repeats_name or bool(self.name and name)
        self.name = join_names(self.name, name)
        self.id = call.text("id") or self.id
        if isinstance(arguments, String):
            # The input of a custom tool is free text, whose end cannot be seen.
            if call.object("custom") is None:
                self._end.feed(arguments.text)
        elif arguments is not None:
            self._has_object = arguments.source != "null"
        if arguments is not None and arguments.source not in _EMPTY:
            if self._arguments == [_PLACEHOLDER]:
                self._arguments.clear()
                self._is_json = None
                self._length = 0
            self._arguments.append(arguments.source)
            self._length += arguments.length - 2

    def is_continued_by(self, call: Object, *, is_same_chunk: bool) -> bool:
        """Return whether `call` is another piece of this call, and not the start of the next one.

        The next one has a new id or a new name, or it comes after complete arguments.
        """
        call_id = call.text("id") or ""
        name, arguments = _read_function(call)
        if self.id and call_id and call_id != self.id:
            return False
        if self.name and name and name != self.name:
            return not is_same_chunk and self._is_name_continued_by(call, name)
        if isinstance(arguments, String):
            has_arguments = bool(arguments.text.strip())
        else:
            has_arguments = arguments is not None and arguments.source != "null"
        if self.is_complete and has_arguments:
            fills = self._arguments == [_PLACEHOLDER] and not name
            return (fills and not is_same_chunk) or self.is_repeated_by(call)
        if not name or (call_id and call_id == self.id):
            return True
        is_next = is_same_chunk or (self._end.is_complete and not self._repeats_name)
        return not (self.name and is_next)

    def _is_name_continued_by(self, call: Object, name: str) -> bool:
        """Return whether `name` continues the name of this call, which has no arguments yet."""
        if self._arguments:
            return False
        is_same = bool(self.id) and call.text("id") == self.id
        if is_same:
            return name.startswith(self.name)
        return read_index(call) is not None and not call.text("id")

    def is_repeated_by(self, call: Object) -> bool:
        """Return whether `call` is all of this call again, as some servers send it at the end.

        It has the id of this call, or nothing but its arguments and its index.
        """
        name, arguments = _read_function(call)
        call_id = call.text("id") or ""
        is_this = call_id == self.id if call_id else not name and read_index(call) is not None
        if not is_this or name not in ("", self.name) or arguments is None:
            return False
        if not self._arguments or arguments.length - 2 != self._length:
            return False
        return arguments.source[1:-1] == "".join(one[1:-1] for one in self._arguments)


def read_index(call: Object) -> int | None:
    """Read the index of a call, which some servers write as a text or with a fraction of zero."""
    index = call.get("index")
    written = index.text if isinstance(index, String) else ""
    if isinstance(index, Number):
        written = index.source.removesuffix(".0")
    return int(written) if written.isdecimal() and len(written) < 10 else call.integer("index")


def read_name(call: Object) -> str:
    """Read the name in a piece of a call, empty if there is none."""
    return _read_function(call)[0]


def join_names(before: str, name: str) -> str:
    """Return the name of a call after a further piece, which may be all of it so far, or again."""
    return name if name.startswith(before) else before + name


def _are_json(pieces: Iterable[str]) -> bool:
    """Return whether the pieces of arguments, each a string of JSON, are JSON together."""
    written = f'"{"".join(one[1:-1] for one in pieces)}"'
    try:
        parse(String(written, 0, len(written)).text, max_values=_MAX_VALUES)
    except TooManyValues:
        return True
    except NotJson:
        return False
    return True


def _read_function(call: Object) -> tuple[str, Value | None]:
    """Read the name and the arguments in a piece of a call: of a custom tool, its input."""
    if custom := call.object("custom"):
        return custom.text("name") or "", custom.get("input")
    inner = call.object("function") or call
    return inner.text("name") or "", inner.get("arguments")
