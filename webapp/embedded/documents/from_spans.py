"""Build completions from spans of OpenTelemetry, in the conventions of GenAI and OpenInference.

Messages are in attributes: as lists or texts of JSON, or with an attribute for each of their
members, such as `llm.input_messages.0.message.role`. Attributes may be nested, flat, or a list of
keys with values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from webapp.embedded.documents.api_json import join_lines
from webapp.embedded.documents.from_files import copy_member
from webapp.embedded.documents.other_apis.writing import copy, write, write_choice
from webapp.embedded.documents.span_exports import parse_object, write_pairs, write_value
from webapp.embedded.limits import MAX_IMPORTED_VALUES
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

Attributes = dict[str, Value]

_LISTS: Final = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions")
_ASKED: Final = ("gen_ai.prompt", "llm.input_messages")
_ANSWERED: Final = ("gen_ai.completion", "llm.output_messages")
_MODELS: Final = ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name")
_USAGE: Final = {
    "prompt_tokens": (
        *("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
    ),
    "completion_tokens": (
        *("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
        "llm.token_count.completion",
    ),
    "total_tokens": ("llm.usage.total_tokens", "llm.token_count.total"),
}
_REASONS: Final = ("gen_ai.response.finish_reasons", "gen_ai.response.finish_reasons.0")
_STARTS: Final = ("startTimeUnixNano", "start_time", "startTime")
_CALL: Final = re.compile(r"tool_calls\.([0-9]{1,6})\.(?:tool_call\.)?(?:function\.)?(\w+)")
_PART: Final = re.compile(r"contents\.[0-9]+\.message_content\.(text|image\.image\.url)")
_EVENT: Final = re.compile(r"gen_ai\.(?:(system|user|assistant|tool)\.message|(choice))")
_MAX_NESTING: Final = 12


def from_span(span: Object) -> str | None:
    """Convert a span to a completion; return None if it has no messages."""
    attributes = _read_attributes(span)
    events = [one for one in span.items("events") or () if isinstance(one, Object)]
    for event in events:
        found = _read_attributes(event)
        attributes |= {name: found[name] for name in _LISTS if name in found}
    asked = _read_instructions(attributes.get("gen_ai.system_instructions"))
    asked += _read_list(attributes.get("gen_ai.input.messages"))
    answers = _read_list(attributes.get("gen_ai.output.messages"))
    used = set(_LISTS)
    for prefixes, messages in ((_ASKED, asked), (_ANSWERED, answers)):
        for prefix in prefixes:
            if messages:
                break
            role = "assistant" if messages is answers else "user"
            messages += _read_flat(attributes, prefix, role)
            used |= {name for name in attributes if name.startswith(f"{prefix}.")}
    # Some spans have their answers in attributes and again in events.
    has_answers = bool(answers)
    for event in events:
        found_event = _EVENT.fullmatch(event.text("name") or "")
        if found_event and found_event[2]:
            answers += () if has_answers else _read_choice(event)
        elif found_event and (text := _read_event(event, found_event[1])):
            asked.append(text)
    if not asked and not answers:
        return None
    members = _write_settings(span, attributes, used)
    status = span.object("status")
    if not answers and status is not None and status.text("message"):
        members.append(f'"incomplete":{json.dumps({"reason": status.text("message")})}')
    choices = [_write_answer(text, at, attributes) for at, text in enumerate(answers)]
    return write_object(
        [*members, f'"messages":{write_array(asked)}', f'"choices":{write_array(choices)}']
    )


def _write_settings(span: Object, attributes: Attributes, used: Collection[str]) -> list[str]:
    """Write the members of the span, and the attributes that are not `used` by the messages."""
    members = [
        copy_member(one)
        for one in span.members
        if one.name.text not in ("attributes", "id") and not one.name.text.startswith("attributes.")
    ]
    response = attributes.get("gen_ai.response.id")
    members += [f'"id":{copy(response)}'] if isinstance(response, String) else []
    own_id = copy(span.get("id"))
    members += [f'"logged_id":{own_id}'] if own_id else []
    own = {one.name.text: one.value for one in span.members}
    created, model = _find(own, _STARTS), _find(attributes, _MODELS)
    members += [f'"created":{created}'] if created and "created" not in own else []
    members += [f'"model":{model}'] if model and "model" not in own else []
    counts = {name: _find(attributes, names) for name, names in _USAGE.items()}
    if any(counts.values()) and "usage" not in own:
        members.append(f'"usage":{write(**counts)}')
    rest = [
        f"{json.dumps(name)}:{copy(one)}"
        for name, one in attributes.items()
        if name not in used and copy(one)
    ]
    return [*members, f'"attributes":{write_object(rest)}'] if rest else members


def _read_attributes(span: Object) -> Attributes:
    """Read attributes of any form under their full names, with indexes for the items of lists."""
    found: Attributes = {}
    given = span.get("attributes")
    for one in given.items if isinstance(given, Array) else ():
        key = one.text("key") if isinstance(one, Object) else None
        value = one.object("value") if isinstance(one, Object) else None
        if key and value is not None:
            _add(parse(write_value(value)), key, found, 0)
    if isinstance(given, Object):
        _add_members(given, "", found, 0)
    for member in span.members:
        if member.name.text.startswith("attributes."):
            _add(member.value, member.name.text.removeprefix("attributes."), found, 0)
    return found


def _add_members(value: Object | Array, path: str, found: Attributes, depth: int) -> None:
    members = (
        [(one.name.text, one.value) for one in value.members]
        if isinstance(value, Object)
        else [(str(at), one) for at, one in enumerate(value.items)]
    )
    for name, inner in members:
        _add(inner, f"{path}.{name}" if path else name, found, depth)


def _add(value: Value, path: str, found: Attributes, depth: int) -> None:
    is_message_list = path in _LISTS
    if isinstance(value, Object | Array) and depth < _MAX_NESTING and not is_message_list:
        _add_members(value, path, found, depth + 1)
    else:
        found[path] = value


def _read_list(value: Value | None) -> list[str]:
    """Read messages with `parts`, in a list or in the text of one."""
    messages: list[str] = []
    value = _parse(value)
    for one in value.items if isinstance(value, Array) else ():
        if not isinstance(one, Object):
            continue
        parts = one.items("parts")
        if parts is None:
            messages.append(join_lines(one.source))
            continue
        rest = [
            copy_member(member)
            for member in one.members
            if member.name.text not in ("parts", "finish_reason")
        ]
        reason = copy(one.get("finish_reason"))
        rest += [f'"finish_reason":{reason}'] if reason else []
        messages.append(write_object([*rest, f'"content":{write_array(map(_write_part, parts))}']))
    return messages


def _read_instructions(value: Value | None) -> list[str]:
    value = _parse(value)
    if isinstance(value, String):
        return [write(role='"system"', content=copy(value))] if value.text else []
    parts = value.items if isinstance(value, Array) else ()
    content = write_array(map(_write_part, parts))
    return [write(role='"system"', content=content)] if parts else []


def _write_part(part: Value) -> str:
    """Write a part of the conventions as the content part that says the same."""
    kind = part.text("type") if isinstance(part, Object) else None
    if not isinstance(part, Object):
        return copy(part) or "null"
    if kind in ("text", "reasoning") and (text := copy(part.get("content"))):
        return write(type=json.dumps(kind), text=text)
    if kind == "tool_call":
        given = part.get("arguments")
        return write(
            type='"tool_use"',
            id=copy(part.get("id")),
            name=copy(part.get("name")),
            input=copy(_parse(given)) or "{}",
        )
    if kind == "tool_call_response":
        result = part.get("response") or part.get("result")
        text = copy(result) if isinstance(result, String) else json.dumps(copy(result) or "")
        return write(type='"tool_result"', tool_use_id=copy(part.get("id")), content=text)
    return join_lines(part.source)


def _read_flat(attributes: Attributes, prefix: str, role: str) -> list[str]:
    """Read messages with an attribute for each member, in the order of their indexes."""
    found: dict[int, Attributes] = {}
    for name, value in attributes.items():
        if name.startswith(f"{prefix}."):
            index, _, rest = name[len(prefix) + 1 :].partition(".")
            if index.isdecimal() and len(index) < 7:
                found.setdefault(int(index), {})[rest.removeprefix("message.")] = value
    return [_write_flat(found[at], role) for at in sorted(found)]


def _write_flat(members: Attributes, role: str) -> str:
    calls: dict[int, dict[str, str | None]] = {}
    parts: list[str] = []
    rest: list[str] = []
    for name, value in members.items():
        if call := _CALL.fullmatch(name):
            calls.setdefault(int(call[1]), {})[call[2]] = copy(value)
        elif part := _PART.fullmatch(name):
            text = copy(value) or '""'
            is_text = part[1] == "text"
            image = f'{{"type":"image_url","image_url":{{"url":{text}}}}}'
            parts.append(write(type='"text"', text=text) if is_text else image)
        elif name not in ("role", "content") and not name.startswith("contents."):
            rest.append(f"{json.dumps(name)}:{copy(value) or 'null'}")
    content = write_array(parts) if parts else copy(members.get("content")) or "null"
    written = [_write_call(calls[at]) for at in sorted(calls)]
    rest += [f'"tool_calls":{write_array(written)}'] if written else []
    given = copy(members.get("role")) or json.dumps(role)
    return write_object([f'"role":{given}', f'"content":{content}', *rest])


def _write_call(call: Mapping[str, str | None]) -> str:
    others = {name: text for name, text in call.items() if name not in ("id", "name", "arguments")}
    function = write(name=call.get("name"), arguments=call.get("arguments"))
    return write(id=call.get("id"), type='"function"', function=function, **others)


def _read_event(event: Object, role: str) -> str | None:
    """Read a message that is an event of its own; None if it has neither content nor calls."""
    body = _read_event_body(event)
    content, calls = copy(body.get("content")), _parse(body.get("tool_calls"))
    if not content and calls is None:
        return None
    given = body.text("role")
    call_id = copy(body.get("id")) if role == "tool" else None
    return write(
        role=json.dumps(given or role),
        content=content or "null",
        tool_calls=copy(calls),
        tool_call_id=call_id,
    )


def _read_choice(event: Object) -> list[str]:
    """Read the answer in an event, with its finish reason."""
    body = _read_event_body(event)
    message = _parse(body.get("message"))
    inner = message if isinstance(message, Object) else body
    content = message if isinstance(message, String) else inner.get("content")
    calls = _parse(inner.get("tool_calls") or body.get("tool_calls"))
    if content is None and calls is None:
        return []
    return [
        write(
            role='"assistant"',
            content=copy(content) or "null",
            tool_calls=copy(calls),
            finish_reason=copy(body.get("finish_reason")),
        )
    ]


def _read_event_body(event: Object) -> Object:
    """Read the members of an event: its body, or its attributes, or the JSON in one of them."""
    body = event.object("body") or parse_object([write_pairs(event, "attributes")[1:-1]])
    flat = _read_attributes(event)
    if body.get("content") is None and (content := flat.get("content")):
        body = parse_object([*map(copy_member, body.members), f'"content":{content.source}'])
    inner = _parse(body.get("gen_ai.event.content") or flat.get("gen_ai.event.content"))
    if isinstance(inner, Object):
        return inner
    return body if inner is None else parse_object([f'"content":{inner.source}'])


def _write_answer(text: str, at: int, attributes: Attributes) -> str:
    """Write a choice with its finish reason, which the message or the span may have."""
    message = parse(text)
    assert isinstance(message, Object)
    reason = message.get("finish_reason")
    if reason is None:
        given = (one for name in _REASONS if (one := attributes.get(name)))
        listed = _parse(next(given, None))
        reason = listed.items[0] if isinstance(listed, Array) and listed.items else listed
    members = [copy_member(one) for one in message.members if one.name.text != "finish_reason"]
    return write_choice(write_object(members), reason, None, index=at)


def _parse(value: Value | None) -> Value | None:
    """Parse the list or object that is written as text; return others unchanged."""
    if not isinstance(value, String) or not value.text.lstrip().startswith(("[", "{")):
        return value
    try:
        return parse(value.text, max_values=MAX_IMPORTED_VALUES)
    except NotJson:
        return value


def _find(attributes: Mapping[str, Value], names: Sequence[str]) -> str | None:
    return next(filter(None, (copy(attributes.get(name)) for name in names)), None)
