"""Completions as values: a stored chat completion, its choices and usage, and pages of either.

Like messages, completions are total: every JSON value makes one, and `json` keeps exactly what
was sent. Only a page can be malformed, since without its list there is nothing to read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from webapp.exact_json import Array, Boolean, Member, Null, Number, Object, String, Value
from webapp.messages import (
    Message,
    Part,
    Report,
    Text,
    Unknown,
    is_readable_list,
    said_by,
    split_reports,
)

T = TypeVar("T")


class NotAPage(ValueError):
    """The answer is JSON, but not a list in the API's form."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One cursor page. `has_more` is None when the server does not say.

    `first_id` and `last_id` are as sent; None when absent or null.
    """

    data: tuple[T, ...]
    has_more: bool | None
    first_id: str | None
    last_id: str | None
    json: Object
    total: int | None = None

    @classmethod
    def from_json(cls, json: Value, item: Callable[[Value], T]) -> Page[T]:
        """Raises `NotAPage` when there is no `data` list."""
        if not isinstance(json, Object):
            raise NotAPage("expected an object with a `data` list")
        items = json.items("data")
        if items is None:
            raise NotAPage("expected a `data` list")
        return cls(
            data=tuple(item(value) for value in items),
            has_more=json.boolean("has_more"),
            first_id=json.text("first_id") or None,
            last_id=json.text("last_id") or None,
            json=json,
            total=json.integer("total"),
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts, as sent; None where a count is missing."""

    json: Value
    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None

    @classmethod
    def from_json(cls, json: Object) -> Usage:
        return cls(
            json,
            prompt_tokens=json.integer("prompt_tokens"),
            completion_tokens=json.integer("completion_tokens"),
            total_tokens=json.integer("total_tokens"),
        )

    def detail(self, name: str) -> int | None:
        """A count among the details of the completion's tokens, such as `reasoning_tokens`."""
        usage = self.json if isinstance(self.json, Object) else None
        details = usage.object("completion_tokens_details") if usage else None
        return details.integer(name) if details else None


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer; `index` is the API's, `also_sent` what it has beyond what is read here.

    `logprobs` hold a list of tokens; `reports` tell what content filters found.
    """

    json: Value
    index: int | None
    message: Message | None
    finish_reason: str | None
    logprobs: Object | None = None
    reports: tuple[Report, ...] = ()
    also_sent: tuple[Member, ...] = ()

    @classmethod
    def from_json(cls, json: Value) -> Choice:
        if not isinstance(json, Object):
            return cls(json, None, None, None)
        message = json.get("message")
        logprobs = _with_tokens(json.object("logprobs"))
        read: dict[str, type] = {"logprobs": Object} if logprobs else {}
        read |= {"index": Number, "message": object, "finish_reason": String}
        reports, also_sent = split_reports(json.beyond(**read))
        return cls(
            json,
            index=json.integer("index"),
            message=None
            if message is None or isinstance(message, Null)
            else Message.from_json(message),
            finish_reason=json.text("finish_reason"),
            logprobs=logprobs,
            reports=reports,
            also_sent=also_sent,
        )

    @property
    def said(self) -> Message:
        """The message, or one that says nothing where there is none."""
        if self.message is not None:
            return self.message
        odd = () if isinstance(self.json, Object) else (Unknown(json=self.json, label="choice"),)
        return Message(self.json, parts=odd)

    @property
    def token_count(self) -> int:
        """How many tokens `logprobs` tell the probability of."""
        return len(tuple(_tokens(self.logprobs))) if self.logprobs else 0


def _with_tokens(logprobs: Object | None) -> Object | None:
    """`logprobs` when it is of the documented form."""
    return logprobs if logprobs and any(True for _ in _tokens(logprobs)) else None


def _tokens(logprobs: Object) -> Iterator[Value]:
    for name in ("content", "refusal"):
        yield from logprobs.items(name) or ()


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the request predicted the answer to be, given back by a few servers."""

    json: Value
    parts: tuple[Part, ...]
    extras: tuple[Member, ...] = ()

    @classmethod
    def from_json(cls, json: Object) -> Prediction:
        return cls(
            json, tuple(said_by(json.get("content"))), json.beyond(type=String, content=object)
        )

    @property
    def text(self) -> str:
        """All its text, to tell how long it is."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Text))


# The members of a completion that have a place of their own, as they are read; those below as
# well, where they are of the documented form.
_READ: Final = {
    **dict.fromkeys(("id", "model"), String),
    **dict.fromkeys(("usage", "metadata"), Object),
    "created": Number,
}


@dataclass(frozen=True, slots=True)
class Completion:
    """A stored chat completion; `created` is in unix seconds.

    `settings` are the members beyond those with a place of their own (temperature, seed,
    tools, …) and those of another type than theirs, nulls left out. `reports` tell what content
    filters and moderation found. `input_messages` is given by servers of the Llama Stack family.
    """

    json: Value
    id: str | None = None
    model: str | None = None
    created: int | None = None
    usage: Usage | None = None
    metadata: tuple[Member, ...] = ()
    choices: tuple[Choice, ...] = ()
    prediction: Prediction | None = None
    reports: tuple[Report, ...] = ()
    settings: tuple[Member, ...] = ()
    input_messages: tuple[Message, ...] | None = None

    @classmethod
    def from_json(cls, json: Value) -> Completion:
        if not isinstance(json, Object):
            return cls(json)
        usage = json.object("usage")
        metadata = json.object("metadata")
        prediction = json.object("prediction")
        lists = {name: _items(json, name) for name in ("choices", "input_messages")}
        read: dict[str, type] = {name: Array for name, items in lists.items() if items is not None}
        if json.text("object") == "chat.completion":
            read["object"] = String
        reports, settings = split_reports(json.beyond(**_READ, **read))
        inputs = lists["input_messages"]
        return cls(
            json,
            id=json.text("id"),
            model=json.text("model"),
            created=json.integer("created"),
            usage=Usage.from_json(usage) if usage else None,
            metadata=metadata.members if metadata else (),
            choices=tuple(map(Choice.from_json, lists["choices"] or ())),
            prediction=Prediction.from_json(prediction) if prediction else None,
            reports=reports,
            settings=settings,
            input_messages=None if inputs is None else tuple(map(Message.from_json, inputs)),
        )

    @property
    def audio_format(self) -> str | None:
        """The format that was asked for spoken answers, where the server says."""
        audio = self.json.object("audio") if isinstance(self.json, Object) else None
        return audio.text("format") if audio else None

    @property
    def finish_reasons(self) -> tuple[str, ...]:
        """Each finish reason once, in the order of the choices."""
        return tuple(dict.fromkeys(c.finish_reason for c in self.choices if c.finish_reason))


def _items(json: Object, name: str) -> tuple[Value, ...] | None:
    value = json.get(name)
    return value.items if is_readable_list(value) else None


def scalar_text(value: Value) -> str | None:
    """A scalar as the reader should see it, numbers by their lexeme; None for null and nests."""
    if isinstance(value, String):
        return value.text
    if isinstance(value, Number | Boolean):
        return value.source
    return None
