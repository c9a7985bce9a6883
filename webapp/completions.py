"""Stored chat completions, their choices and usage, as values.

Like messages, completions are total: every JSON value makes one, and `json` keeps its exact
source.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from webapp.exact_json import Array, Boolean, Member, Null, Number, Object, String, Value
from webapp.messages import (
    FilterReport,
    Message,
    Part,
    Text,
    Unknown,
    UrlCitation,
    find_choice_messages,
    find_grounding,
    is_readable_list,
    merge_lists,
    parse_content,
    parse_listed,
    split_reports,
)
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


_PLAIN_MEMBERS: Final = frozenset({"index", "message", "finish_reason", "logprobs"})


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer; `index` is the API's, `also_sent` are the members not read here.

    `logprobs` are None unless they hold a list of tokens; `reports` are the findings of content
    filters.
    """

    json: Value
    index: int | None
    message: Message | None
    finish_reason: str | None
    logprobs: Object | None = None
    reports: tuple[FilterReport, ...] = ()
    also_sent: tuple[Member, ...] = ()

    @classmethod
    def from_json(cls, json: Value, cited: Sequence[UrlCitation] = ()) -> Choice:
        """Parse a choice; `cited` are the sources that its completion lists."""
        if not isinstance(json, Object):
            return cls(json, None, None, None)
        if not cited and (plain := cls._from_plain(json)):
            return plain
        source = name_answer(json)
        message = json.get(source)
        logprobs = json.object("logprobs")
        if logprobs is not None and next(_iter_tokens(logprobs), None) is None:
            logprobs = None
        read: dict[str, type] = {"logprobs": Object} if logprobs else {}
        read |= {"index": Number, "message": object, source: object, "finish_reason": String}
        parsed = None
        found = find_choice_messages(json)
        if found is not None and isinstance(message, Null | None):
            message = found[0]
        elif found is not None and not _repeats(message, found[0]):
            found = None
        if found is not None:
            read["messages"] = Array
        if message is not None and not isinstance(message, Null):
            parsed = Message.from_json(message, cited)
            if found is not None:
                parsed = parsed.add_tool_sources(found[1])
            if grounding := find_grounding(json):
                parsed = parsed.add_grounding(grounding)
        text = json.get("text")
        if (parsed is None or parsed.is_empty) and isinstance(text, String) and text.text:
            # The older API of completions, which has no messages.
            parsed = Message(text, parts=(Text(json=text, text=text.text),), bare=text)
            read["text"] = String
        reports, also_sent = split_reports(json.find_unread(**read))
        return cls(
            json,
            index=json.integer("index"),
            message=parsed,
            finish_reason=json.text("finish_reason"),
            logprobs=logprobs,
            reports=reports,
            also_sent=also_sent,
        )

    @classmethod
    def _from_plain(cls, json: Object) -> Choice | None:
        """Parse a choice of the usual members alone, as `from_json` does in more steps."""
        values = json.values()
        if not _PLAIN_MEMBERS.issuperset(values) or len(values) < len(json.members):
            return None
        index, message = json.integer("index"), values.get("message")
        reason, logprobs = values.get("finish_reason"), values.get("logprobs")
        if not isinstance(message, Object) or not isinstance(reason, String):
            return None
        if index is None and "index" in values:
            return None
        if logprobs is not None and not isinstance(logprobs, Null):
            return None
        return cls(json, index, Message.from_json(message), reason.text)

    @property
    def reached_limit(self) -> bool:
        """Whether the answer was cut off at a limit of tokens."""
        return self.finish_reason in LIMIT_REASONS

    @property
    def was_filtered(self) -> bool:
        """Whether a filter cut the answer, by its finish reason."""
        return self.finish_reason in FILTER_REASONS

    @property
    def message_or_empty(self) -> Message:
        """The message, or an empty one if there is none."""
        if self.message is not None:
            return self.message
        odd = () if isinstance(self.json, Object) else (Unknown(json=self.json, label="choice"),)
        return Message(self.json, parts=odd)

    @property
    def token_count(self) -> int:
        """The number of tokens whose probability is in `logprobs`."""
        return len(tuple(_iter_tokens(self.logprobs))) if self.logprobs else 0


def _repeats(message: Value | None, answer: Object) -> bool:
    """Return whether a message has all that an answer has, as our own server writes it again."""
    if not isinstance(message, Object):
        return False
    given = ((one.value, message.get(one.name.text)) for one in answer.members)
    return all(
        isinstance(value, Null) or (copied is not None and copied.source == value.source)
        for value, copied in given
    )


def _iter_tokens(logprobs: Object) -> Iterator[Value]:
    for name in ("content", "refusal"):
        yield from logprobs.items(name) or ()


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
        choices, listed = _parse_choices(json)
        read: dict[str, type] = dict.fromkeys(listed, Array)
        for name in ("choices", "input_messages"):
            if is_readable_list(json.get(name)):
                read[name] = Array
        if json.text("object") == "chat.completion":
            read["object"] = String
        created = parse_time(json.get("created"))
        # A time that is not a plain number of seconds is also shown as it was sent.
        read["created"] = Number if json.integer("created") in (0, created) else Null
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


def name_answer(choice: Object) -> str:
    """Return the name of the member of a choice that has its answer, usually `message`.

    Some logs keep the last chunk of a stream, whose `delta` is then the whole message.
    """
    message, delta = choice.get("message"), choice.object("delta")
    if not isinstance(message, Object):
        return "delta" if isinstance(message, Null | None) else "message"
    is_blank = all(
        one.name.text == "role" or one.value.source in _NOTHING for one in message.members
    )
    return "delta" if is_blank and delta and delta.members else "message"


_NOTHING: Final = frozenset({"null", '""', "[]"})


def list_choices(completion: Object) -> tuple[Choice, ...]:
    """Parse the choices of a completion, and nothing else of it."""
    return _parse_choices(completion)[0]


def _parse_choices(completion: Object) -> tuple[tuple[Choice, ...], Collection[str]]:
    """Parse the choices, and the names of the lists of sources that their texts cite."""
    value = completion.get("choices")
    items = value.items if is_readable_list(value) else ()
    choices = tuple(map(Choice.from_json, items))
    grounding = completion.items(_GROUNDING_OF_GATEWAY)
    if grounding and len(grounding) == len(choices):
        choices = tuple(
            replace(choice, message=choice.message.add_grounding(metadata))
            if choice.message is not None and isinstance(metadata, Object)
            else choice
            for choice, metadata in zip(choices, grounding, strict=True)
        )
    # A gateway may repeat as `citations` the annotations of the message, which are more exact.
    listed = parse_listed(completion)
    answers = [choice.message for choice in choices if choice.message]
    if not listed or not answers or any(answer.annotations for answer in answers):
        return choices, ()
    cited = merge_lists(tuple(listed.values()))
    return tuple(Choice.from_json(one, cited) for one in items), listed.keys()


_GROUNDING_OF_GATEWAY: Final = "vertex_ai_grounding_metadata"
"""The member in which LiteLLM has the grounding of each choice."""

LIMIT_REASONS: Final = frozenset(
    {
        *("length", "max_tokens", "MAX_TOKENS", "max_output_tokens", "max_length", "model_length"),
        "model_context_window_exceeded",
    }
)
"""Finish reasons for answers that reached a limit of tokens: the API's, and those that gateways
pass on from Anthropic, Gemini, the Responses API, Mistral and Zhipu."""

FILTER_REASONS: Final = frozenset(
    {
        *("content_filter", "content_filtered", "guardrail_intervened", "sensitive", "SAFETY"),
        *("RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"),
    }
)
"""Finish reasons for answers that a filter cut: the API's, and those of Bedrock, Zhipu, Gemini."""

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
    words = (_read_error(one.get("error")) for one in (json, *choices))
    reasons = (one.text("finish_reason") for one in choices)
    broken = (f"The finish reason is {one}." for one in reasons if one in _BROKEN_OFF)
    return reason or next(filter(None, chain(words, broken)), None)


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
