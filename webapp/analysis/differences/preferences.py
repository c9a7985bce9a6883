"""Write two answers to one input as a line of training data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

from webapp.completions import Completion
from webapp.exact_json import Null, Object, compact
from webapp.messages import Message

_INPUT: Final = ("role", "content", "name", "tool_calls", "tool_call_id")
_OUTPUT: Final = ("role", "content", "tool_calls")
_OF_INPUT: Final = ("tools", "parallel_tool_calls")


def write_preference(
    messages: Sequence[Message], completion: Completion, preferred: Message, other: Message
) -> str:
    """Write a line of JSON: the input, the preferred answer and the other one.

    It has the members that a trainer takes, each as it was sent; `content_parts` are the content
    if it is null. The tools are those of `completion`.
    """
    written = [f'"messages":[{",".join(_write(one, _INPUT) for one in messages)}]']
    if isinstance(completion.json, Object):
        for name in _OF_INPUT:
            value = completion.json.get(name)
            if value is not None and not isinstance(value, Null):
                written.append(f'"{name}":{compact(value)}')
    return (
        f'{{"input":{{{",".join(written)}}},'
        f'"preferred_output":[{_write(preferred, _OUTPUT)}],'
        f'"non_preferred_output":[{_write(other, _OUTPUT)}]}}\n'
    )


def _write(message: Message, names: Iterable[str]) -> str:
    """Write a message with the members of `names` that are not null."""
    given = message.given
    if not isinstance(given, Object):
        return compact(given)
    members = {}
    for name in names:
        value = given.get(name)
        if name == "content" and isinstance(value, Null | None):
            value = given.get("content_parts")
        if value is not None and not isinstance(value, Null):
            members[name] = compact(value)
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members.items()) + "}"
