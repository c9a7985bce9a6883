"""Stored chat completions, their choices and usage, as values.

Like messages, completions are total: every JSON value makes one, and `json` keeps its exact
source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from webapp.exact_json import Array, Boolean, Integer, Member, Null, Number, Object, String, Value
from webapp.messages import (
    Choice,
    FilterReport,
    Message,
    Part,
    Text,
    is_readable_list,
    parse_content,
    split_reports,
)
from webapp.messages.choices import parse_choices
from webapp.timestamps import parse_time

MAX_METADATA_PAIRS: Final = 16
MAX_METADATA_KEY: Final = 64
MAX_METADATA_VALUE: Final = 512
"""Characters of a key and of a value; OpenAI takes no more."""

IDENTITY_FIELDS: Final = frozenset(
    {
        "object",
        "prompt_cache_key",
        "provider",
        "request_id",
        "safety_identifier",
        "service_tier",
        "system_fingerprint",
        "user",
    }
)
"""Names of fields that say who answered whom, and nothing of the request's settings."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts, as sent; None if a count is missing."""

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
        """Look up a count of `completion_tokens_details`, such as `reasoning_tokens`."""
        usage = self.json if isinstance(self.json, Object) else None
        details = usage.object("completion_tokens_details") if usage else None
        return details.integer(name) if details else None


@dataclass(frozen=True, slots=True)
class Timing:
    """How long an answer took in milliseconds, as the embedded server recorded it."""

    first_token_ms: int | None
    total_ms: int | None

    @classmethod
    def from_json(cls, json: Object) -> Timing:
        first, total = (
            number if number is not None and number >= 0 else None
            for number in map(json.integer, ("first_token_ms", "total_ms"))
        )
        return cls(first, total)


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer that the request predicted; a few servers return it."""

    json: Value
    parts: tuple[Part, ...]
    extras: tuple[Member, ...] = ()

    @classmethod
    def from_json(cls, json: Object) -> Prediction:
        return cls(
            json,
            tuple(parse_content(json.get("content"))),
            json.find_unread(type=String, content=object),
        )

    @property
    def text(self) -> str:
        """All its text."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Text))


# The members of a completion that are read into fields, with the type they are read as. Some
# others are too, if they are of the documented form.
_READ: Final = {
    **dict.fromkeys(("id", "model", "original_id"), String),
    **dict.fromkeys(("usage", "metadata"), Object),
}


@dataclass(frozen=True, slots=True)
class Tool:
    """The definition of a tool; `json` is the member of `tools` or `functions`.

    `definition` is the object that has the name and the parameters.
    """

    json: Object
    type: str
    name: str
    definition: Object

    @classmethod
    def parse(cls, json: Object, *, field: str) -> Tool | None:
        """Parse a member of the setting `field`; None if it has no name, as a hosted tool."""
        kind = json.text("type") or "function"
        # A tool of a type is in the member of that name; a function may be alone.
        definition = json if field == "functions" else json.object(kind) or json
        name = definition.text("name")
        return None if name is None else cls(json, kind, name, definition)

    @property
    def parameters(self) -> Object | None:
        return self.definition.object("parameters")


@dataclass(frozen=True, slots=True)
class Completion:
    """A stored chat completion; `created` is in unix seconds, None if there is no time.

    `settings` are the members without a field of their own (temperature, seed, tools, …) and
    those of another type than their field's, nulls left out. `reports` are the findings of
    content filters and moderation. `original_id` is the id that the server gave if another
    completion has it, and `broken_off` the reason why the answer is incomplete. Servers of the
    Llama Stack family send `input_messages`.
    """

    json: Value
    id: str | None = None
    model: str | None = None
    created: int | None = None
    usage: Usage | None = None
    metadata: tuple[Member, ...] = ()
    choices: tuple[Choice, ...] = ()
    prediction: Prediction | None = None
    reports: tuple[FilterReport, ...] = ()
    settings: tuple[Member, ...] = ()
    input_messages: tuple[Message, ...] | None = None
    original_id: str | None = None
    broken_off: str | None = None
    timing: Timing | None = None

    @classmethod
    def from_json(cls, json: Value) -> Completion:
        if not isinstance(json, Object):
            return cls(json)
        usage = json.object("usage")
        metadata = json.object("metadata")
        prediction = json.object("prediction")
        timing = json.object("readback_timing")
        choices, listed = parse_choices(json)
        read: dict[str, type] = dict.fromkeys(listed, Array)
        for name in ("choices", "input_messages"):
            if is_readable_list(json.get(name)):
                read[name] = Array
        if json.text("object") == "chat.completion":
            read["object"] = String
        created = parse_time(json.get("created"))
        # A time that is not a plain number of seconds is also shown as it was sent.
        read["created"] = Integer if json.integer("created") in (0, created) else Null
        reports, settings = split_reports(json.find_unread(**_READ, **read))
        inputs = json.items("input_messages") if "input_messages" in read else None
        return cls(
            json,
            id=json.text("id"),
            model=json.text("model"),
            created=created,
            usage=Usage.from_json(usage) if usage else None,
            metadata=metadata.members if metadata else (),
            choices=choices,
            prediction=Prediction.from_json(prediction) if prediction else None,
            reports=reports,
            settings=settings,
            input_messages=None if inputs is None else tuple(map(Message.from_json, inputs)),
            original_id=json.text("original_id") or None,
            broken_off=find_break(json),
            timing=Timing.from_json(timing) if timing else None,
        )

    @property
    def audio_format(self) -> str | None:
        """The format requested for spoken answers, if the server says."""
        audio = self.json.object("audio") if isinstance(self.json, Object) else None
        return audio.text("format") if audio else None

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools and deprecated functions that the request defines."""
        tools: list[Tool] = []
        for member in self.settings:
            name, value = member.name.text, member.value
            if name in ("tools", "functions") and isinstance(value, Array):
                listed = (one for one in value.items if isinstance(one, Object))
                tools += filter(None, (Tool.parse(one, field=name) for one in listed))
        return tuple(tools)

    @property
    def finish_reasons(self) -> tuple[str, ...]:
        """Each finish reason once, in the order of the choices."""
        return tuple(dict.fromkeys(c.finish_reason for c in self.choices if c.finish_reason))


_BROKEN_OFF: Final = frozenset(
    {"error", "abort", "cancelled", "network_error", "insufficient_system_resource"}
)
"""Finish reasons of OpenRouter, vLLM, SGLang, Zhipu and DeepSeek for answers that broke off."""


def find_break(json: Object) -> str | None:
    """Find out why the answer is incomplete: as the embedded server records it, or as an error.

    Return None if nothing says that it is.
    """
    incomplete = json.object("incomplete")
    reason = incomplete.text("reason") if incomplete else None
    choices = [one for one in json.items("choices") or () if isinstance(one, Object)]
    words = [_read_error(one.get("error")) for one in (json, *choices)]
    reasons = [one.text("finish_reason") for one in choices]
    broken = [f"The finish reason is {one}." for one in reasons if one in _BROKEN_OFF]
    return reason or next(filter(None, [*words, *broken]), None)


def _read_error(error: Value | None) -> str | None:
    """Read the sentence in an error: its text, its message, or else its JSON; None if it is empty.

    Some servers send an empty error with every answer.
    """
    if isinstance(error, Object):
        return error.text("message") or (error.source if error.members else None)
    return error.text if isinstance(error, String) else None


def scalar_text(value: Value) -> str | None:
    """Return a scalar as text, numbers by their lexeme; None for null, lists and objects."""
    if isinstance(value, String):
        return value.text
    if isinstance(value, Number | Boolean):
        return value.source
    return None
