"""Anthropic's Messages API. Its content blocks are read as they are; only its envelope differs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from webapp.embedded.documents.other_apis.writing import (
    copy,
    copy_rest,
    rename,
    write,
    write_choice,
    write_system,
)
from webapp.embedded.documents.reported_errors import find_reported_error
from webapp.exact_json import (
    Array,
    NotJson,
    Object,
    String,
    Value,
    parse,
    write_array,
    write_object,
)

ASKED: Final = frozenset({"system", "messages"})

USAGE: Final = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens"}
_ANSWERED: Final = frozenset({"type", "role", "content", "stop_reason", "usage"})


def is_request(value: Object) -> bool:
    """Return whether `value` has messages, with instructions apart or tools of this API."""
    messages = value.items("messages")
    if not messages or not all(isinstance(one, Object) and one.text("role") for one in messages):
        return False
    system, tools = value.get("system"), value.items("tools") or ()
    return (
        (isinstance(system, String | Array) and system.source not in ('""', "[]"))
        or value.get("anthropic_version") is not None
        or any(isinstance(one, Object) and one.object("input_schema") for one in tools)
    )


def is_response(value: Object) -> bool:
    """Return whether `value` is a message of the API, with content blocks."""
    return value.text("type") == "message" and value.items("content") is not None


def write_request(request: Object) -> str:
    """Write a request with its instructions as the first message."""
    messages = [copy(one) or "null" for one in request.items("messages") or ()]
    asked = write_array([*write_system(request.get("system")), *messages])
    return write_object([*copy_rest(request, ASKED), f'"messages":{asked}'])


def write_response(response: Object) -> str:
    """Write a response as one choice."""
    message = write(role=copy(response.get("role")), content=copy(response.get("content")))
    choice = write_choice(message, response.get("stop_reason"), "stop_reason")
    usage = rename(response.object("usage"), USAGE)
    members = [*copy_rest(response, _ANSWERED), f'"choices":[{choice}]']
    return write_object([*members, *([f'"usage":{usage}'] if usage else [])])


def join_stream(values: Sequence[Value]) -> str | None:
    """Join the events of one streamed response to the response; return None if they are not that.

    Texts are joined as they were written.
    """
    events = [one for one in values if isinstance(one, Object)]
    starts = [one for one in events if one.text("type") == "message_start"]
    started = starts[0].object("message") if len(starts) == 1 else None
    if started is None or len(events) < len(values):
        return None
    members = {one.name.source: one.value.source for one in started.members}
    usage = started.object("usage")
    counts = {one.name.source: one.value.source for one in usage.members} if usage else {}
    blocks: dict[int, _Block] = {}
    reason: str | None = "The answer ended early."
    for event in events:
        kind, index = event.text("type"), event.integer("index") or 0
        block, delta = event.object("content_block"), event.object("delta")
        if kind == "content_block_start" and block is not None:
            blocks[index] = _Block(block)
        elif kind == "content_block_delta" and delta is not None and index in blocks:
            blocks[index].add(delta)
        elif kind == "message_delta":
            for given, target in ((delta, members), (event.object("usage"), counts)):
                target |= (
                    {one.name.source: copy(one.value) or "null" for one in given.members}
                    if given
                    else {}
                )
        elif kind == "message_stop":
            reason = None
        elif kind == "error":
            reason = find_reported_error(event)
    members['"content"'] = write_array(blocks[at].write() for at in sorted(blocks))
    if counts:
        members['"usage"'] = write_object(f"{name}:{text}" for name, text in counts.items())
    if reason is not None:
        members['"incomplete"'] = json.dumps({"reason": reason})
    return write_object(f"{name}:{text}" for name, text in members.items())


class _Block:
    """A content block whose texts arrive in pieces."""

    def __init__(self, block: Object) -> None:
        self._members = {one.name.text: one.value.source for one in block.members}
        self._input: list[str] = []

    def add(self, delta: Object) -> None:
        """Add a piece; one of an unknown type is kept as it is."""
        citation = delta.get("citation")
        for member in delta.members:
            name, value = member.name.text, member.value
            if name == "partial_json" and isinstance(value, String):
                self._input.append(value.text)
            elif name == "citation" and citation is not None:
                given = self._members.get("citations", "[]")
                listed = given[1:-1] if given.startswith("[") else ""
                self._members["citations"] = f"[{f'{listed},' if listed else ''}{citation.source}]"
            elif name != "type" and isinstance(value, String):
                before = self._members.get(name, '""')
                before = before if before.startswith('"') else '""'
                self._members[name] = f"{before[:-1]}{value.source[1:]}"
            elif name != "type":
                self._members[name] = value.source

    def write(self) -> str:
        """Write the whole block; arguments that are not JSON stay a text."""
        text = "".join(self._input)
        if text.strip():
            try:
                self._members["input"] = parse(text).source
            except NotJson:
                self._members["input"] = json.dumps(text)
        return write_object(f"{json.dumps(name)}:{text}" for name, text in self._members.items())
