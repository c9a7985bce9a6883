"""Serialize stored completions and messages, as the API does or as they were given.

Every lexeme is copied from the text it was imported as, so a number, a string or a name leaves
unchanged. Two exceptions keep the meaning: white space between lexemes is dropped, and raw
control characters in strings are escaped, because one of them would make a whole page
unreadable to a strict client.

In the API's form, which is compact, key orders and defaults are those of recorded answers of the
Chat Completions API; other members follow in their own order. That form has members that nobody
gave: a temperature of 1.0, parts of null members. To texts as they were given, only the id is
added, because a reader could not ask for anything without it; a message that is not an object
becomes a member of ours beside that id.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from webapp.completions import find_break
from webapp.exact_json import (
    Array,
    Member,
    Null,
    Number,
    Object,
    String,
    Value,
    iter_encoded,
    list_slots,
    parse,
    write_array,
    write_object,
)
from webapp.messages import BARE, find_choice_messages
from webapp.messages.choices import name_answer
from webapp.timestamps import parse_time

_WITHOUT_SPACE: Final = re.compile(
    r'(?:[^ \t\n\r"]++|"[^"\\]*+(?:\\.[^"\\]*+|(?!))*+"|(?!))++', re.DOTALL
)
"""Lexemes without white space between them."""
_EMPTY_OBJECT: Final = re.compile(r"\{\s*+\}")
_ID: Final = re.compile(r'"(?:i|\\u0069)(?:d|\\u0064)"')
"""The name `id`, as it can be written in JSON."""
_CONTROL = re.compile(r"[\x00-\x1f]")
_CONTROLS: Final = tuple(map(chr, range(0x20)))
_SHORT: Final = 500
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
TIMING: Final = "readback_timing"
"""A member of ours that stays in the store and in exports: clients know the API's alone."""

_USAGE_FIELDS: Final = ("total_tokens", "completion_tokens", "prompt_tokens")
_CHOICE_FIELDS: Final = ("index", "message", "finish_reason", "logprobs")
_FINISH_REASONS: Final = frozenset(
    {'"stop"', '"length"', '"tool_calls"', '"content_filter"', '"function_call"'}
)
_ANSWER_FIELDS: Final = ("content", "role", "tool_calls", "function_call")
_PART_FIELDS: Final = ("type", "text", "image_url", "input_audio", "file")
_PAYLOAD_FIELDS: Final = {
    "image_url": ("url", "detail"),
    "input_audio": ("data", "format"),
    "file": ("file_data", "file_id", "filename"),
}


def strip_whitespace(text: str) -> str:
    """Strip the white space between the lexemes of the JSON `text`."""
    if not any(map(text.__contains__, " \t\n\r")):
        return text
    return "".join(_WITHOUT_SPACE.findall(text))


def join_lines(text: str) -> str:
    """Strip the white space of the JSON `text`, unless it is on one line already."""
    return text if "\n" not in text else _escape_control(strip_whitespace(text))


def one_line_source(value: Value) -> str:
    source = value.source
    return _escape_control(source if isinstance(value, String) else strip_whitespace(source))


def serialize_message(message: Value, message_id: str) -> str:
    """Serialize an input message as the messages endpoint does, with five keys first.

    The keys are `id`, `role`, `content`, `content_parts` and `name`. A value that is not an
    object becomes the `content` of a message without a role.
    """
    if not isinstance(message, Object):
        return _write_object(
            {
                "id": f'"{message_id}"',
                "role": "null",
                "content": one_line_source(message),
                "content_parts": "null",
                "name": "null",
            }
        )
    named = {
        "id": f'"{message_id}"',
        "role": _get_source(message, "role"),
        "content": _get_source(message, "content"),
        "content_parts": _get_source(message, "content_parts"),
        "name": _get_source(message, "name"),
    }
    content = message.get("content")
    # The API joins a list of parts to text. A message with `content_parts` was saved from it.
    if isinstance(content, Array) and named["content_parts"] == "null":
        named["content"] = f'"{" ".join(map(_read_part_text, content.items))}"'
        named["content_parts"] = write_array(map(_serialize_part, content.items))
    further = list(_copy_others(message, named))
    if message.text("role") == "assistant" and message.get("refusal") is None:
        further.append('"refusal":null')
    return _write_object(named, further)


def serialize_completion(completion: Object, completion_id: str) -> str:
    """Serialize a completion as the API returns it, without its input messages."""
    named = {
        name: _get_source(completion, name, default)
        for name, default in _COMPLETION_DEFAULTS.items()
    }
    named["id"] = f'"{completion_id}"'
    if (usage := completion.object("usage")) is not None:
        counts = {name: _get_source(usage, name) for name in _USAGE_FIELDS}
        others = (one for one in _iter_others(usage, counts) if _is_nonzero(one.value))
        named["usage"] = _write_object(counts, map(_copy_member, others))
    if (seconds := parse_time(completion.get("created"))) is not None:
        named["created"] = str(seconds)
    choices = completion.items("choices") or ()
    indexes = [
        _get_source(choice, "index", str(at)) if isinstance(choice, Object) else str(at)
        for at, choice in enumerate(choices)
    ]
    keeps_indexes = len(set(indexes)) == len(indexes)
    broke_off = find_break(completion) is not None
    named["choices"] = write_array(
        _serialize_choice(choice, at, keeps_index=keeps_indexes, broke_off=broke_off)
        for at, choice in enumerate(choices)
    )
    return _write_object(named, _copy_non_empty(completion, {*named, "messages", TIMING}))


def with_metadata(completion: Object, metadata_json: str) -> str:
    """Replace the metadata of a serialized completion."""
    old = completion.get("metadata")
    if old is None:
        raise ValueError("a completion in its wire form has metadata")
    text = completion.document
    return f"{text[: old.start]}{metadata_json}{text[old.end :]}"


def _read_part_text(part: Value) -> str:
    """Read the characters between the quotes of a text part, or "" if it is another part."""
    text = part.get("text") if isinstance(part, Object) and part.text("type") == "text" else part
    return one_line_source(text)[1:-1] if isinstance(text, String) else ""


def _serialize_part(part: Value) -> str:
    if not isinstance(part, Object):
        return one_line_source(part)
    named = {name: _get_source(part, name) for name in _PART_FIELDS}
    for name, fields in _PAYLOAD_FIELDS.items():
        payload = part.get(name)
        if isinstance(payload, Object):
            known = {field: _get_source(payload, field) for field in fields}
            named[name] = _write_object(known, _copy_others(payload, fields))
    return _write_object(named, _copy_others(part, named))


def _serialize_choice(choice: Value, position: int, *, keeps_index: bool, broke_off: bool) -> str:
    """Serialize a choice, under its index or `position`.

    A choice that broke off gets a finish reason of the API: strict clients refuse any other.
    """
    if not isinstance(choice, Object):
        return one_line_source(choice)
    named = {name: _get_source(choice, name) for name in _CHOICE_FIELDS}
    if not keeps_index or named["index"] == "null":
        named["index"] = str(position)
    source = name_answer(choice)
    answer = choice.get(source)
    if answer is None and (found := find_choice_messages(choice)):
        answer = found[0]
    if isinstance(answer, Object):
        given = {name: _get_source(answer, name) for name in _ANSWER_FIELDS}
        named["message"] = _write_object(given, _copy_non_empty(answer, given))
    elif answer is None or isinstance(answer, Null):
        named["message"] = _write_object(dict.fromkeys(_ANSWER_FIELDS, "null"))
    else:
        named["message"] = one_line_source(answer)
    if broke_off and named["finish_reason"] not in _FINISH_REASONS:
        named["finish_reason"] = '"length"'
    return _write_object(named, _copy_non_empty(choice, {*named, source}))


def _is_nonzero(value: Value) -> bool:
    """Return whether anything in `value`, at any depth, is not null, zero or empty."""
    unread = [value]
    while unread:
        one = unread.pop()
        if isinstance(one, Object):
            unread.extend(member.value for member in one.members)
        elif isinstance(one, Array):
            unread.extend(one.items)
        elif isinstance(one, Number):
            if float(one.source) != 0:
                return True
        elif one.source not in _EMPTY:
            return True
    return False


def _get_source(json: Object, name: str, default: str = "null") -> str:
    """Return a member's value on one line, or `default` if it is absent or null."""
    value = json.get(name)
    return default if value is None or isinstance(value, Null) else one_line_source(value)


def _iter_others(json: Object, names: Collection[str]) -> Iterator[Member]:
    return (member for member in json.members if member.name.text not in names)


def _copy_others(json: Object, names: Collection[str]) -> Iterator[str]:
    return map(_copy_member, _iter_others(json, names))


def _copy_non_empty(json: Object, names: Collection[str]) -> Iterator[str]:
    """Yield the other members that are not null or an empty string, list or object."""
    for member in _iter_others(json, names):
        source = one_line_source(member.value)
        if source not in _EMPTY:
            yield f"{one_line_source(member.name)}:{source}"


def _copy_member(member: Member) -> str:
    return f"{one_line_source(member.name)}:{one_line_source(member.value)}"


def _write_object(named: dict[str, str], further: Iterable[str] = ()) -> str:
    members = [f'"{name}":{source}' for name, source in named.items()]
    return write_object((*members, *further))


def _escape_control(text: str) -> str:
    # Most texts have none, which the first test finds faster in short texts, the second in long
    # ones: it makes many searches, and one for a single character is a hundred times faster.
    if len(text) < _SHORT and text.isprintable():
        return text
    if not any(map(text.__contains__, _CONTROLS)):
        return text
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def write_given_completion(head: str, completion_id: str) -> str:
    """Write the completion in `head` under its stored id, without its input messages."""
    return _write_with_id(head, completion_id, without="messages")


@dataclass(frozen=True, slots=True)
class Extended:
    """The text of an object with more members at its beginning, encoded without another copy.

    A text of 60 MB with an emoji takes 240 MB.
    """

    text: str
    members: str

    def __len__(self) -> int:
        return len(self.text) + len(self.members)

    def __str__(self) -> str:
        return self.text.replace("{", f"{{{self.members}", 1)

    def iter_encoded(self) -> Iterator[bytes]:
        """Yield the UTF-8 in pieces."""
        yield b"{" + self.members.encode()
        yield from iter_encoded(self.text, 1)


def extend_given_message(given_json: str, message_id: str) -> str | Extended:
    """Write a message under its stored id, which makes an object of any other value."""
    text = join_lines(given_json).strip()
    if not text.startswith("{"):
        return f'{{"id":"{message_id}","{BARE}":{text}}}'
    if _ID.search(text):
        return _write_with_id(text, message_id)
    comma = "" if _EMPTY_OBJECT.match(text) else ","
    return Extended(text, f'"id":"{message_id}"{comma}')


def _write_with_id(text: str, own_id: str, *, without: str | None = None) -> str:
    """Write the object in `text` with this id, which replaces the one in it."""
    slots = [(slot.name.text, slot) for slot in list_slots(text)]
    ids = [parse(text[slot.start : slot.end]) for name, slot in slots if name == "id"]
    has_own = bool(ids) and isinstance(ids[-1], String) and ids[-1].text == own_id
    left_out = {without} if has_own else {without, "id"}
    copies = [
        f"{slot.name.source}:{text[slot.start : slot.end]}"
        for name, slot in slots
        if name not in left_out
    ]
    return write_object(copies if has_own else [f'"id":"{own_id}"', *copies])
