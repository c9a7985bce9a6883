"""Write a transcript as one example of messages JSONL, as trainers take it.

The form is `{"messages": […], "tools": […], "parallel_tool_calls": …}`. Members that it lacks
are left out and reported. Values that are kept are copied character for character.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from webapp.completions import Completion
from webapp.exact_json import (
    Array,
    Null,
    Object,
    String,
    Value,
    write_array,
    write_members,
    write_object,
)
from webapp.exports.exact import join_lines
from webapp.exports.transcript import Item, Transcript, iter_items

_ROLES: Final = ("system", "developer", "user", "assistant", "tool", "function")
_MAX_LISTED: Final = 100


@dataclass(slots=True)
class LeftOut:
    """The omissions of an example: the first `sentences`, and how many there are."""

    sentences: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, sentence: str) -> None:
        self.count += 1
        if len(self.sentences) < _MAX_LISTED:
            self.sentences.append(sentence)


def iter_training_line(transcript: Transcript, left_out: LeftOut) -> Iterator[str]:
    """Yield the example on one line, in pieces; add its omissions to `left_out`.

    The first answer ends the example. Without an answer it is a prompt, which is reported.
    """
    yield '{"messages":['
    separator = ""
    last_role = None
    for item in iter_items(transcript):
        if item.place:
            left_out.add(f"Answer {item.place + 1}: an example has one answer.")
        elif written := write_message(item, left_out):
            yield f"{separator}{written}"
            separator = ","
            last_role = item.message.role
    if last_role != "assistant":
        left_out.add("The end: an example ends with an answer, and there is none.")
    yield f"]{write_tools(transcript.completion)}}}\n"


def write_tools(completion: Completion) -> str:
    """Write the members that follow `messages`: tools, and whether calls may be parallel."""
    json = completion.json
    written = ""
    for name in ("tools", "functions", "parallel_tool_calls"):
        value = json.get(name) if isinstance(json, Object) else None
        is_empty = isinstance(value, Array) and not value.items
        if value is not None and not isinstance(value, Null) and not is_empty:
            written += f',"{name}":{join_lines(value.source)}'
    return written


def write_message(item: Item, left_out: LeftOut) -> str | None:
    """Write a message in the form of trainers; None, with a report, if it has no such form."""
    where = f"Message {item.number}" if item.number is not None else "The answer"
    json = item.message.given if item.choice is None else item.message.json
    role = json.text("role") if isinstance(json, Object) else None
    if not isinstance(json, Object) or role not in _ROLES:
        left_out.add(f"{where}: its role is none that trainers know.")
        return None
    members = {"role": f'"{role}"'}
    for member in json.members:
        name, value = member.name.text, member.value
        if name in ("id", "role") or isinstance(value, Null):
            continue
        kept = _write_member(name, value, where, left_out)
        if kept is not None:
            members[name] = kept
    if "content" not in members and "tool_calls" not in members and "function_call" not in members:
        left_out.add(f"{where}: nothing is left of it.")
        return None
    return write_object(write_members(members))


def _write_member(name: str, value: Value, where: str, left_out: LeftOut) -> str | None:
    if name == "content_parts" or (name == "content" and isinstance(value, Array)):
        parts = _write_parts(value, where, left_out)
        return parts if name == "content" else None
    if name == "tool_calls" and isinstance(value, Array):
        calls = [_write_call(call, where, left_out) for call in value.items]
        kept = [call for call in calls if call is not None]
        return write_array(kept) if kept else None
    if name == "function_call" and isinstance(value, Object):
        return join_lines(value.source)
    if name in ("content", "name", "tool_call_id") and isinstance(value, String):
        return join_lines(value.source)
    if not (isinstance(value, Array) and not value.items):
        left_out.add(f"{where}: {name}.")
    return None


def _write_parts(value: Value, where: str, left_out: LeftOut) -> str | None:
    """Write the content parts that are texts or images."""
    kept = []
    for part in value.items if isinstance(value, Array) else ():
        kind = part.text("type") if isinstance(part, Object) else None
        if kind in ("text", "image_url"):
            kept.append(join_lines(part.source))
        else:
            left_out.add(f"{where}: a content part of type {kind or 'unknown'}.")
    return write_array(kept) if kept else None


def _write_call(call: Value, where: str, left_out: LeftOut) -> str | None:
    function = call.object("function") if isinstance(call, Object) else None
    if isinstance(call, Object) and function is not None:
        arguments = function.get("arguments")
        if isinstance(function.get("name"), String) and isinstance(arguments, String):
            return join_lines(call.source)
    left_out.add(f"{where}: a call that is not a function's, or has no text as its arguments.")
    return None
