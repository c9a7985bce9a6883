"""Mistral's Conversations API: its entries become messages, in their order.

The texts and calls of a model between two entries of others are one message.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from webapp.embedded.documents.other_apis.writing import (
    copy,
    copy_rest,
    write,
    write_choice,
    write_content,
    write_system,
    write_text,
)
from webapp.exact_json import Array, Null, Object, String, Value, parse, write_array, write_object

ASKED: Final = frozenset({"inputs", "entries", "instructions"})

_ANSWERED: Final = frozenset({"object", "outputs"})
_INPUT: Final = "message.input"
_OUTPUT: Final = "message.output"
_CALL: Final = "function.call"
_RESULT: Final = "function.result"
_KINDS: Final = frozenset({_INPUT, _OUTPUT, _CALL, _RESULT, "tool.execution", "agent.handoff"})


def is_request(value: Object) -> bool:
    """Return whether `value` has `inputs` for a model or an agent, or the history of them."""
    given = _get_given(value)
    if isinstance(given, String):
        return any(value.text(name) for name in ("model", "agent_id"))
    return isinstance(given, Array) and _are_entries(given.items)


def is_response(value: Object) -> bool:
    """Return whether `value` is a response with its outputs."""
    return _are_entries(value.items("outputs") or ())


def write_request(request: Object) -> str:
    """Write a request, or a history, with its instructions and its entries as messages."""
    messages = write_system(request.get("instructions"))
    given = _get_given(request)
    if isinstance(given, Array):
        messages += _write_messages(given.items)
    else:
        messages.append(write(role='"user"', content=copy(given)))
    return write_object([*copy_rest(request, ASKED), f'"messages":{write_array(messages)}'])


def write_response(response: Object) -> str:
    """Write a response as one choice, with the time and the model of its last entry."""
    outputs = response.items("outputs") or ()
    last = outputs[-1]
    assert isinstance(last, Object)
    members = copy_rest(response, _ANSWERED)
    for name, given in (("created", "created_at"), ("model", "model")):
        text = copy(last.get(given))
        members += [f'"{name}":{text}'] if text and response.get(name) is None else []
    has_calls = any(isinstance(one, Object) and one.text("type") == _CALL for one in outputs)
    stopped = parse('"tool_calls"') if has_calls else None
    choice = write_choice(_write_said(outputs), stopped, None)
    return write_object([*members, f'"choices":[{choice}]'])


def _get_given(request: Object) -> Value | None:
    inputs = request.get("inputs")
    return request.get("entries") if inputs is None or isinstance(inputs, Null) else inputs


def _are_entries(values: Sequence[Value]) -> bool:
    return bool(values) and all(
        isinstance(one, Object) and one.text("type") in _KINDS for one in values
    )


def _write_messages(entries: Sequence[Value]) -> list[str]:
    messages: list[str] = []
    said: list[Value] = []
    for entry in entries:
        kind = entry.text("type") if isinstance(entry, Object) else None
        if not isinstance(entry, Object) or kind not in (_INPUT, _RESULT):
            said.append(entry)
            continue
        if said:
            messages.append(_write_said(said))
            said = []
        if kind == _RESULT:
            rest = copy_rest(entry, {"object", "type", "tool_call_id", "result"})
            call_id = copy(entry.get("tool_call_id")) or "null"
            content = write_text(entry.get("result"))
            names = ['"role":"tool"', f'"tool_call_id":{call_id}', f'"content":{content}']
            messages.append(write_object([*names, *rest]))
        else:
            messages.append(write_object(copy_rest(entry, {"object", "type"})))
    return [*messages, _write_said(said)] if said else messages


def _write_said(entries: Sequence[Value]) -> str:
    """Write one message of a model: its texts, its calls, and any other entry as a part."""
    parts: list[str] = []
    calls: list[str] = []
    rest: list[list[str]] = []
    for entry in entries:
        kind = entry.text("type") if isinstance(entry, Object) else None
        if isinstance(entry, Object) and kind == _OUTPUT:
            content = entry.get("content")
            if isinstance(content, Array):
                parts += [copy(one) or "null" for one in content.items]
            elif text := copy(content):
                parts.append(write(type='"text"', text=text))
            rest.append(copy_rest(entry, {"object", "type", "role", "content"}))
        elif isinstance(entry, Object) and kind == _CALL:
            calls.append(_write_call(entry))
        else:
            parts.append(copy(entry) or "null")
    members = ['"role":"assistant"', f'"content":{write_content(parts) if parts else "null"}']
    members += [f'"tool_calls":{write_array(calls)}'] if calls else []
    if len(rest) > 1:
        members.append(f'"items":{write_array(map(write_object, rest))}')
    else:
        members += rest[0] if rest else []
    return write_object(members)


def _write_call(entry: Object) -> str:
    arguments = write_text(entry.get("arguments"))
    name = copy(entry.get("name")) or json.dumps("")
    rest = copy_rest(entry, {"object", "type", "id", "tool_call_id", "name", "arguments"})
    members = [f'"id":{copy(entry.get("tool_call_id")) or copy(entry.get("id")) or "null"}']
    members.append(f'"type":"function","function":{{"name":{name},"arguments":{arguments}}}')
    own_id = copy(entry.get("id"))
    return write_object([*members, *([f'"item_id":{own_id}'] if own_id else []), *rest])
