"""Rebuild the request that created a completion from the completion and its input messages.

A server returns its own form of what was sent: with ids, null members and defaults, and with the
content parts of a message beside their joined text. All of that is undone here, and nothing
else is changed: each value keeps its lexemes. Only a character that would not survive in source
code is written as its escape, which JSON reads as the same character.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from webapp.completions import Completion
from webapp.exact_json import (
    Array,
    Member,
    Null,
    Object,
    String,
    Value,
    indent,
    parse,
    write_array,
    write_object,
)
from webapp.exact_json.lexemes import TOKEN
from webapp.formatting import count
from webapp.messages import Message

RERUN_OF: Final = "readback_rerun_of"
"""The metadata of a completion that was run again: the id of the first one."""

MAX_INDENTED: Final = 256 * 1024
"""Characters of a request that is indented; white space would double a longer one."""

_SETTINGS: Final = (
    *("audio", "enable_thinking", "chat_template_kwargs", "frequency_penalty", "function_call"),
    *("functions", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "min_p"),
    *("modalities", "n", "parallel_tool_calls", "prediction", "presence_penalty"),
    *("prompt_cache_key", "prompt_cache_retention", "reasoning", "reasoning_effort"),
    *("repetition_penalty", "response_format", "safety_identifier", "seed", "service_tier"),
    *("stop", "temperature", "thinking", "tool_choice", "tools", "top_k", "top_logprobs"),
    *("top_p", "user", "verbosity", "web_search_options"),
)
"""The members of a completion that are settings of its request, as the common servers have them."""

_DEFAULTS: Final = {
    "frequency_penalty": "0",
    "presence_penalty": "0",
    "temperature": "1",
    "top_p": "1",
}
"""OpenAI returns these also if nobody set them, and some of its models refuse them."""

_SERVED: Final = frozenset({"id", "object", "created", "content_parts"})
"""The members of a message that the server adds."""
_NOT_EMPTY: Final = frozenset({"annotations", "tool_calls"})
"""Lists that servers send empty and refuse empty."""


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """A request to create a completion, as JSON text; `json` is compact.

    `notes` are sentences on what a server may refuse, or what could not be rebuilt. `count` is the
    number of messages in it, `total` that of the transcript's input.
    """

    json: str
    count: int
    total: int
    notes: tuple[str, ...] = ()

    @property
    def layout(self) -> str:
        """The text, indented unless it is long."""
        return self.json if len(self.json) > MAX_INDENTED else indent(self.value)

    @property
    def value(self) -> Object:
        value = parse(self.json)
        assert isinstance(value, Object)
        return value

    @property
    def model(self) -> str | None:
        return self.value.text("model")

    @property
    def can_be_sent(self) -> bool:
        """Whether there is a model to ask, and something to ask it."""
        return self.count > 0 and self.model is not None


def build_request(
    completion: Completion,
    messages: Sequence[Message],
    *,
    upto: int | None = None,
    leaves_defaults: bool = False,
    model: str | None = None,
) -> CreateRequest:
    """Build the request with the first `upto` messages, by default all of them.

    With `leaves_defaults`, settings that have the value of OpenAI's default are left out. The
    completion that it creates is stored, and its metadata names this one. `model` replaces the
    model of the completion.
    """
    chosen = messages[:upto]
    notes = list(_list_problems(chosen))
    written = [_write_message(one) for one in chosen if isinstance(one.given, Object)]
    settings = dict(_read_settings(completion, leaves_defaults=leaves_defaults))
    if len(completion.choices) > 1 and "n" not in settings:
        settings["n"] = str(len(completion.choices))
    model = model or completion.model
    named = {} if model is None else {"model": _quote(model)}
    if not named:
        notes.append("The completion does not say which model it is of.")
    if completion.id is not None:
        metadata = "{" + f"{_quote(RERUN_OF)}:{_quote(completion.id)}" + "}"
        settings |= {"store": "true", "metadata": metadata}
    json = _write_object(named | {"messages": write_array(written)} | settings)
    numbers = (match["number"] for match in TOKEN.finditer(json) if match["number"])
    if any(word in json for word in ("NaN", "Infinity")) and any(
        one[-1] in "Ny" for one in numbers
    ):
        notes.append("It has a number that JSON does not have, and most servers refuse it.")
    return CreateRequest(json, len(written), len(messages), tuple(notes))


def escape_text(text: str) -> str:
    """Escape all characters of the JSON `text` that are not printable.

    The others, such as lone surrogates and characters that change the direction of the text, are
    written as escapes.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else escape_character(char) for char in text)


def escape_character(char: str) -> str:
    r"""Escape one character in JSON: `\u000a`, or two escapes beyond U+FFFF."""
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _list_problems(messages: Sequence[Message]) -> Iterator[str]:
    bare, calls, results = [], [], []
    for number, message in enumerate(messages, 1):
        if not isinstance(message.given, Object):
            bare.append(number)
        elif message.may_lack_calls:
            calls.append(number)
        elif message.role == "tool" and message.tool_call_id is None:
            results.append(number)
    if bare:
        yield f"{_name(bare)} no object, and left out."
    if calls:
        yield (
            f"{_name(calls)} empty: the server did not return the tool calls of earlier turns. "
            "Fill them in, or choose fewer messages."
        )
    if results:
        yield (
            f"{_name(results)} the result of a call that the server did not name. Fill in "
            "`tool_call_id`, or choose fewer messages."
        )


def _name(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"Message {numbers[0]:,} is"
    return f"{count(len(numbers), 'message')} from number {numbers[0]:,} on are"


def _read_settings(completion: Completion, *, leaves_defaults: bool) -> Iterator[tuple[str, str]]:
    json = completion.json
    for name in _SETTINGS if isinstance(json, Object) else ():
        assert isinstance(json, Object)
        value = json.get(name)
        if value is None and name == "user":
            value = json.get("input_user")
        if value is None or isinstance(value, Null):
            continue
        is_empty = isinstance(value, Array) and not value.items
        is_default = value.source.removesuffix(".0") == _DEFAULTS.get(name)
        if not is_empty and not (leaves_defaults and is_default):
            yield name, _write(value)


def _write_message(message: Message) -> str:
    given = message.given
    assert isinstance(given, Object)
    parts = given.get("content_parts")
    members = {}
    for member in _iter_last(given):
        name, value = member.name.text, member.value
        if name in _SERVED or (name in _NOT_EMPTY and isinstance(value, Array) and not value.items):
            continue
        if name == "content" and isinstance(parts, Array):
            value = parts
        if isinstance(value, Null) and not (name == "content" and message.role == "assistant"):
            continue
        if name == "audio" and isinstance(value, Object) and value.text("id") is not None:
            # A request only names the sound of an earlier answer.
            members[name] = _write_object({"id": _quote(value.text("id") or "")})
        elif name == "content" and isinstance(value, Array):
            members[name] = write_array(map(_write_part, value.items))
        else:
            members[name] = _write(value)
    return _write_object(members)


def _write_part(part: Value) -> str:
    """Write a content part without the null members that the API fills in."""
    if not isinstance(part, Object):
        return _write(part)
    members = {}
    for member in _iter_last(part):
        value = member.value
        if isinstance(value, Object):
            inner = [one for one in _iter_last(value) if not isinstance(one.value, Null)]
            members[member.name.text] = _write_object(
                {one.name.text: _write(one.value) for one in inner}
            )
        elif not isinstance(value, Null):
            members[member.name.text] = _write(value)
    return _write_object(members)


def _iter_last(json: Object) -> Iterator[Member]:
    """Yield the members of an object, of several with one name the last, as every parser does."""
    return iter({member.name.text: member for member in json.members}.values())


def _write(value: Value) -> str:
    """Write the source of `value` without white space between its lexemes."""
    if isinstance(value, String):
        return escape_text(value.source)
    return "".join(
        escape_text(match["string"]) if match.lastgroup == "string" else match[match.lastgroup or 0]
        for match in TOKEN.finditer(value.source)
    )


def _quote(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escape_text(plain) + '"'


def _write_object(members: dict[str, str]) -> str:
    return write_object(f"{_quote(name)}:{source}" for name, source in members.items())
