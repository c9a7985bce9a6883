"""The chunks of a streamed completion joined into the completion they are pieces of.

Owns which members of a chunk continue each other. Pure: chunks in, JSON text out. Pieces of a
string are put together as they were written, escapes included, and every number keeps its
lexeme. API reference, "Chat Completions: streaming".

In a choice's delta, strings continue each other and lists are extended, also those of names
nobody knows; of names, ids and everything else the last one counts. What has been said is never
taken back by null or by an empty string.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Final, Protocol

from webapp.exact_json import Array, Null, Object, String, Value

_SAID_WHOLE: Final = frozenset({"role", "id", "type", "name"})
_OF_A_DELTA: Final = frozenset({"audio", "function_call"})
_OF_A_CALL: Final = frozenset({"function", "custom"})
_OF_A_CHOICE: Final = frozenset({"index", "delta", "finish_reason", "logprobs"})
# `obfuscation` is random text that hides the length of a chunk.
_OF_A_CHUNK: Final = frozenset({"object", "choices", "obfuscation"})
_EMPTY: Final = frozenset({"null", '""'})


class JoinedCompletion:
    """One completion; give it the chunks in their order with `take`."""

    def __init__(self) -> None:
        self._members = {"id": "null", "object": '"chat.completion"'}
        self._choices: dict[int, _Choice] = {}

    def take(self, chunk: Object) -> None:
        for member in chunk.members:
            if member.name.text not in _OF_A_CHUNK:
                _replace(self._members, member.name.source[1:-1], member.value)
        for position, value in enumerate(chunk.items("choices") or ()):
            if isinstance(value, Object):
                index = value.integer("index")
                key = position if index is None else index
                self._choices.setdefault(key, _Choice(key)).take(value)

    @property
    def is_finished(self) -> bool:
        """Whether there is a choice, and none that still waits for its finish reason."""
        return bool(self._choices) and all(one.is_finished for one in self._choices.values())

    def text(self) -> str:
        """The completion so far, as JSON; what has not been said yet is null."""
        choices = _array(self._choices[index].text() for index in sorted(self._choices))
        return _object(self._members | {"choices": choices})


class _Choice:
    def __init__(self, index: int) -> None:
        self._index = index
        self._message = ObjectAccumulator(_OF_A_DELTA)
        self._logprobs: ObjectAccumulator | None = None
        self._finish_reason = "null"
        self._members: dict[str, str] = {}

    def take(self, choice: Object) -> None:
        delta = choice.object("delta")
        if delta is not None:
            self._message.take(delta)
        logprobs = choice.object("logprobs")
        if logprobs is not None:
            self._logprobs = self._logprobs or ObjectAccumulator()
            self._logprobs.take(logprobs)
        reason = choice.get("finish_reason")
        if reason is not None and not isinstance(reason, Null):
            self._finish_reason = reason.source
        for member in choice.members:
            if member.name.text not in _OF_A_CHOICE:
                _replace(self._members, member.name.source[1:-1], member.value)

    @property
    def is_finished(self) -> bool:
        return self._finish_reason != "null"

    def text(self) -> str:
        said = {
            "index": str(self._index),
            "message": self._message.text(),
            "finish_reason": self._finish_reason,
            "logprobs": self._logprobs.text() if self._logprobs else "null",
        }
        return _object(said | self._members)


class _Part(Protocol):
    """Something that is told in pieces."""

    def take(self, value: Value, /) -> None: ...

    def text(self) -> str: ...


class ObjectAccumulator:
    """An object whose members are told in pieces; those of `nested` are such objects too.

    `index`, which only serves the telling, is left out.
    """

    def __init__(self, nested: frozenset[str] = frozenset()) -> None:
        self._nested = nested
        self._parts: dict[str, _Part] = {}

    def take(self, value: Value, /) -> None:
        assert isinstance(value, Object)
        for member in value.members:
            if member.name.text != "index":
                self._take(member.name.source[1:-1], member.value)

    def text(self) -> str:
        return _object({name: part.text() for name, part in self._parts.items()})

    def _take(self, name: str, value: Value) -> None:
        kind = self._kind(name, value)
        part = self._parts.get(name)
        goes_on = isinstance(part, _List) and isinstance(value, String)
        if part is not None and (goes_on or isinstance(part, kind)):
            part.take(value)
            return
        if part is not None and value.source in _EMPTY:
            return
        fresh = kind()
        if isinstance(part, _Text) and isinstance(fresh, _List):
            fresh.begin_with(part)
        fresh.take(value)
        self._parts[name] = fresh

    def _kind(self, name: str, value: Value) -> type[_Part]:
        if isinstance(value, String) and name not in _SAID_WHOLE:
            return _Base64 if name == "data" else _Text
        if isinstance(value, Object) and name in self._nested:
            return ObjectAccumulator
        if isinstance(value, Array):
            return _Calls if name == "tool_calls" else _List
        return LastValue


class LastValue:
    """A value that is told at once; another one takes its place unless that says nothing."""

    def __init__(self) -> None:
        self._source = "null"

    def take(self, value: Value, /) -> None:
        if self._source == "null" or value.source not in _EMPTY:
            self._source = value.source

    def text(self) -> str:
        return self._source


class _Text:
    """A string told in pieces. Half a surrogate pair finds the other half in the next one."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def take(self, value: Value, /) -> None:
        self._pieces.append(value.source[1:-1])

    def text(self) -> str:
        return f'"{"".join(self._pieces)}"'


class _Base64(_Text):
    """Bytes told in pieces. Some servers pad each piece, and padding belongs at the end alone."""

    def text(self) -> str:
        if not any(piece.endswith("=") for piece in self._pieces[:-1]):
            return super().text()
        try:
            data = b"".join(base64.b64decode(piece, validate=True) for piece in self._pieces)
        except (binascii.Error, ValueError):
            return super().text()
        return f'"{base64.b64encode(data).decode()}"'


class _List:
    """A list told in pieces; strings between them are items of text, joined with each other."""

    def __init__(self) -> None:
        self._items: list[str | _Text] = []

    def begin_with(self, text: _Text) -> None:
        """What was said as a string before the list began; nothing when that was empty."""
        if text.text() not in _EMPTY:
            self._items.append(text)

    def take(self, value: Value, /) -> None:
        if isinstance(value, Array):
            self._items.extend(item.source for item in value.items)
        elif self._items and isinstance(last := self._items[-1], _Text):
            last.take(value)
        elif value.source not in _EMPTY:
            text = _Text()
            text.take(value)
            self._items.append(text)

    def text(self) -> str:
        return _array(one.text() if isinstance(one, _Text) else one for one in self._items)


class _Calls:
    """Tool calls told in pieces, by their `index`.

    Servers that send no index send a call whole, or tell its id with its first piece.
    """

    def __init__(self) -> None:
        self._calls: dict[int, ObjectAccumulator] = {}
        self._by_id: dict[str, int] = {}
        self._last = -1

    def take(self, value: Value, /) -> None:
        assert isinstance(value, Array)
        for call in value.items:
            if isinstance(call, Object):
                self._last = self._index(call)
                self._calls.setdefault(self._last, ObjectAccumulator(_OF_A_CALL)).take(call)

    def text(self) -> str:
        return _array(self._calls[index].text() for index in sorted(self._calls))

    def _index(self, call: Object) -> int:
        index = call.integer("index")
        if index is not None:
            return index
        call_id = call.text("id")
        if not call_id:
            return max(self._last, 0)
        return self._by_id.setdefault(call_id, max(self._calls, default=-1) + 1)


def _replace(members: dict[str, str], name: str, value: Value) -> None:
    if name not in members or value.source not in _EMPTY:
        members[name] = value.source


def _object(members: dict[str, str]) -> str:
    return "{" + ",".join(f'"{name}":{text}' for name, text in members.items()) + "}"


def _array(items: Iterable[str]) -> str:
    return "[" + ",".join(items) + "]"
