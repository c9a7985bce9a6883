"""Parse the content of a bubble: one class a kind, each parsing its documented shape.

`parse` returns None if the shape is another one; the value is then shown as `Unknown`. The types
of neighbouring APIs that mean the same are parsed as well; their `type` is then kept in `extras`,
so that it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias, TypeGuard

from webapp.exact_json import Array, Member, Null, Number, Object, String, Value

MAX_ITEMS: Final = 10_000
"""Nobody could read a list of more parts, calls, annotations or choices."""

_IMAGES: Final = ("iVBORw0KGgo", "/9j/", "R0lGODdh", "R0lGODlh", "UklGR")
"""How the base64 of PNG, JPEG, GIF and WebP images begins."""

_ARGUMENT_FIELDS: Final = {"function": "arguments", "custom": "input"}


def is_readable_list(value: Value | None) -> TypeGuard[Array]:
    """Return whether `value` is a list to parse one by one; other lists are shown as JSON."""
    return isinstance(value, Array) and len(value.items) <= MAX_ITEMS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Something a bubble shows: `json` is its source, `extras` the members that are not parsed."""

    kind: ClassVar[str]
    json: Value
    extras: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(_Piece):
    """Text for the reader: Markdown by custom, not by contract."""

    kind: ClassVar[str] = "text"
    text: str

    @classmethod
    def parse(cls, value: Object) -> Text | None:
        """Parse a `text`, `input_text` or `output_text` part."""
        text = value.text("text")
        if text is None:
            return None
        is_own = value.text("type") == cls.kind
        read = {"type": String, "text": String} if is_own else {"text": String}
        return cls(json=value, text=text, extras=value.find_unread(**read))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoning(_Piece):
    """Text that a model wrote before its answer; `field` is the name it was sent under.

    Of a text that was sent under several names, it has all of them: `reasoning, thinking`.
    """

    kind: ClassVar[str] = "reasoning"
    text: str
    field: str

    @classmethod
    def parse(cls, value: Object) -> Reasoning | None:
        """Parse a part with its text under the name of its type or, on some servers, `text`."""
        kind = value.text("type") or ""
        name = kind if isinstance(value.get(kind), String) else "text"
        text = value.text(name)
        if text is None:
            return None
        extras = value.find_unread(type=String, **{name: String})
        return cls(json=value, text=text, field=kind, extras=extras)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactedReasoning(_Piece):
    """Reasoning that the provider sends only encrypted, as `data`."""

    kind: ClassVar[str] = "redacted_reasoning"
    data: str

    @classmethod
    def parse(cls, value: Object) -> RedactedReasoning | None:
        data = value.text("data")
        if data is None:
            return None
        return cls(json=value, data=data, extras=value.find_unread(type=String, data=String))


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(_Piece):
    """The words in which the model declined."""

    kind: ClassVar[str] = "refusal"
    text: str

    @classmethod
    def parse(cls, value: Object) -> Refusal | None:
        text = value.text("refusal")
        if text is None:
            return None
        return cls(json=value, text=text, extras=value.find_unread(type=String, refusal=String))


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(_Piece):
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
class InputAudio(_Piece):
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
class Audio(_Piece):
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
class File(_Piece):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall(_Piece):
    """A call the model asked for.

    `type` is `function`, `custom`, or `function_call` for the deprecated field of that name;
    `arguments` is the text the model wrote: free text for custom tools, for functions JSON
    unless the model made a mistake.
    """

    kind: ClassVar[str] = "tool_call"
    id: str | None
    type: str
    name: str | None
    arguments: str | None

    @classmethod
    def parse(cls, value: Object) -> ToolCall | None:
        """Parse an element of `tool_calls`."""
        kind = value.text("type") or "function"
        called, field = value.object(kind), _ARGUMENT_FIELDS.get(kind)
        if called is None or field is None:
            return None
        extras = value.find_unread(id=String, type=String, **{kind: Object})
        extras += called.find_unread(name=String, **{field: object})
        return cls(
            json=value,
            id=value.text("id"),
            type=kind,
            name=called.text("name"),
            arguments=_get_arguments(called, field),
            extras=extras,
        )

    @classmethod
    def parse_tool_use(cls, value: Object) -> ToolCall | None:
        """Parse a `tool_use` block of Anthropic's API, which is an element of the content."""
        kind, name = value.text("type"), value.text("name")
        if kind is None or name is None:
            return None
        return cls(
            json=value,
            id=value.text("id"),
            type=kind,
            name=name,
            arguments=_get_arguments(value, "input"),
            extras=value.find_unread(id=String, type=String, name=String, input=object),
        )

    @classmethod
    def parse_function_call(cls, value: Object) -> ToolCall:
        """Parse the deprecated `function_call`."""
        return cls(
            json=value,
            id=None,
            type="function_call",
            name=value.text("name"),
            arguments=_get_arguments(value, "arguments"),
            extras=value.find_unread(name=String, arguments=object),
        )


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


def _get_arguments(called: Object, field: str) -> str | None:
    """Return the text of the arguments; some servers send them as JSON itself."""
    value = called.get(field)
    if value is None or isinstance(value, Null):
        return None
    return value.text if isinstance(value, String) else value.source


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlCitation(_Piece):
    """A source of the answer; the indexes are offsets into `content`, as sent.

    `url` is empty if the server lists the source without an address.
    """

    kind: ClassVar[str] = "url_citation"
    url: str
    title: str | None
    start_index: int | None
    end_index: int | None

    @property
    def content(self) -> str:
        """The text of a source without an address; empty if it has one."""
        if self.url or not isinstance(self.json, Object):
            return ""
        return self.json.text("content") or ""

    @classmethod
    def parse(cls, value: Object) -> UrlCitation | None:
        """Parse an annotation; some servers leave out the object of its type."""
        nested = value.object("url_citation")
        cited = nested or value
        url = cited.text("url")
        if url is None or value.text("type") != cls.kind:
            return None
        read = {"url": String, "title": String, "start_index": Number, "end_index": Number}
        if nested is None:
            extras = value.find_unread(type=String, **read)
        else:
            extras = value.find_unread(type=String, url_citation=Object)
            extras += nested.find_unread(**read)
        return cls(
            json=value,
            url=url,
            title=cited.text("title"),
            start_index=cited.integer("start_index"),
            end_index=cited.integer("end_index"),
            extras=extras,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(_Piece):
    """JSON of an unknown type or shape; `label` is the name it was sent under."""

    kind: ClassVar[str] = "unknown"
    label: str

    @property
    def id(self) -> str | None:
        """The id of a tool call of unknown type, which a tool result may still name."""
        return self.json.text("id") if isinstance(self.json, Object) else None


Part: TypeAlias = (
    Text | Reasoning | RedactedReasoning | Refusal | Image | InputAudio | Audio | File | Unknown
)
Annotation: TypeAlias = UrlCitation | Unknown
Call: TypeAlias = ToolCall | Unknown
