"""Write two answers to one input as a line of training data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from webapp.completions import Completion
from webapp.exact_json import (
    Array,
    Null,
    Object,
    String,
    Value,
    compact,
    write_array,
    write_members,
    write_object,
)
from webapp.messages import Message

_INPUT: Final = ("content", "name", "tool_calls", "tool_call_id")
_OUTPUT: Final = ("content", "tool_calls")
_OF_INPUT: Final = ("tools", "parallel_tool_calls")
_ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool"})


class NotAPair(ValueError):
    """No trainer takes two answers as a preference; the message is the reason."""


def write_preference(
    messages: Sequence[Message], completion: Completion, preferred: Message, other: Message
) -> str:
    """Write a line of JSON: the input, the preferred answer and the other one.

    It has the members that a trainer takes, each as it was sent; `content_parts` are the content
    if it is null. The tools are those of `completion`. Raises `NotAPair` if a message has neither
    text nor calls, as a refusal, or no role that trainers know, or if the answers are the same.
    """
    numbered = enumerate(messages, start=1)
    inputs = [_write(one, _INPUT, f"Message {number}") for number, one in numbered]
    if not inputs:
        raise NotAPair(
            "A preference pair has an input, and there is no message before the answers."
        )
    outputs = [_write(one, _OUTPUT, "One of the answers") for one in (preferred, other)]
    if outputs[0] == outputs[1]:
        raise NotAPair("A preference pair has two answers, and these are the same.")
    written = [f'"messages":{write_array(inputs)}']
    if isinstance(completion.json, Object):
        for name in _OF_INPUT:
            value = completion.json.get(name)
            if value is not None and not isinstance(value, Null):
                written.append(f'"{name}":{compact(value)}')
    return (
        f'{{"input":{write_object(written)},'
        f'"preferred_output":[{outputs[0]}],'
        f'"non_preferred_output":[{outputs[1]}]}}\n'
    )


def _write(message: Message, names: Sequence[str], which: str) -> str:
    """Write a message with the members of `names` that are not null, nor an empty list.

    An input may be an empty text, as the result of a call; an answer with no other words is none.
    """
    given = message.given
    # A choice may leave out its role.
    role = given.text("role") if isinstance(given, Object) else None
    if names is _OUTPUT:
        role = role or "assistant"
    if not isinstance(given, Object) or role not in _ROLES:
        raise NotAPair(f"{which} has no role that trainers know.")
    members = {"role": f'"{role}"'}
    for name in names:
        value = given.get(name)
        if name == "content" and isinstance(value, Null | None):
            value = given.get("content_parts")
        if value is not None and not _is_nothing(value, is_output=names is _OUTPUT):
            members[name] = compact(value)
    if not {"content", "tool_calls"} & members.keys():
        raise NotAPair(f"{which} has neither text nor calls, which trainers need.")
    return write_object(write_members(members))


def _is_nothing(value: Value, *, is_output: bool) -> bool:
    if isinstance(value, String):
        return is_output and not value.text.strip()
    return isinstance(value, Null) or (isinstance(value, Array) and not value.items)
