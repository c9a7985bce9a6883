"""Compare messages, and align those of two transcripts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal, TypeAlias

from webapp.analysis.differences.aligning import Budget, align
from webapp.analysis.differences.texts import TextDifference, compare_texts
from webapp.analysis.differences.values import Change, Kind, compare_values, write_path
from webapp.exact_json import Array, NotJson, Null, Object, String, Value, compact, parse
from webapp.messages import Message, Text, ToolCall

State: TypeAlias = Literal["equal", "changed", "added", "removed"]

MAX_DIFFERENCES: Final = 500
"""Of two messages; a page shows fewer."""

_ARGUMENTS: Final = frozenset({"arguments", "input"})
_CALL_ID: Final = re.compile(r"(?:content\[\d+\]\.)?tool_call_id|tool_calls\[\d+\]\.id")
_MAX_VALUES: Final = 20_000
"""Values of arguments that are compared one by one."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The parts that two messages must share to be equal.

    `exact` is the digest of the JSON without the message's id and white space, `said` that of name,
    parts, calls and their arguments, without the ids of calls, members that are null or empty, and
    the form of the content, and `content` that of role and `said`. `role` also distinguishes
    results.
    """

    exact: bytes
    content: bytes
    role: str
    said: bytes

    @classmethod
    def of(cls, message: Message) -> Fingerprint:
        json = message.json
        members = (
            (
                f"{member.name.source}:{compact(member.value)}"
                for member in json.members
                if member.name.text != "id"
            )
            if isinstance(json, Object)
            else (compact(json),)
        )
        said = _digest(_iter_said(message))
        content = _digest((message.role or "", said.hex()))
        return cls(_digest(members), content, message.speaker or "", said)


def _digest(pieces: Iterator[str] | tuple[str, ...]) -> bytes:
    hashed = hashlib.blake2b(digest_size=16)
    for piece in pieces:
        written = piece.encode("utf-8", "surrogatepass")
        hashed.update(b"%d:" % len(written) + written)
    return hashed.digest()


def _iter_said(message: Message) -> Iterator[str]:
    """Yield the content of a message without its role, piece by piece."""
    yield message.name or ""
    for part in message.parts:
        yield part.kind
        yield part.text if isinstance(part, Text) else compact(part.json)
        for quotation in part.quotations if isinstance(part, Text) else ():
            yield compact(quotation.json)
    for call in message.calls:
        if isinstance(call, ToolCall):
            yield from ("call", call.type, call.name or "", call.arguments or "")
        else:
            yield compact(call.json)
    for annotation in message.annotations:
        yield compact(annotation.json)
    for member in message.also_sent:
        # An id of another type than a string is left over here, and no more compared than others.
        if member.name.text != "id":
            yield from (member.name.text, compact(member.value))


@dataclass(frozen=True, slots=True)
class Row:
    """Two messages by their places, from 0, or one that only one transcript has.

    Equal ones are `is_exact` if their JSON is the same but for the id of the message.
    """

    a: int | None
    b: int | None
    state: State
    is_exact: bool = False


def align_messages(
    a: Sequence[Fingerprint],
    b: Sequence[Fingerprint],
    budget: Budget | None = None,
    *,
    is_exact: bool = False,
) -> tuple[Row, ...]:
    """Align the messages of two transcripts in rows, in the order of both.

    Between equal messages, those of one role in the same order are versions of each other, and of
    the others those that say the same. If it `is_exact`, only messages of the same JSON are equal.
    """
    budget = budget or Budget()
    a_keys, b_keys = ([one.exact if is_exact else one.content for one in side] for side in (a, b))
    rows: list[Row] = []
    for span in align(a_keys, b_keys, budget):
        a_places, b_places = range(span.a_start, span.a_end), range(span.b_start, span.b_end)
        if span.is_equal:
            for at, to in zip(a_places, b_places, strict=True):
                rows.append(Row(at, to, "equal", a[at].exact == b[to].exact))
            continue
        a_roles, b_roles = [a[at].role for at in a_places], [b[to].role for to in b_places]
        for part in align(a_roles, b_roles, budget):
            gone = a_places[part.a_start : part.a_end]
            come = b_places[part.b_start : part.b_end]
            if part.is_equal:
                rows += (Row(at, to, "changed") for at, to in zip(gone, come, strict=True))
                continue
            gone_said, come_said = [a[at].said for at in gone], [b[to].said for to in come]
            for one in align(gone_said, come_said, budget):
                pair = gone[one.a_start : one.a_end], come[one.b_start : one.b_end]
                if one.is_equal:
                    rows += (Row(at, to, "changed") for at, to in zip(*pair, strict=True))
                else:
                    rows += (Row(at, None, "removed") for at in pair[0])
                    rows += (Row(None, to, "added") for to in pair[1])
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference at `place`, such as `content` or `tool_calls[0].function.arguments › month`.

    Of two texts, `text` has the edits. A value that only moved or was respelled says so by its
    `kind`.
    """

    kind: Kind
    place: str
    before: Value | None
    after: Value | None
    text: TextDifference | None = None


def compare_messages(
    a: Message, b: Message, budget: Budget | None = None, *, is_exact: bool = False
) -> tuple[Difference, ...]:
    """List the first differences of two messages, up to `MAX_DIFFERENCES`, except for their ids.

    Unless it `is_exact`, differences in form are left out if there are others: ids of calls, null
    for nothing, the order and spelling of members.
    """
    is_whole = a.bare is None and b.bare is None
    found = compare_json(a.given, b.given, budget)
    differences = tuple(
        islice((one for one in found if not (is_whole and one.place == "id")), MAX_DIFFERENCES)
    )
    said = tuple(one for one in differences if is_in_content(one))
    return differences if is_exact or not said else said


def is_in_content(found: Difference) -> bool:
    """Return whether a difference is one in content: not of ids, spelling, order or nothing."""
    is_id = _CALL_ID.fullmatch(found.place) is not None
    is_form = found.kind in ("respelled", "moved") or is_id
    return not is_form and not (_is_nothing(found.before) and _is_nothing(found.after))


def _is_nothing(value: Value | None) -> bool:
    return value is None or isinstance(value, Null) or value.source in ('""', "[]", "{}")


def compare_json(a: Value, b: Value, budget: Budget | None) -> Iterator[Difference]:
    """Yield the differences of two values, texts with their edits, arguments key by key."""
    budget = budget or Budget()
    for change in compare_values(a, b, budget):
        yield from _describe(change, budget)


def _describe(change: Change, budget: Budget, *, within: str = "") -> Iterator[Difference]:
    path = change.a_path if change.kind == "removed" else change.b_path
    place, before, after = within + write_path(path), change.before, change.after
    a, b = (_get_text(value) for value in (before, after))
    if change.kind != "changed" or a is None or b is None:
        yield Difference(change.kind, place, before, after)
        return
    if a == b:
        yield Difference("respelled", place, before, after)
        return
    if path and path[-1].name in _ARGUMENTS and not within:
        inner = tuple(_compare_arguments(a, b, budget, f"{place} › "))
        if inner:
            yield from inner
            return
    yield Difference("changed", place, before, after, compare_texts(a, b, budget))


def _get_text(value: Value | None) -> str | None:
    """Return the text of a string, or of a content list of one text."""
    if isinstance(value, String):
        return value.text
    if isinstance(value, Array) and len(value.items) == 1:
        part = value.items[0]
        if isinstance(part, Object) and set(part.names()) == {"type", "text"}:
            return part.text("text")
    return None


def _compare_arguments(a: str, b: str, budget: Budget, within: str) -> Iterator[Difference]:
    """Yield the differences of two objects in texts; nothing if a text is not JSON, or is large."""
    try:
        before, after = (parse(text, max_values=_MAX_VALUES) for text in (a, b))
    except NotJson:
        return
    if isinstance(before, Object) and isinstance(after, Object):
        for change in compare_values(before, after, budget):
            yield from _describe(change, budget, within=within)
