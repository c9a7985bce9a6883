"""Parse the content parts that are not text: images, sounds, files and videos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from webapp.exact_json import Member, Number, Object, String
from webapp.messages.piece import BasePiece

_IMAGES: Final = ("iVBORw0KGgo", "/9j/", "R0lGODdh", "R0lGODlh", "UklGR")
"""How the base64 of PNG, JPEG, GIF and WebP images begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(BasePiece):
    """An image by address: a `data:` URI or, on some servers, a remote URL."""

    kind: ClassVar[str] = "image"
    url: str
    detail: str | None

    @classmethod
    def parse(cls, value: Object) -> Image | None:
        """Parse an `image_url` part, with its URL in an object or as a plain text."""
        image = value.get("image_url")
        if isinstance(image, String):
            extras = value.find_unread(type=String, image_url=String)
            return cls(json=value, url=_complete(image.text), detail=None, extras=extras)
        url = image.text("url") if isinstance(image, Object) else None
        if not isinstance(image, Object) or url is None:
            return None
        extras = value.find_unread(type=String, image_url=Object)
        extras += image.find_unread(url=String, detail=String)
        return cls(json=value, url=_complete(url), detail=image.text("detail"), extras=extras)

    @classmethod
    def parse_input_image(cls, value: Object) -> Image | None:
        """Parse an `input_image` part of the Responses API."""
        url = value.text("image_url")
        if url is None:
            return None
        extras = value.find_unread(image_url=String, detail=String)
        return cls(json=value, url=_complete(url), detail=value.text("detail"), extras=extras)

    @classmethod
    def parse_block(cls, value: Object) -> Image | None:
        """Parse an `image` part: with the `source` of Anthropic's API, the `data` of MCP, or an
        address or base64 in `image`."""
        source = value.object("source")
        if source is not None:
            url, extras = _parse_source(source)
            extras = value.find_unread(type=String, source=Object) + extras
        elif (data := value.text("data")) is not None:
            url = data if data[:5].lower() == "data:" else f"data:;base64,{data}"
            extras = value.find_unread(type=String, data=String)
        else:
            url, extras = _find_address(value, "image")
        if url is None:
            return None
        return cls(json=value, url=_complete(url), detail=None, extras=extras)

    @property
    def is_inline(self) -> bool:
        return self.url[:5].lower() == "data:"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudio(BasePiece):
    """Sound in a request: `data` is base64, `format` the format that the sender declared."""

    kind: ClassVar[str] = "input_audio"
    data: str | None
    format: str | None

    @classmethod
    def parse(cls, value: Object) -> InputAudio | None:
        audio = value.object("input_audio")
        if audio is None:
            return None
        extras = value.find_unread(type=String, input_audio=Object)
        extras += audio.find_unread(data=String, format=String)
        return cls(json=value, data=audio.text("data"), format=audio.text("format"), extras=extras)

    @classmethod
    def parse_audio_url(cls, value: Object) -> InputAudio | None:
        """Parse an `audio_url` part that contains its data."""
        url, extras = _parse_data_url(value, "audio_url")
        return None if url is None else cls(json=value, data=url, format=None, extras=extras)

    @classmethod
    def parse_block(cls, value: Object) -> InputAudio | None:
        """Parse an `audio` part: of MCP with its `data`, or with an object like `input_audio`."""
        audio = value.object("audio")
        data = (audio or value).text("data")
        if data is None:
            return None
        if audio is None:
            extras = value.find_unread(type=String, data=String)
            return cls(json=value, data=data, format=None, extras=extras)
        extras = value.find_unread(type=String, audio=Object)
        extras += audio.find_unread(data=String, format=String)
        return cls(json=value, data=data, format=audio.text("format"), extras=extras)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio(BasePiece):
    """A spoken answer: base64 `data`, its `transcript`, `expires_at` in unix seconds."""

    kind: ClassVar[str] = "audio"
    id: str | None
    data: str | None
    transcript: str | None
    expires_at: int | None

    @classmethod
    def parse(cls, value: Object) -> Audio:
        return cls(
            json=value,
            id=value.text("id"),
            data=value.text("data"),
            transcript=value.text("transcript"),
            expires_at=value.integer("expires_at"),
            extras=value.find_unread(id=String, data=String, transcript=String, expires_at=Number),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class File(BasePiece):
    """A file by id, or with its contents (`data`: base64 or a `data:` URI)."""

    kind: ClassVar[str] = "file"
    file_id: str | None
    filename: str | None
    data: str | None

    @classmethod
    def parse(cls, value: Object) -> File | None:
        file = value.object("file")
        if file is None:
            return None
        extras = value.find_unread(type=String, file=Object)
        extras += file.find_unread(file_id=String, filename=String, file_data=String)
        return cls(
            json=value,
            file_id=file.text("file_id"),
            filename=file.text("filename"),
            data=file.text("file_data"),
            extras=extras,
        )

    @classmethod
    def parse_input_file(cls, value: Object) -> File | None:
        """Parse an `input_file` part of the Responses API, by id or with its contents."""
        file_id, data = value.text("file_id"), value.text("file_data")
        if file_id is None and data is None:
            return None
        name, read = value.text("filename"), {"file_id": String, "file_data": String}
        extras = value.find_unread(filename=String, **read)
        return cls(json=value, file_id=file_id, filename=name, data=data, extras=extras)

    @classmethod
    def parse_video(cls, value: Object) -> File | None:
        """Parse a part with a video that contains its data, in the member named by its type."""
        kind = value.text("type") or ""
        url, extras = _parse_data_url(value, kind)
        holder = value.object(kind)
        if url is None and holder is not None and (url := holder.text("data")):
            extras = value.find_unread(type=String, **{kind: Object})
            extras += holder.find_unread(data=String)
        if url is None:
            return None
        return cls(json=value, file_id=None, filename=None, data=url, extras=extras)

    @classmethod
    def parse_document(cls, value: Object) -> File | None:
        """Parse a `document` part of Anthropic's API that contains its data."""
        source = value.object("source")
        if source is None or source.text("type") != "base64" or source.text("data") is None:
            return None
        data, extras = _parse_source(source)
        extras = value.find_unread(type=String, source=Object, title=String) + extras
        title = value.text("title")
        return cls(json=value, file_id=None, filename=title, data=data, extras=extras)


def _complete(url: str) -> str:
    """Complete an image whose base64 was sent alone to a `data:` URI; keep an address."""
    return f"data:;base64,{url}" if url.startswith(_IMAGES) else url


def _parse_source(source: Object) -> tuple[str | None, tuple[Member, ...]]:
    """Parse the address of a `source` of Anthropic's API, and its other members.

    The address is its URL, or a `data:` URI made of its base64.
    """
    data, url, kind = source.text("data"), source.text("url"), source.text("type")
    if kind == "base64" and data is not None:
        read = dict.fromkeys(("type", "media_type", "data"), String)
        url = f"data:{source.text('media_type') or ''};base64,{data}"
        return url, source.find_unread(**read)
    return (url, source.find_unread(type=String, url=String)) if kind == "url" else (None, ())


def _parse_data_url(value: Object, name: str) -> tuple[str | None, tuple[Member, ...]]:
    """Parse the `data:` URI of an element, in an object or as it is, and its other members."""
    url, extras = _find_address(value, name)
    return (None, ()) if url is None or url[:5].lower() != "data:" else (url, extras)


def _find_address(value: Object, name: str) -> tuple[str | None, tuple[Member, ...]]:
    """Find the text in a member, or the `url` of the object there, and the other members."""
    holder = value.get(name)
    url = holder.text("url") if isinstance(holder, Object) else value.text(name)
    if url is None:
        return None, ()
    extras = value.find_unread(type=String, **{name: String | Object})
    return url, extras + (holder.find_unread(url=String) if isinstance(holder, Object) else ())
