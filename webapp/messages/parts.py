"""Parse the content of a bubble: one class a kind, each parsing its documented shape.

`parse` returns None if the shape is another one; the value is then shown as `Unknown`. The types
of neighbouring APIs that mean the same are parsed as well; a `type` that would not be clear from
the page is kept in `extras`, so that it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias, TypeGuard, assert_never

from webapp.exact_json import Array, Integer, Null, Object, String, Value
from webapp.messages.media_parts import Audio, File, Image, InputAudio
from webapp.messages.piece import BasePiece
from webapp.messages.quotations import Quotation, find_quoted

MAX_ITEMS: Final = 10_000
"""Nobody could read a list of more parts, calls, annotations or choices."""

_MAX_NAME: Final = 40
"""Characters of the type of an unknown part, which anybody can choose."""

_ARGUMENT_FIELDS: Final = {"function": "arguments", "custom": "input"}


def is_readable_list(value: Value | None) -> TypeGuard[Array]:
    """Return whether `value` is a list to parse one by one; other lists are shown as JSON."""
    return isinstance(value, Array) and len(value.items) <= MAX_ITEMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(BasePiece):
    """Text for the reader: Markdown by custom, not by contract.

    `cited` are the citations of passages: its own, or those that its message lists for it.
    """

    kind: ClassVar[str] = "text"
    text: str
    cited: tuple[Object, ...] = ()

    @classmethod
    def parse(cls, value: Object) -> Text | None:
        """Parse a `text`, `input_text` or `output_text` part."""
        text = value.text("text")
        if text is None:
            return None
        is_own = value.text("type") == cls.kind
        read: dict[str, type] = {"type": String, "text": String} if is_own else {"text": String}
        cited = find_quoted(value)
        read |= {"citations": Array} if cited else {}
        return cls(json=value, text=text, cited=cited, extras=value.find_unread(**read))

    @classmethod
    def parse_cited(cls, value: Object) -> Text | None:
        """Parse a `citationsContent` block of Bedrock: texts, and what they cite as a whole."""
        given = value.items("content") or ()
        texts = [one.text("text") for one in given if isinstance(one, Object)]
        quoted = find_quoted(value)
        if not quoted or None in texts or len(texts) < len(given):
            return None
        extras = value.find_unread(type=String, content=Array, citations=Array)
        text = "".join(filter(None, texts))
        return cls(json=value, text=text, cited=quoted, extras=extras)

    @property
    def quotations(self) -> tuple[Quotation, ...]:
        """The passages that it cites as a whole. They are parsed each time: few are shown."""
        return tuple(map(Quotation.parse, self.cited))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoning(BasePiece):
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
class RedactedReasoning(BasePiece):
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
class Refusal(BasePiece):
    """The words in which the model refused to answer."""

    kind: ClassVar[str] = "refusal"
    text: str

    @classmethod
    def parse(cls, value: Object) -> Refusal | None:
        text = value.text("refusal")
        if text is None:
            return None
        return cls(json=value, text=text, extras=value.find_unread(type=String, refusal=String))


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall(BasePiece):
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


def _get_arguments(called: Object, field: str) -> str | None:
    """Return the text of the arguments; some servers send them as JSON itself."""
    value = called.get(field)
    if value is None or isinstance(value, Null):
        return None
    return value.text if isinstance(value, String) else value.source


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlCitation(BasePiece):
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
        read = {"url": String, "title": String, "start_index": Integer, "end_index": Integer}
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
class Unknown(BasePiece):
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


def name_part(part: Part) -> str:
    """Name a part for places that show texts alone; empty for a text."""
    match part:
        case Text():
            return ""
        case Refusal():
            return "refused"
        case Reasoning():
            return "reasoning"
        case RedactedReasoning():
            return "encrypted reasoning"
        case Image():
            return "image"
        case InputAudio() | Audio():
            return "audio"
        case File():
            return "file"
        case Unknown():
            return f"unknown: {part.label[:_MAX_NAME]}"
        case _:
            assert_never(part)


def parse_annotations(message: Object) -> Iterator[Annotation]:
    """Yield the annotations of a message: the sources that its text cites."""
    annotations = message.get("annotations")
    if is_readable_list(annotations):
        for value in annotations.items:
            kind = value.text("type") if isinstance(value, Object) else None
            citation = UrlCitation.parse(value) if isinstance(value, Object) else None
            label = f"annotation {kind}" if kind else "annotation"
            yield citation or Unknown(json=value, label=label)
    else:
        yield from keep_unknown(annotations, "annotations")


def keep_unknown(value: Value | None, label: str) -> Iterator[Unknown]:
    """Yield `value` as an `Unknown` unless it is absent or null."""
    if value is not None and not isinstance(value, Null):
        yield Unknown(json=value, label=label)
