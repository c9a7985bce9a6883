"""The API's form of what was given: stored completions and messages as compact JSON text.

Pure text in, text out; knows neither the store nor HTTP. Every lexeme is copied from the given
text, so a number, a string or a name leaves as it came. The two exceptions keep the meaning:
white space between lexemes goes, and control characters that stand raw in a string are
escaped, because one of them would make a whole page unreadable to a strict client.

Key orders and defaults are those of recorded answers of the Chat Completions API; what is given
beyond them follows in its own order.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from webapp.exact_json import Array, Member, Null, Number, Object, String, Value

_LEXEMES = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^ \t\n\r"]++', re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f]")
_EMPTY: Final = frozenset({"null", '""', "[]", "{}"})

_COMPLETION_DEFAULTS: Final = {
    "object": '"chat.completion"',
    "id": "null",
    "model": "null",
    "created": "0",
    "request_id": "null",
    "tool_choice": "null",
    "usage": "null",
    "seed": "null",
    "top_p": "1.0",
    "temperature": "1.0",
    "presence_penalty": "0.0",
    "frequency_penalty": "0.0",
    "system_fingerprint": "null",
    "input_user": "null",
    "service_tier": "null",
    "tools": "null",
    "metadata": "{}",
    "choices": "[]",
    "response_format": "null",
}
_USAGE_FIELDS: Final = ("total_tokens", "completion_tokens", "prompt_tokens")
_CHOICE_FIELDS: Final = ("index", "message", "finish_reason", "logprobs")
_ANSWER_FIELDS: Final = ("content", "role", "tool_calls", "function_call")
_PART_FIELDS: Final = ("type", "text", "image_url", "input_audio", "file")
_PAYLOAD_FIELDS: Final = {
    "image_url": ("url", "detail"),
    "input_audio": ("data", "format"),
    "file": ("file_data", "file_id", "filename"),
}


def strip_whitespace(text: str) -> str:
    """`text`, which is JSON, without the white space between its lexemes."""
    return "".join(_LEXEMES.findall(text))


def one_line(text: str) -> str:
    """`text`, which is JSON, as it is where it stands on one line; else without white space."""
    return text if "\n" not in text else _escaped(strip_whitespace(text))


def written(value: Value) -> str:
    """`value` as it was written, on one line."""
    return _escaped(value.source if isinstance(value, String) else strip_whitespace(value.source))


def message_json(given: Value, message_id: str) -> str:
    """An input message as the messages endpoint lists it: `id` and its four companions first.

    What is no object becomes the `content` of a message without a role.
    """
    if not isinstance(given, Object):
        named = {"role": "null", "content": written(given), "content_parts": "null", "name": "null"}
        return _object(_member("id", f'"{message_id}"'), *_members(named))
    content, parts = _content(given)
    named = {
        "id": f'"{message_id}"',
        "role": _text(given, "role"),
        "content": content,
        "content_parts": parts,
        "name": _text(given, "name"),
    }
    members = [*_members(named), *map(_copied, _beyond(given, named))]
    if given.text("role") == "assistant" and given.get("refusal") is None:
        members.append(_member("refusal", "null"))
    return _object(*members)


def completion_json(given: Object, completion_id: str) -> str:
    """A completion as the API gives it back, without its input messages."""
    named = {name: _text(given, name, default) for name, default in _COMPLETION_DEFAULTS.items()}
    named["id"] = f'"{completion_id}"'
    named["usage"] = _usage_json(given.get("usage"))
    choices = given.items("choices") or ()
    named["choices"] = _array(_choice_json(choice, at) for at, choice in enumerate(choices))
    further = _non_empty(_beyond(given, {*named, "messages"}))
    return _object(*_members(named), *further)


def with_metadata(completion: Object, metadata_json: str) -> str:
    """A completion in its wire form, with other metadata."""
    old = completion.get("metadata")
    if old is None:
        raise ValueError("a completion in its wire form has metadata")
    text = completion.document
    return f"{text[: old.start]}{metadata_json}{text[old.end :]}"


def _content(message: Object) -> tuple[str, str]:
    """`content` and `content_parts`; a list of parts is joined to text, as the API does.

    A message that has its parts already was saved from the API and stays as it is.
    """
    content = message.get("content")
    if isinstance(content, Array) and _text(message, "content_parts") == "null":
        joined = " ".join(map(_text_within, content.items))
        return f'"{joined}"', _array(map(_part_json, content.items))
    return _text(message, "content"), _text(message, "content_parts")


def _text_within(part: Value) -> str:
    """The characters of a text part between their quotes, escapes as written; else none."""
    text = part.get("text") if isinstance(part, Object) and part.text("type") == "text" else part
    return written(text)[1:-1] if isinstance(text, String) else ""


def _part_json(part: Value) -> str:
    if not isinstance(part, Object):
        return written(part)
    named = {
        name: _payload_json(part.get(name), _PAYLOAD_FIELDS.get(name, ())) for name in _PART_FIELDS
    }
    return _object(*_members(named), *map(_copied, _beyond(part, named)))


def _payload_json(payload: Value | None, fields: tuple[str, ...]) -> str:
    if payload is None:
        return "null"
    if not isinstance(payload, Object) or not fields:
        return written(payload)
    return _object(*_fields(payload, fields), *map(_copied, _beyond(payload, fields)))


def _choice_json(choice: Value, position: int) -> str:
    if not isinstance(choice, Object):
        return written(choice)
    named = {name: _text(choice, name) for name in _CHOICE_FIELDS}
    named["index"] = _text(choice, "index", str(position))
    named["message"] = _answer_json(choice.get("message"))
    return _object(*_members(named), *_non_empty(_beyond(choice, named)))


def _answer_json(message: Value | None) -> str:
    if message is None or isinstance(message, Null):
        return _object(*(_member(name, "null") for name in _ANSWER_FIELDS))
    if not isinstance(message, Object):
        return written(message)
    named = _fields(message, _ANSWER_FIELDS)
    return _object(*named, *_non_empty(_beyond(message, _ANSWER_FIELDS)))


def _usage_json(usage: Value | None) -> str:
    if usage is None:
        return "null"
    if not isinstance(usage, Object):
        return written(usage)
    further = (member for member in _beyond(usage, _USAGE_FIELDS) if _is_nonzero(member.value))
    return _object(*_fields(usage, _USAGE_FIELDS), *map(_copied, further))


def _is_nonzero(value: Value) -> bool:
    """Whether anything in `value`, at any depth, is more than null, zero or empty."""
    unread = [value]
    while unread:
        one = unread.pop()
        if isinstance(one, Object):
            unread.extend(member.value for member in one.members)
        elif isinstance(one, Array):
            unread.extend(one.items)
        elif not _is_nothing(one):
            return True
    return False


def _is_nothing(scalar: Value) -> bool:
    if isinstance(scalar, Number):
        return float(scalar.source) == 0
    return scalar.source in _EMPTY


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _non_empty(members: Iterable[Member]) -> Iterator[str]:
    """The members that say something: all but null and the empty string, list and object."""
    copies = ((member, written(member.value)) for member in members)
    return (f"{written(member.name)}:{text}" for member, text in copies if text not in _EMPTY)


def _beyond(given: Object, read: Collection[str]) -> Iterator[Member]:
    return (member for member in given.members if member.name.text not in read)


def _text(given: Object, name: str, default: str = "null") -> str:
    """A member's value as written, or `default` where it is absent or null."""
    value = given.get(name)
    return default if value is None or isinstance(value, Null) else written(value)


def _fields(given: Object, names: Iterable[str]) -> list[str]:
    return [_member(name, _text(given, name)) for name in names]


def _members(named: dict[str, str]) -> list[str]:
    return [_member(name, text) for name, text in named.items()]


def _copied(member: Member) -> str:
    return f"{written(member.name)}:{written(member.value)}"


def _member(name: str, text: str) -> str:
    return f'"{name}":{text}'


def _object(*members: str) -> str:
    return "{" + ",".join(members) + "}"


def _array(items: Iterable[str]) -> str:
    return "[" + ",".join(items) + "]"
