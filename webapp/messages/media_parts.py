"""Parse the content parts that are not text: images, sounds, files and videos."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from webapp.exact_json import Integer, Member, Object, String
from webapp.messages.piece import BasePiece

_IMAGES: Final = ("iVBORw0KGgo", "/9j/", "R0lGODdh", "R0lGODlh", "UklGR")
"""How the base64 of PNG, JPEG, GIF and WebP images begins."""

_REMOTE: Final = ("http://", "https://", "gs://", "s3://")
"""How the addresses of files elsewhere begin."""

_FEWEST_ENCODED: Final = 100
"""Characters of base64 in the place of an address; anything shorter is a path or a name."""


_BASE64: Final = re.compile(r"[\sA-Za-z0-9+/=_-]*")


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
        address or base64 in `image`, `url` or `image_url`."""
        source = value.object("source")
        if source is not None:
            url, extras = _parse_source(source)
            extras = value.find_unread(type=String, source=Object) + extras
        elif (data := value.text("data")) is not None:
            url = data if data[:5].lower() == "data:" else f"data:;base64,{data}"
            extras = value.find_unread(type=String, data=String)
        else:
            named = (_find_address(value, name) for name in ("image", "url", "image_url"))
            url, extras = next((one for one in named if one[0] is not None), (None, ()))
        if url is None:
            return None
        return cls(json=value, url=_complete(url), detail=None, extras=extras)

    @property
    def is_inline(self) -> bool:
        return self.url[:5].lower() == "data:"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudio(BasePiece):
    """Sound in a request: `data` is base64, `format` the format that the sender declared.

    Of a sound elsewhere, `url` is its address.
    """

    kind: ClassVar[str] = "input_audio"
    data: str | None
    format: str | None
    url: str | None = None

    @classmethod
    def parse(cls, value: Object) -> InputAudio | None:
        """Parse an `input_audio` part, with its data in an object or as a plain text."""
        return cls._parse_named(value, "input_audio")

    @classmethod
    def parse_audio_url(cls, value: Object) -> InputAudio | None:
        """Parse an `audio_url` part, with its data or its address."""
        url, extras = _find_address(value, "audio_url")
        return None if url is None else cls._make(value, url, None, extras, is_address=True)

    @classmethod
    def parse_block(cls, value: Object) -> InputAudio | None:
        """Parse an `audio` part: of MCP with its `data`, with an object like `input_audio`, or
        an address or base64 in `audio`, `url` or `audio_url`."""
        if (data := value.text("data")) is not None:
            return cls._make(value, data, None, value.find_unread(type=String, data=String))
        if (parsed := cls._parse_named(value, "audio")) is not None:
            return parsed
        named = (_find_address(value, name) for name in ("url", "audio_url"))
        url, extras = next((one for one in named if one[0] is not None), (None, ()))
        return None if url is None else cls._make(value, url, None, extras, is_address=True)

    @classmethod
    def _parse_named(cls, value: Object, name: str) -> InputAudio | None:
        audio = value.get(name)
        if isinstance(audio, String):
            start = audio.text[:_FEWEST_ENCODED]
            is_address = start.lower().startswith(("data:", *_REMOTE))
            if not is_address and _BASE64.fullmatch(start) is None:
                return None
            extras = value.find_unread(type=String, **{name: String})
            return cls._make(value, audio.text, None, extras)
        if not isinstance(audio, Object):
            return None
        is_address = audio.get("data") is None and audio.text("url") is not None
        held = "url" if is_address else "data"
        extras = value.find_unread(type=String, **{name: Object})
        extras += audio.find_unread(format=String, **{held: String})
        declared = audio.text("format")
        return cls._make(value, audio.text(held), declared, extras, is_address=is_address)

    @classmethod
    def _make(
        cls,
        json: Object,
        data: str | None,
        declared: str | None,
        extras: tuple[Member, ...],
        *,
        is_address: bool = False,
    ) -> InputAudio:
        """Make a sound of its data, or of the address in the place of it."""
        content, url = _divide(data, is_address=is_address)
        return cls(json=json, data=content, format=declared, url=url, extras=extras)


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
            extras=value.find_unread(id=String, data=String, transcript=String, expires_at=Integer),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class File(BasePiece):
    """A file by id, with its contents (`data`: base64 or a `data:` URI), or by its address."""

    kind: ClassVar[str] = "file"
    file_id: str | None
    filename: str | None
    data: str | None
    url: str | None = None

    @property
    def words(self) -> str:
        """Its name and address, for searches."""
        return " ".join(filter(None, (self.filename, self.url)))

    @classmethod
    def parse(cls, value: Object) -> File | None:
        """Parse a `file` part; clients such as the AI SDK send its members without an object."""
        file = value.object("file")
        if file is None:
            name = "url" if value.get("data") is None else "data"
            if (given := value.text(name)) is None:
                return None
            extras = value.find_unread(type=String, filename=String, **{name: String})
            filename = value.text("filename")
            return cls._make(value, given, filename, extras, is_address=name == "url")
        extras = value.find_unread(type=String, file=Object)
        extras += file.find_unread(file_id=String, filename=String, file_data=String)
        file_id, filename = file.text("file_id"), file.text("filename")
        data, url = _divide(file.text("file_data"))
        if url is None:
            # Some gateways take an address in the place of an id.
            file_id, url = _divide(file_id)
        return cls(
            json=value, file_id=file_id, filename=filename, data=data, url=url, extras=extras
        )

    @classmethod
    def parse_input_file(cls, value: Object) -> File | None:
        """Parse an `input_file` part of the Responses API: by id, contents or address."""
        file_id, data, url = map(value.text, ("file_id", "file_data", "file_url"))
        if file_id is None and data is None and url is None:
            return None
        name, read = value.text("filename"), dict.fromkeys(("file_id", "file_data"), String)
        extras = value.find_unread(filename=String, file_url=String, **read)
        if data is None and url is not None and url[:5].lower() == "data:":
            data, url = url, None
        return cls(json=value, file_id=file_id, filename=name, data=data, url=url, extras=extras)

    @classmethod
    def parse_id(cls, value: Object) -> File | None:
        """Parse a part of another type, such as an image, that has nothing but the id of a file."""
        source = value.object("source")
        file_id = (source or value).text("file_id")
        if file_id is None:
            return None
        extras = value.find_unread(**({"source": Object} if source else {"file_id": String}))
        extras += source.find_unread(type=String, file_id=String) if source else ()
        return cls(json=value, file_id=file_id, filename=None, data=None, extras=extras)

    @classmethod
    def parse_video(cls, value: Object) -> File | None:
        """Parse a part with a video, its data or its address in the member named by its type."""
        kind = value.text("type") or ""
        address, extras = _find_address(value, kind)
        if address is not None:
            return cls._make(value, address, None, extras, is_address=True)
        holder = value.object(kind)
        if holder is None or (data := holder.text("data")) is None:
            return None
        extras = value.find_unread(type=String, **{kind: Object}) + holder.find_unread(data=String)
        return cls._make(value, data, None, extras)

    @classmethod
    def parse_url(cls, value: Object) -> File | None:
        """Parse a part with the address or data of a file in the member named by its type."""
        address, extras = _find_address(value, value.text("type") or "")
        if address is None:
            return None
        name = value.text("document_name")
        extras = tuple(one for one in extras if name is None or one.name.text != "document_name")
        return cls._make(value, address, name, extras, is_address=True)

    @classmethod
    def parse_page(cls, value: Object) -> File | None:
        """Parse a page by its address: a `web_search_result` of Anthropic's API, a
        `tool_reference` of Mistral's."""
        if (url := value.text("url")) is None:
            return None
        extras = value.find_unread(url=String, title=String)
        title = value.text("title")
        return cls(json=value, file_id=None, filename=title, data=None, url=url, extras=extras)

    @classmethod
    def parse_document(cls, value: Object) -> File | None:
        """Parse a `document` part of Anthropic's API with its data, its address or its id."""
        source = value.object("source")
        data, extras = _parse_source(source) if source else (None, ())
        if source is None or data is None:
            return cls.parse_id(value)
        extras = value.find_unread(type=String, source=Object, title=String) + extras
        return cls._make(value, data, value.text("title"), extras, is_address=True)

    @classmethod
    def _make(
        cls,
        json: Object,
        data: str,
        name: str | None,
        extras: tuple[Member, ...],
        *,
        is_address: bool = False,
    ) -> File:
        """Make a file of its data, or of the address in the place of it.

        Only the type says that a file elsewhere is a video or a document.
        """
        content, url = _divide(data, is_address=is_address)
        if url is not None or json.text("type") in ("file_url", "document_url"):
            extras = (*(one for one in json.find_unread() if one.name.text == "type"), *extras)
        return cls(json=json, file_id=None, filename=name, data=content, url=url, extras=extras)


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


def _divide(given: str | None, *, is_address: bool = False) -> tuple[str | None, str | None]:
    """Divide data or an id from an address: one in its place, or one as is expected."""
    if given is None or given[:5].lower() == "data:":
        return given, None
    is_remote = given[:8].lower().startswith(_REMOTE)
    if is_address and not is_remote:
        # There is no colon in base64.
        is_remote = ":" in given[:_FEWEST_ENCODED] or len(given) < _FEWEST_ENCODED
    return (None, given) if is_remote else (given, None)


def _find_address(value: Object, name: str) -> tuple[str | None, tuple[Member, ...]]:
    """Find the text in a member, or the `url` of the object there, and the other members."""
    holder = value.get(name)
    url = holder.text("url") if isinstance(holder, Object) else value.text(name)
    if url is None:
        return None, ()
    extras = value.find_unread(type=String, **{name: String | Object})
    return url, extras + (holder.find_unread(url=String) if isinstance(holder, Object) else ())


def parse_image(value: Object) -> Image | File | None:
    """Parse an `image` or `input_image` part; one with nothing but an id is a file."""
    is_input = value.text("type") == "input_image"
    parse = Image.parse_input_image if is_input else Image.parse_block
    return parse(value) or File.parse_id(value)
