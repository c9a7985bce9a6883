"""One element of a content list, read by its `type`.

The types of neighbouring APIs that say the same under another name are read as well; their
name is then among the extras, so that it is still told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from webapp.exact_json import Array, Object, String, Value
from webapp.messages.parts import (
    File,
    Image,
    InputAudio,
    Part,
    Reasoning,
    RedactedReasoning,
    Refusal,
    Text,
    Unknown,
)


def content_parts(value: Value) -> Iterator[Part]:
    """What one element says: one part nearly always, several for a list of thoughts."""
    if isinstance(value, String):
        yield Text(json=value, text=value.text)
        return
    kind = value.text("type") if isinstance(value, Object) else None
    thoughts = _thoughts(value) if isinstance(value, Object) and kind == "thinking" else ()
    yield from thoughts or (_part(value, kind),)


def _part(value: Value, kind: str | None) -> Part:
    reader = _READERS.get(kind or "")
    part = reader(value) if reader and isinstance(value, Object) else None
    return part or Unknown(json=value, label=f"content part {kind}" if kind else "content part")


def _text(value: Object) -> Part | None:
    text = value.text("text")
    if text is None:
        return None
    return Text(json=value, text=text, extras=value.find_unread(type=String, text=String))


def _text_of_another_api(value: Object) -> Part | None:
    text = value.text("text")
    if text is None:
        return None
    return Text(json=value, text=text, extras=value.find_unread(text=String))


def _refusal(value: Object) -> Part | None:
    text = value.text("refusal")
    if text is None:
        return None
    return Refusal(json=value, text=text, extras=value.find_unread(type=String, refusal=String))


def _reasoning(value: Object) -> Part | None:
    """Under the name of its type or, on some servers, under `text`."""
    kind = value.text("type") or ""
    name = kind if isinstance(value.get(kind), String) else "text"
    text = value.text(name)
    if text is None:
        return None
    extras = value.find_unread(type=String, **{name: String})
    return Reasoning(json=value, text=text, field=kind, extras=extras)


def _thoughts(value: Object) -> tuple[Part, ...]:
    """The texts of a `thinking` that is a list of text parts; none when anything else is in it."""
    items = value.items("thinking") or ()
    texts = [item.text("text") if isinstance(item, Object) else None for item in items]
    found = [
        Reasoning(
            json=item,
            text=text,
            field="thinking",
            extras=item.find_unread(type=String, text=String),
        )
        for item, text in zip(items, texts, strict=True)
        if isinstance(item, Object) and text is not None and item.text("type") == "text"
    ]
    if not found or len(found) < len(items):
        return ()
    last = found[-1]
    beyond = value.find_unread(type=String, thinking=Array)
    whole = Reasoning(json=last.json, text=last.text, field="thinking", extras=last.extras + beyond)
    return (*found[:-1], whole)


def _redacted(value: Object) -> Part | None:
    data = value.text("data")
    if data is None:
        return None
    return RedactedReasoning(
        json=value, data=data, extras=value.find_unread(type=String, data=String)
    )


def _image(value: Object) -> Part | None:
    image = value.get("image_url")
    if isinstance(image, String):
        extras = value.find_unread(type=String, image_url=String)
        return Image(json=value, url=image.text, detail=None, extras=extras)
    if not isinstance(image, Object):
        return None
    url = image.text("url")
    if url is None:
        return None
    extras = value.find_unread(type=String, image_url=Object)
    extras += image.find_unread(url=String, detail=String)
    return Image(json=value, url=url, detail=image.text("detail"), extras=extras)


def _image_of_another_api(value: Object) -> Part | None:
    url = value.text("image_url")
    if url is None:
        return None
    extras = value.find_unread(image_url=String, detail=String)
    return Image(json=value, url=url, detail=value.text("detail"), extras=extras)


def _input_audio(value: Object) -> Part | None:
    audio = value.object("input_audio")
    if audio is None:
        return None
    return InputAudio(
        json=value,
        data=audio.text("data"),
        format=audio.text("format"),
        extras=value.find_unread(type=String, input_audio=Object)
        + audio.find_unread(data=String, format=String),
    )


def _file(value: Object) -> Part | None:
    file = value.object("file")
    if file is None:
        return None
    return File(
        json=value,
        file_id=file.text("file_id"),
        filename=file.text("filename"),
        data=file.text("file_data"),
        extras=value.find_unread(type=String, file=Object)
        + file.find_unread(file_id=String, filename=String, file_data=String),
    )


_READERS: Final = {
    "text": _text,
    "input_text": _text_of_another_api,
    "output_text": _text_of_another_api,
    "refusal": _refusal,
    "thinking": _reasoning,
    "reasoning": _reasoning,
    "redacted_thinking": _redacted,
    "image_url": _image,
    "input_image": _image_of_another_api,
    "input_audio": _input_audio,
    "file": _file,
}
