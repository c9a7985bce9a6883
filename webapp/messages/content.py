"""What a message says, read as content parts in reading order.

A reader gives an `Unknown` where the shape is not the documented one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from webapp.exact_json import Null, Number, Object, String, Value
from webapp.messages.content_parts import content_parts
from webapp.messages.parts import Audio, Part, Reasoning, Refusal, Text, Unknown, is_readable_list

REASONING_FIELDS: Final = ("reasoning", "reasoning_content", "thinking")


def parse_parts(message: Object) -> Iterator[Part]:
    """What a message says, in reading order."""
    for name in REASONING_FIELDS:
        yield from _worded(message, name)
    yield from _content(message)
    yield from _worded(message, "refusal")
    yield from _spoken(message)


def parse_content(content: Value | None) -> Iterator[Part]:
    """The parts of a `content`, be it text, a list of parts, or anything else."""
    if isinstance(content, String):
        if content.text:
            yield Text(json=content, text=content.text)
    elif is_readable_list(content):
        for value in content.items:
            yield from content_parts(value)
    elif content is not None and not isinstance(content, Null):
        yield Unknown(json=content, label="content")


def _worded(message: Object, name: str) -> Iterator[Part]:
    """A field that holds one text of its own kind."""
    value = message.get(name)
    if value is None or isinstance(value, Null):
        return
    if not isinstance(value, String):
        yield Unknown(json=value, label=name)
    elif not value.text:
        return
    elif name == "refusal":
        yield Refusal(json=value, text=value.text)
    else:
        yield Reasoning(json=value, text=value.text, field=name)


def _content(message: Object) -> Iterator[Part]:
    """`content_parts` when there are any, else `content`, which may be a list as well."""
    parts = message.get("content_parts")
    content = message.get("content")
    if not is_readable_list(parts):
        if parts is not None and not isinstance(parts, Null):
            yield Unknown(json=parts, label="content_parts")
        yield from parse_content(content)
        return
    read = tuple(parse_content(parts))
    yield from read
    if isinstance(content, String) and not _is_joined(content.text, read):
        yield Text(json=content, text=content.text)
    elif content is not None and not isinstance(content, String | Null):
        yield Unknown(json=content, label="content")


def _is_joined(content: str, parts: tuple[Part, ...]) -> bool:
    """Whether `content` only repeats the texts of its parts, however they were joined."""
    joined = "".join(part.text for part in parts if isinstance(part, Text))
    return "".join(content.split()) == "".join(joined.split())


def _spoken(message: Object) -> Iterator[Part]:
    value = message.get("audio")
    if value is None or isinstance(value, Null):
        return
    if not isinstance(value, Object):
        yield Unknown(json=value, label="audio")
        return
    yield Audio(
        json=value,
        id=value.text("id"),
        data=value.text("data"),
        transcript=value.text("transcript"),
        expires_at=value.integer("expires_at"),
        extras=value.find_unread(id=String, data=String, transcript=String, expires_at=Number),
    )
