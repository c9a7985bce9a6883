"""Decide which pieces of streamed tool calls belong to the same call.

The API numbers the calls by `index`. Other servers send no index, or one index for all calls.
"""

from __future__ import annotations

import re
from typing import Final

from webapp.exact_json import Object, String, Value

_MARKS = re.compile(r'[\\"{}\[\]]')
_EMPTY: Final = frozenset({"null", '""'})


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
        self._arguments: list[str] = []

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
            self._arguments.append(arguments.source)

    def is_continued_by(self, call: Object, *, is_same_chunk: bool) -> bool:
        """Decide whether `call` is another piece of this call, and not the start of the next one.

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
        if (self._end.is_complete or self._has_object) and has_arguments:
            return self.is_repeated_by(call)
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
        return call.integer("index") is not None and call.text("id") is None

    def is_repeated_by(self, call: Object) -> bool:
        """Return whether `call` is all of this call again, as some servers send it at the end."""
        name, arguments = _read_function(call)
        return (
            bool(self.id)
            and call.text("id") == self.id
            and name in ("", self.name)
            and arguments is not None
            and self._arguments == [arguments.source]
        )


def join_names(before: str, name: str) -> str:
    """Return the name of a call after a further piece, which may be all of it so far, or again."""
    return name if name.startswith(before) else before + name


def _read_function(call: Object) -> tuple[str, Value | None]:
    """Read the name and the arguments in a piece of a call: of a custom tool, its input."""
    if custom := call.object("custom"):
        return custom.text("name") or "", custom.get("input")
    inner = call.object("function") or call
    return inner.text("name") or "", inner.get("arguments")
