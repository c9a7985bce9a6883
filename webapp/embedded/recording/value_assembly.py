"""Accumulate JSON values that arrive in pieces: objects, lists, content parts and calls."""

from __future__ import annotations

from typing import Final, Protocol

from webapp.embedded.recording.call_assembly import CallPieces, read_index, read_name
from webapp.embedded.recording.text_assembly import (
    ArgumentsAccumulator,
    Base64Accumulator,
    NameAccumulator,
    StringAccumulator,
    TextAccumulator,
)
from webapp.exact_json import Array, Member, Object, String, Value, parse, write_array, write_object

_NOT_CONTINUED: Final = frozenset({"role", "id", "type", "name"})
_NESTED_IN_CALL: Final = frozenset({"function", "custom"})
_EMPTY: Final = frozenset({"null", '""'})
_OF_PROVIDER: Final = frozenset({"provider_specific_fields", "citation"})
"""The member that LiteLLM adds to a message, and the one in it that each piece has one of."""

_OF_CALL: Final = frozenset({"function", "custom", "id", "name", "arguments", "type"})


class Accumulator(Protocol):
    """A value that arrives in pieces."""

    def feed(self, value: Value, /) -> None:
        """Add a piece."""

    def result(self) -> str:
        """Build the value so far as JSON."""


class ObjectAccumulator:
    """An object whose members arrive in pieces, as do the members of its `nested` objects.

    `index` is left out, because it serves the streaming alone.
    """

    def __init__(self, nested: frozenset[str] = frozenset()) -> None:
        self._nested = nested
        self._parts: dict[str, Accumulator] = {}

    def feed(self, value: Value, /) -> None:
        assert isinstance(value, Object)
        for member in value.members:
            if member.name.text == "index":
                continue
            name, arrived = member.name.source[1:-1], member.value
            if name == "tool_calls" and isinstance(arrived, Object):
                arrived = _list_calls(arrived)
            part = self._parts.get(name)
            kind = self._choose_kind(name, arrived)
            is_text_in_list = isinstance(part, ListAccumulator) and isinstance(arrived, String)
            if part is not None and (is_text_in_list or isinstance(part, kind)):
                part.feed(arrived)
            elif part is None or arrived.source not in _EMPTY:
                replacement = kind()
                if isinstance(part, StringAccumulator) and isinstance(replacement, ListAccumulator):
                    replacement.start_with(part)
                replacement.feed(arrived)
                self._parts[name] = replacement

    def result(self) -> str:
        return join_object({name: part.result() for name, part in self._parts.items()})

    def _choose_kind(self, name: str, value: Value) -> type[Accumulator]:
        if isinstance(value, String) and name not in _NOT_CONTINUED:
            return Base64Accumulator if name == "data" else TextAccumulator
        if isinstance(value, Object) and name in self._nested:
            return CalledAccumulator
        if isinstance(value, Object) and name in _OF_PROVIDER:
            return ObjectAccumulator if name == "provider_specific_fields" else ValuesAccumulator
        if isinstance(value, Array):
            if name == "content":
                return PartsAccumulator
            return ToolCallsAccumulator if name == "tool_calls" else ListAccumulator
        return LastValue


class CalledAccumulator(ObjectAccumulator):
    """A call or its function, whose name may arrive in pieces."""

    def _choose_kind(self, name: str, value: Value) -> type[Accumulator]:
        if name in ("name", "arguments") and isinstance(value, String):
            return NameAccumulator if name == "name" else ArgumentsAccumulator
        return super()._choose_kind(name, value)


class LastValue:
    """A value that arrives whole; a later one replaces it unless that is empty."""

    def __init__(self) -> None:
        self._source = "null"

    def feed(self, value: Value, /) -> None:
        if self._source == "null" or value.source not in _EMPTY:
            self._source = value.source

    def result(self) -> str:
        return self._source


class ListAccumulator:
    """A list in pieces; strings among the pieces become text items, adjacent ones joined."""

    def __init__(self) -> None:
        self._items: list[str | StringAccumulator | TextPart] = []

    def start_with(self, text: StringAccumulator) -> None:
        """Insert the string that came before the list, unless it is empty."""
        if text.result() not in _EMPTY:
            self._items.append(text)

    def feed(self, value: Value, /) -> None:
        if isinstance(value, Array):
            for item in value.items:
                self._add_item(item)
        elif self._items and isinstance(last := self._items[-1], StringAccumulator):
            last.feed(value)
        elif value.source not in _EMPTY:
            text = TextAccumulator()
            text.feed(value)
            self._items.append(text)

    def result(self) -> str:
        return write_array(one if isinstance(one, str) else one.result() for one in self._items)

    def _add_item(self, item: Value) -> None:
        self._items.append(item.source)


class ValuesAccumulator(ListAccumulator):
    """A list of values that arrive one by one, each whole."""

    def feed(self, value: Value, /) -> None:
        self._add_item(value)


class PartsAccumulator(ListAccumulator):
    """Content parts in pieces: a text goes on in the next chunk if it differs in nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self._fed: TextPart | None = None

    def feed(self, value: Value, /) -> None:
        self._fed = None
        super().feed(value)

    def _add_item(self, item: Value) -> None:
        is_text = isinstance(item, Object) and item.text("type") == "text"
        if not (is_text and isinstance(item, Object) and item.text("text") is not None):
            super()._add_item(item)
            return
        last = self._items[-1] if self._items else None
        is_open = isinstance(last, TextPart) and last is not self._fed
        if not (is_open and isinstance(last, TextPart) and last.is_continued_by(item)):
            last = TextPart(item)
            self._items.append(last)
        last.feed(item)
        self._fed = last


class TextPart:
    """A content part of type `text`, whose text arrives in pieces."""

    def __init__(self, part: Object) -> None:
        self._part = part
        self._text = TextAccumulator()

    def feed(self, part: Object) -> None:
        text = part.get("text")
        assert text is not None
        self._text.feed(text)

    def is_continued_by(self, part: Object) -> bool:
        """Return whether another part differs from this one in its text alone."""
        return _read_others(self._part) == _read_others(part)

    def result(self) -> str:
        members = {one.name.source[1:-1]: one.value.source for one in self._part.members}
        return join_object(members | {"text": self._text.result()})


def _read_others(part: Object) -> dict[str, str]:
    """Read all members of a text part but its text."""
    return {one.name.text: one.value.source for one in part.members if one.name.text != "text"}


class ToolCallsAccumulator:
    """Tool calls in pieces, by their `index`, and by the members of each piece.

    Servers that send no index send each call whole, or its id with the first piece. Others send
    the same index for all calls.
    """

    def __init__(self) -> None:
        self._calls: list[tuple[CallPieces, ObjectAccumulator]] = []
        # The last place of an index, and of an id: with each index, and with any.
        self._place_by_index: dict[int, int] = {}
        self._place_by_id: dict[tuple[int | None, str], int] = {}
        self._highest_index = -1
        self._last = -1

    def feed(self, value: Value, /) -> None:
        assert isinstance(value, Array)
        fed: set[int] = set()
        for call in value.items:
            if isinstance(call, Object):
                self._last = self._find_call(call, fed)
                fed.add(self._last)
                pieces, whole = self._calls[self._last]
                if not pieces.is_repeated_by(call):
                    if not pieces.id and (call_id := call.text("id")):
                        for place in ((None, call_id), (pieces.index, call_id)):
                            earlier = self._place_by_id.get(place, -1)
                            self._place_by_id[place] = max(earlier, self._last)
                    pieces.feed(call)
                    whole.feed(call)

    def result(self) -> str:
        ordered = sorted(self._calls, key=lambda one: one[0].index)
        return write_array(whole.result() for _, whole in ordered)

    def _find_call(self, call: Object, fed: set[int]) -> int:
        """Find the call that `call` is a piece of, by its place; begin one if there is none."""
        index = read_index(call)
        call_id = call.text("id")
        if index is not None:
            place = self._place_by_index.get(index, -1)
        else:
            place = -1 if call_id else self._last
        if call_id:
            place = self._place_by_id.get((index, call_id), place)
        if place >= 0:
            pieces = self._calls[place][0]
            if pieces.is_continued_by(call, is_same_chunk=place in fed):
                return place
        elif self._is_only_more(call):
            return self._last
        if index is None:
            index = self._highest_index + 1
        self._highest_index = max(index, self._highest_index)
        self._place_by_index[index] = len(self._calls)
        self._calls.append((CallPieces(index), CalledAccumulator(_NESTED_IN_CALL)))
        return len(self._calls) - 1

    def _is_only_more(self, call: Object) -> bool:
        """Return whether a piece under a new index has nothing but more arguments of the last call.

        Some servers count the pieces.
        """
        if self._last < 0 or call.text("id") or read_name(call):
            return False
        return not self._calls[self._last][0].is_complete


def _list_calls(calls: Object) -> Array:
    """Return the calls of an object as a list: it is the only one, or has each under its index."""
    members = calls.members
    is_one = not _OF_CALL.isdisjoint(calls.names()) or not members
    if is_one or not all(isinstance(one.value, Object) for one in members):
        listed = write_array([calls.source])
    else:
        listed = write_array(_add_index(one) for one in members)
    array = parse(listed)
    assert isinstance(array, Array)
    return array


def _add_index(member: Member) -> str:
    """Return the call in a member, with the name of that as its index if it has none."""
    call = member.value
    assert isinstance(call, Object)
    if call.get("index") is not None:
        return call.source
    members = (f"{one.name.source}:{one.value.source}" for one in call.members)
    return write_object([f'"index":{member.name.source}', *members])


def update_members(members: dict[str, str], update: Object, *, without: frozenset[str]) -> None:
    """Set the members of `update`; an empty value does not replace an earlier one."""
    for member in update.members:
        name = member.name.source[1:-1]
        is_news = name not in members or member.value.source not in _EMPTY
        if is_news and member.name.text not in without:
            members[name] = member.value.source


def join_object(members: dict[str, str]) -> str:
    return write_object(f'"{name}":{text}' for name, text in members.items())
