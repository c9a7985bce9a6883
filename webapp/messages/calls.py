"""The tool calls of a message."""

from __future__ import annotations

from collections.abc import Iterator

from webapp.exact_json import Null, Object, String, Value
from webapp.messages.parts import Call, ToolCall, Unknown, is_readable_list


def parse_calls(message: Object) -> Iterator[Call]:
    """The tool calls of a message, the deprecated `function_call` last."""
    calls = message.get("tool_calls")
    if is_readable_list(calls):
        yield from (_call(value) for value in calls.items)
    elif calls is not None and not isinstance(calls, Null):
        yield Unknown(json=calls, label="tool_calls")
    deprecated = message.get("function_call")
    if isinstance(deprecated, Object):
        yield ToolCall(
            json=deprecated,
            id=None,
            type="function_call",
            name=deprecated.text("name"),
            arguments=_arguments(deprecated.get("arguments")),
            extras=deprecated.find_unread(name=String, arguments=object),
        )
    elif deprecated is not None and not isinstance(deprecated, Null):
        yield Unknown(json=deprecated, label="function_call")


def _call(value: Value) -> Call:
    if not isinstance(value, Object):
        return Unknown(json=value, label="tool call")
    kind = value.text("type") or "function"
    called = value.object(kind)
    written = {"function": "arguments", "custom": "input"}.get(kind)
    if called is None or written is None:
        return Unknown(json=value, label=f"tool call {kind}")
    return ToolCall(
        json=value,
        id=value.text("id"),
        type=kind,
        name=called.text("name"),
        arguments=_arguments(called.get(written)),
        extras=value.find_unread(id=String, type=String, **{kind: Object})
        + called.find_unread(name=String, **{written: object}),
    )


def _arguments(value: Value | None) -> str | None:
    """The text of the arguments; of servers that send them as JSON itself, that JSON."""
    if value is None or isinstance(value, Null):
        return None
    return value.text if isinstance(value, String) else value.source
