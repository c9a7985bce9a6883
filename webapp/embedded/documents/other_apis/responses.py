"""OpenAI's Responses API: its items become messages, in their order.

The texts, thoughts and calls of an assistant between two items of others are one message.
"""

from __future__ import annotations

import json
from typing import Final

from webapp.embedded.documents.other_apis.writing import (
    copy,
    copy_rest,
    rename,
    write,
    write_choice,
    write_content,
    write_system,
    write_text,
)
from webapp.exact_json import Array, Null, Object, String, Value, parse, write_array, write_object

ASKED: Final = frozenset({"input", "instructions"})

USAGE: Final = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "input_tokens_details": "prompt_tokens_details",
    "output_tokens_details": "completion_tokens_details",
}
_ANSWERED: Final = frozenset({"object", "output", "created_at", "usage", "output_text"})
_OWN: Final = ("instructions", "previous_response_id", "max_output_tokens", "reasoning")
"""Requests for embeddings and speech have a text as `input` too."""
_CALLS: Final = {
    "function_call": "arguments",
    "custom_tool_call": "input",
    "local_shell_call": "action",
    "shell_call": "action",
    "computer_call": "action",
    "apply_patch_call": "operation",
}
"""The calls that the client answers, and the member with their request."""
_RESULTS: Final = frozenset(f"{kind}_output" for kind in _CALLS)


def is_request(value: Object) -> bool:
    """Return whether `value` has an `input` of items, or of text beside members of this API."""
    given = value.get("input")
    if isinstance(given, Array):
        return bool(given.items) and all(map(_is_item, given.items))
    return isinstance(given, String) and any(value.get(name) is not None for name in _OWN)


def is_response(value: Object) -> bool:
    """Return whether `value` is a response with its output."""
    output = value.items("output")
    if output is None:
        return False
    is_named = value.text("object") == "response"
    return is_named or (bool(output) and all(_is_item(one, needs_type=True) for one in output))


def write_request(request: Object) -> str:
    """Write a request with its instructions and its input as messages."""
    given = request.get("input")
    messages = write_system(request.get("instructions"), "developer")
    if isinstance(given, Array):
        said = _AssistantMessage()
        for item in given.items:
            if said.takes(item):
                said.add(item)
            else:
                messages += [*said.finish(), _write_item(item)]
        messages += said.finish()
    elif given is not None:
        messages.append(write(role='"user"', content=copy(given)))
    return write_object([*copy_rest(request, ASKED), f'"messages":{write_array(messages)}'])


def write_response(response: Object) -> str:
    """Write a response as one choice; a failed one has none, and the reason."""
    members = copy_rest(response, _ANSWERED)
    created = copy(response.get("created_at"))
    members += [f'"created":{created}'] if created else []
    usage = rename(response.object("usage"), USAGE)
    members += [f'"usage":{usage}'] if usage else []
    error = response.object("error")
    if error is not None:
        words = error.text("message") or error.source
        members.append(f'"incomplete":{json.dumps({"reason": words})}')
    output = response.items("output") or ()
    message = _AssistantMessage()
    for item in output:
        message.add(item)
    details = response.object("incomplete_details")
    stopped = details.get("reason") if details else response.get("status")
    if message.has_calls and response.text("status") == "completed":
        stopped = parse('"tool_calls"')
    choices = (
        [write_choice(message.write(), stopped, "reason" if details else None)] if output else []
    )
    return write_object([*members, f'"choices":{write_array(choices)}'])


def _is_item(value: Value, *, needs_type: bool = False) -> bool:
    if not isinstance(value, Object):
        return False
    kind = value.text("type")
    if kind is None and not needs_type:
        return value.text("role") is not None and value.get("content") is not None
    known = ("message", "reasoning", "item_reference")
    return kind in known or (kind or "").endswith(("_call", "_call_output", "_tools", "_request"))


def _write_item(item: Value) -> str:
    """Write an item that is not the assistant's: a message or a result."""
    if not isinstance(item, Object):
        return copy(item) or "null"
    if item.text("type") in _RESULTS:
        rest = copy_rest(item, {"call_id", "output", "type"})
        call_id, output = copy(item.get("call_id")), copy(item.get("output"))
        if item.text("type") == "local_shell_call_output":
            # Its `id` is that of the call.
            call_id = call_id or copy(item.get("id"))
        # A screenshot is one content part.
        output = f"[{output}]" if isinstance(item.get("output"), Object) else output or "null"
        members = ['"role":"tool"', f'"tool_call_id":{call_id or "null"}', f'"content":{output}']
        return write_object([*members, *rest])
    if item.text("role") is None:
        return write_object(['"role":"user"', f'"content":[{copy(item)}]'])
    content = item.items("content")
    if content is None:
        return write_object(copy_rest(item, {"type"}))
    written = write_content(list(map(_write_part, content)))
    return write_object([*copy_rest(item, {"type", "content"}), f'"content":{written}'])


class _AssistantMessage:
    """One message of an assistant, gathered from its items."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._calls: list[str] = []
        self._annotations: list[str] = []
        self._rest: list[list[str]] = []

    @property
    def has_calls(self) -> bool:
        return bool(self._calls)

    def takes(self, item: Value) -> bool:
        """Return whether `item` is the assistant's."""
        if not isinstance(item, Object) or item.text("type") in _RESULTS:
            return False
        role = item.text("role")
        return role == "assistant" or (role is None and item.text("type") != "item_reference")

    def add(self, item: Value) -> None:
        """Add the parts of a message, a call, or any other item as a part."""
        kind = item.text("type") if isinstance(item, Object) else None
        if not isinstance(item, Object):
            self._parts.append(copy(item) or "null")
        elif item.get("role") is not None:
            content = item.get("content")
            if isinstance(content, Array):
                for part in content.items:
                    self._parts.append(_write_part(part))
                    cited = part.items("annotations") if isinstance(part, Object) else None
                    self._annotations += [copy(one) or "null" for one in cited or ()]
            elif content is not None and not isinstance(content, Null):
                self._parts.append(write(type='"text"', text=copy(content)))
            self._rest.append(_copy_item_rest(item, {"role", "content"}))
        elif kind in _CALLS:
            self._calls.append(_write_call(item, kind or ""))
        else:
            self._parts.append(copy(item) or "null")

    def write(self) -> str:
        """Write the message; the other members of several items are in `items`."""
        content = write_array(self._parts) if self._parts else "null"
        members = ['"role":"assistant"', f'"content":{content}']
        members += [f'"tool_calls":{write_array(self._calls)}'] if self._calls else []
        members += [f'"annotations":{write_array(self._annotations)}'] if self._annotations else []
        if len(self._rest) > 1:
            members.append(f'"items":{write_array(map(write_object, self._rest))}')
        else:
            members += self._rest[0] if self._rest else []
        return write_object(members)

    def finish(self) -> list[str]:
        """Return the message, if there is anything in it, and begin another."""
        written = [self.write()] if self._parts or self._calls else []
        self._parts, self._calls, self._annotations, self._rest = [], [], [], []
        return written


def _write_part(part: Value) -> str:
    """Write a text as a text part, without its annotations, and any other part as it is."""
    kind = part.text("type") if isinstance(part, Object) else None
    if not isinstance(part, Object) or kind not in ("input_text", "output_text"):
        return copy(part) or "null"
    is_empty = part.items("logprobs") == ()
    rest = copy_rest(part, {"type", "annotations", *(["logprobs"] if is_empty else [])})
    return write_object(['"type":"text"', *rest])


def _copy_item_rest(item: Object, used: set[str]) -> list[str]:
    """Copy the other members of an item; that it is complete goes without saying."""
    is_complete = item.text("status") == "completed"
    return copy_rest(item, {"type", *used, *(["status"] if is_complete else [])})


def _write_call(item: Object, kind: str) -> str:
    name = _CALLS[kind]
    own = "function" if kind == "function_call" else "custom"
    tool = copy(item.get("name")) or json.dumps(kind.removesuffix("_call"))
    given = item.get(name)
    field = "arguments" if own == "function" else "input"
    inner = write(**{"name": tool, field: write_text(given) if given else None})
    members = [f'"id":{copy(item.get("call_id")) or "null"}', f'"type":"{own}"', f'"{own}":{inner}']
    item_id = copy(item.get("id"))
    members += [f'"item_id":{item_id}'] if item_id else []
    return write_object([*members, *_copy_item_rest(item, {"call_id", "name", name, "id"})])
