"""The API's JSON read as parts, calls and annotations.

A reader gives None, or an `Unknown`, where the shape is not the documented one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from webapp.exact_json import Array, Null, Number, Object, String, Value
from webapp.messages.parts import (
    Annotation,
    Audio,
    Call,
    File,
    Image,
    InputAudio,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Unknown,
    UrlCitation,
)

_REASONING_FIELDS: Final = ("reasoning", "reasoning_content")
# The members of a message as they are read; those of type `object` have readers for any value.
READ: Final = dict.fromkeys(("id", "role", "name", "tool_call_id"), String) | dict.fromkeys(
    ("content", "content_parts", "refusal", "audio", "tool_calls", "function_call")
    + ("annotations", *_REASONING_FIELDS),
    object,
)


def parts_of(message: Object) -> Iterator[Part]:
    """What a message says, in reading order."""
    for name in _REASONING_FIELDS:
        yield from _worded(message, name)
    yield from _content(message)
    yield from _worded(message, "refusal")
    yield from _spoken(message)


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
    if isinstance(parts, Array):
        read = tuple(_part(value) for value in parts.items)
        yield from read
        if isinstance(content, String) and not _is_joined(content.text, read):
            yield Text(json=content, text=content.text)
        elif content is not None and not isinstance(content, String | Null):
            yield Unknown(json=content, label="content")
        return
    if parts is not None and not isinstance(parts, Null):
        yield Unknown(json=parts, label="content_parts")
    if isinstance(content, String):
        if content.text:
            yield Text(json=content, text=content.text)
    elif isinstance(content, Array):
        yield from (_part(value) for value in content.items)
    elif content is not None and not isinstance(content, Null):
        yield Unknown(json=content, label="content")


def _is_joined(content: str, parts: tuple[Part, ...]) -> bool:
    """Whether `content` only repeats the texts of its parts, however they were joined."""
    joined = "".join(part.text for part in parts if isinstance(part, Text))
    return "".join(content.split()) == "".join(joined.split())


def _part(value: Value) -> Part:
    if isinstance(value, String):
        return Text(json=value, text=value.text)
    if not isinstance(value, Object):
        return Unknown(json=value, label="content part")
    kind = value.text("type")
    reader = _PART_READERS.get(kind or "")
    part = reader(value) if reader else None
    return part or Unknown(json=value, label=f"content part {kind}" if kind else "content part")


def _text_part(value: Object) -> Part | None:
    text = value.text("text")
    if text is None:
        return None
    return Text(json=value, text=text, extras=value.beyond(type=String, text=String))


def _refusal_part(value: Object) -> Part | None:
    text = value.text("refusal")
    if text is None:
        return None
    return Refusal(json=value, text=text, extras=value.beyond(type=String, refusal=String))


def _thinking_part(value: Object) -> Part | None:
    kind = value.text("type") or ""
    text = value.text(kind)
    if text is None:
        return None
    extras = value.beyond(type=String, **{kind: String})
    return Reasoning(json=value, text=text, field=kind, extras=extras)


def _image_part(value: Object) -> Part | None:
    image = value.get("image_url")
    if isinstance(image, String):
        extras = value.beyond(type=String, image_url=String)
        return Image(json=value, url=image.text, detail=None, extras=extras)
    if not isinstance(image, Object):
        return None
    url = image.text("url")
    if url is None:
        return None
    extras = value.beyond(type=String, image_url=Object)
    extras += image.beyond(url=String, detail=String)
    return Image(json=value, url=url, detail=image.text("detail"), extras=extras)


def _input_audio_part(value: Object) -> Part | None:
    audio = value.object("input_audio")
    if audio is None:
        return None
    return InputAudio(
        json=value,
        data=audio.text("data"),
        format=audio.text("format"),
        extras=value.beyond(type=String, input_audio=Object)
        + audio.beyond(data=String, format=String),
    )


def _file_part(value: Object) -> Part | None:
    file = value.object("file")
    if file is None:
        return None
    return File(
        json=value,
        file_id=file.text("file_id"),
        filename=file.text("filename"),
        data=file.text("file_data"),
        extras=value.beyond(type=String, file=Object)
        + file.beyond(file_id=String, filename=String, file_data=String),
    )


_PART_READERS = {
    "text": _text_part,
    "refusal": _refusal_part,
    "thinking": _thinking_part,
    "reasoning": _thinking_part,
    "image_url": _image_part,
    "input_audio": _input_audio_part,
    "file": _file_part,
}


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
        extras=value.beyond(id=String, data=String, transcript=String, expires_at=Number),
    )


def calls_of(message: Object) -> Iterator[Call]:
    """The tool calls of a message, the deprecated `function_call` last."""
    calls = message.get("tool_calls")
    if isinstance(calls, Array):
        yield from (_call(value) for value in calls.items)
    elif calls is not None and not isinstance(calls, Null):
        yield Unknown(json=calls, label="tool_calls")
    deprecated = message.get("function_call")
    if isinstance(deprecated, Object):
        yield ToolCall(
            json=deprecated,
            id=None,
            type="function_call",
            name=deprecated.text("name"),
            arguments=_arguments(deprecated.get("arguments")),
            extras=deprecated.beyond(name=String, arguments=object),
        )
    elif deprecated is not None and not isinstance(deprecated, Null):
        yield Unknown(json=deprecated, label="function_call")


def _call(value: Value) -> Call:
    if not isinstance(value, Object):
        return Unknown(json=value, label="tool call")
    kind = value.text("type") or "function"
    called = value.object(kind)
    written = {"function": "arguments", "custom": "input"}.get(kind)
    if called is None or written is None:
        return Unknown(json=value, label=f"tool call {kind}")
    return ToolCall(
        json=value,
        id=value.text("id"),
        type=kind,
        name=called.text("name"),
        arguments=_arguments(called.get(written)),
        extras=value.beyond(id=String, type=String, **{kind: Object})
        + called.beyond(name=String, **{written: object}),
    )


def _arguments(value: Value | None) -> str | None:
    """The text of the arguments; of servers that send them as JSON itself, that JSON."""
    if value is None or isinstance(value, Null):
        return None
    return value.text if isinstance(value, String) else value.source


def annotations_of(message: Object) -> Iterator[Annotation]:
    """The annotations of a message."""
    annotations = message.get("annotations")
    if isinstance(annotations, Array):
        yield from (_annotation(value) for value in annotations.items)
    elif annotations is not None and not isinstance(annotations, Null):
        yield Unknown(json=annotations, label="annotations")


def _annotation(value: Value) -> Annotation:
    kind = value.text("type") if isinstance(value, Object) else None
    cited = value.object("url_citation") if isinstance(value, Object) else None
    url = cited.text("url") if cited else None
    if not isinstance(value, Object) or cited is None or url is None or kind != "url_citation":
        return Unknown(json=value, label=f"annotation {kind}" if kind else "annotation")
    return UrlCitation(
        json=value,
        url=url,
        title=cited.text("title"),
        start_index=cited.integer("start_index"),
        end_index=cited.integer("end_index"),
        extras=value.beyond(type=String, url_citation=Object)
        + cited.beyond(url=String, title=String, start_index=Number, end_index=Number),
    )
