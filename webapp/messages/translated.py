"""Write parts in the form of another API, each with the source of the part that was sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from types import UnionType
from typing import Final, TypeAlias

from webapp.exact_json import Array, Member, Null, Object, String, Value

_MAX_DEPTH: Final = 4
"""Objects within each other whose members are part of a translation."""

_SCHEME: Final = 20
"""Characters of which one is a colon in an address, and none in base64."""

Names: TypeAlias = Mapping[str, Value | str | None]


@dataclass(slots=True, eq=False, repr=False)
class Translated(Object):
    """A part with other members than were sent, and with the source that was."""

    sent: Value | None = None

    def find_unread(self, **read: type | UnionType) -> tuple[Member, ...]:
        """Find the members that remain after reading, as they were sent."""
        unread = {id(one.value) for one in Object.find_unread(self, **read)}
        return tuple(one for one in _iter_members(self.sent) if id(one.value) in unread)


def _iter_members(value: Value | None, depth: int = _MAX_DEPTH) -> Iterator[Member]:
    if isinstance(value, Object) and depth:
        for member in value.members:
            yield member
            yield from _iter_members(member.value, depth - 1)


def get_first(value: Object, *names: str) -> Value | None:
    """Return the value of the first of these members that there is."""
    return next((found for name in names if (found := value.get(name))), None)


def write_part(
    part: Value,
    kind: str,
    members: Names,
    *,
    read: Iterable[Value | None] = (),
    keeps_type: bool = False,
) -> Translated:
    """Write a part with these members, and with all that was sent beside them.

    Members that were `read` are left out, and so is the type unless it says something more.
    """
    written = write_object(part, {"type": kind, **members}).members
    names = {one.name.text for one in written}
    own_type = part.get("type") if isinstance(part, Object) and not keeps_type else None
    values = (*(one.value for one in written), *read, own_type)
    others = (
        Member(_write_text(f"given_{name}"), one.value) if (name := one.name.text) in names else one
        for one in _list_others(part, frozenset(_iter_spans(part, values)))
    )
    return Translated(part.document, part.start, part.end, (*written, *others), sent=part)


def write_object(part: Value, members: Names) -> Translated:
    """Write an object within the translation of a part, of members of the part."""
    written = (
        Member(_write_text(name), _write_text(value) if isinstance(value, str) else value)
        for name, value in members.items()
        if value is not None
    )
    return Translated(part.document, part.start, part.end, tuple(written))


def _write_text(text: str) -> String:
    source = json.dumps(text)
    return String(source, 0, len(source))


def _iter_spans(part: Value, values: Iterable[Value | None]) -> Iterator[tuple[int, int]]:
    """Yield the places of values in the document, of those within if an object is our own."""
    for value in values:
        if isinstance(value, Object) and value is not part and value.start == part.start:
            yield from _iter_spans(part, (one.value for one in value.members))
        elif value is not None and value.document is part.document:
            yield value.start, value.end


def _list_others(value: Value, spans: Set[tuple[int, int]]) -> list[Member]:
    """List the members that are at none of these places, nor around one."""
    if not isinstance(value, Object) or (value.start, value.end) in spans:
        return []
    others = []
    for member in value.members:
        inner = member.value
        if any(inner.start < start and end < inner.end for start, end in spans):
            others += _list_others(inner, spans)
        elif (inner.start, inner.end) not in spans:
            others.append(member)
    return others


def write_results(value: Value | None) -> Value:
    """Write the content of a result: a text, or the JSON of anything else as a part."""
    if value is None or isinstance(value, Null):
        return _write_text("")
    if isinstance(value, String):
        return value
    written = write_part(value, "text", {"text": value.source}, read=(value,))
    return Array(value.document, value.start, value.end, (written,))


def write_media(
    part: Object, kind: str, sent: Value, *, title: Value | None = None, claim: Value | None = None
) -> Translated:
    """Write an image, sound, video or document of this media type, `sent` as base64 or address.

    `claim` is the member with its type, which is shown with base64 alone.
    """
    is_address = isinstance(sent, String) and ":" in sent.text[:_SCHEME]
    family, _, form = kind.partition("/")
    read = () if is_address or family == "video" else (claim,)
    if family in ("audio", "video"):
        name = "input_audio" if family == "audio" else family
        given = form if family == "audio" and not is_address else None
        held = write_object(part, {"url" if is_address else "data": sent, "format": given})
        return write_part(part, name, {name: held}, read=read)
    if is_address:
        source = write_object(part, {"type": "url", "url": sent})
    else:
        source = write_object(part, {"type": "base64", "media_type": kind, "data": sent})
    if family == "image":
        return write_part(part, "image", {"source": source}, read=read)
    return write_part(part, "document", {"source": source, "title": title}, read=read)
