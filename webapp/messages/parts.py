"""What a bubble shows: one class a kind, closed by `Unknown`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias, TypeGuard

from webapp.exact_json import Array, Member, Object, Value

MAX_ITEMS: Final = 10_000
"""A list of more parts, calls, annotations or choices is none that a reader could read."""


def is_readable_list(value: Value | None) -> TypeGuard[Array]:
    """Whether `value` is a list whose items are looked at one by one; others are JSON alone."""
    return isinstance(value, Array) and len(value.items) <= MAX_ITEMS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Something a bubble shows: `json` is where it stands, `extras` what it has beyond."""

    kind: ClassVar[str]
    json: Value
    extras: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(_Piece):
    """Text for the reader: Markdown by custom, not by contract."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoning(_Piece):
    """What a model wrote before its answer; `field` is the name it was sent under."""

    kind: ClassVar[str] = "reasoning"
    text: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactedReasoning(_Piece):
    """Reasoning that the provider gives only encrypted, as `data`."""

    kind: ClassVar[str] = "redacted_reasoning"
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(_Piece):
    """The model declined; `text` is how it said so."""

    kind: ClassVar[str] = "refusal"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(_Piece):
    """An image by address: a `data:` URI or, on some servers, a remote URL."""

    kind: ClassVar[str] = "image"
    url: str
    detail: str | None

    @property
    def is_inline(self) -> bool:
        return self.url[:5].lower() == "data:"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudio(_Piece):
    """Sound in a request: `data` is base64, `format` what the sender called it."""

    kind: ClassVar[str] = "input_audio"
    data: str | None
    format: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio(_Piece):
    """A spoken answer: base64 `data`, its `transcript`, `expires_at` in unix seconds."""

    kind: ClassVar[str] = "audio"
    id: str | None
    data: str | None
    transcript: str | None
    expires_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class File(_Piece):
    """A file by id, or with its contents (`data`: base64 or a `data:` URI)."""

    kind: ClassVar[str] = "file"
    file_id: str | None
    filename: str | None
    data: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall(_Piece):
    """A call the model asked for.

    `type` is `function`, `custom`, or `function_call` for the deprecated field of that name;
    `arguments` is the text the model wrote: JSON for functions when all went well, free text
    for custom tools.
    """

    kind: ClassVar[str] = "tool_call"
    id: str | None
    type: str
    name: str | None
    arguments: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlCitation(_Piece):
    """A source of the answer; the indexes are offsets into `content`, as sent."""

    kind: ClassVar[str] = "url_citation"
    url: str
    title: str | None
    start_index: int | None
    end_index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(_Piece):
    """JSON with no reader of its own, under the name it was sent with."""

    kind: ClassVar[str] = "unknown"
    label: str

    @property
    def id(self) -> str | None:
        """Its id: what nobody knows can be referred to by others all the same."""
        return self.json.text("id") if isinstance(self.json, Object) else None


Part: TypeAlias = (
    Text | Reasoning | RedactedReasoning | Refusal | Image | InputAudio | Audio | File | Unknown
)
Annotation: TypeAlias = UrlCitation | Unknown
Call: TypeAlias = ToolCall | Unknown
