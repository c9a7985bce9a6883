"""The Converse API of Amazon Bedrock: content blocks are named by their only member."""

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
    write_content,
    write_part,
    write_system,
)
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
from webapp.messages.native_parts import translate
from webapp.messages.translated import Translated

ASKED: Final = frozenset({"system", "messages", "modelId", "inferenceConfig", "toolConfig"})

_BLOCKS: Final = frozenset(
    {
        *("text", "image", "document", "video", "audio", "toolUse", "toolResult", "guardContent"),
        *("cachePoint", "reasoningContent", "citationsContent", "json", "searchResult"),
    }
)
_SETTINGS: Final = {"maxTokens": "max_tokens", "topP": "top_p", "stopSequences": "stop"}
_USAGE: Final = {
    "inputTokens": "prompt_tokens",
    "outputTokens": "completion_tokens",
    "totalTokens": "total_tokens",
}
_ANSWERED: Final = frozenset({"output", "stopReason", "usage"})
_EVENTS: Final = frozenset(
    {
        *("messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop"),
        *("messageStop", "metadata"),
    }
)
_FAILED: Final = "Exception"
"""The end of the names of events that say why the stream broke off."""


def is_request(value: Object) -> bool:
    """Return whether `value` has messages whose content is such blocks."""
    messages = value.items("messages")
    return bool(messages) and all(_is_message(one) for one in messages or ())


def is_response(value: Object) -> bool:
    """Return whether `value` has the message of an answer in `output`."""
    output = value.object("output")
    return output is not None and _is_message(output.get("message"))


def write_request(request: Object) -> str:
    """Write a request with its blocks as parts, its settings and its tools on their own."""
    system = request.items("system")
    instructions = write_system(request.get("system")) if system is None else []
    if system:
        content = write_content(list(map(_write_block, system)))
        instructions = [write(role='"system"', content=content)]
    messages = [_write_message(one) for one in request.items("messages") or ()]
    members = copy_rest(request, ASKED)
    model = copy(request.get("modelId"))
    members += [f'"model":{model}'] if model and request.get("model") is None else []
    settings = request.object("inferenceConfig")
    if settings is not None:
        members.append((rename(settings, _SETTINGS) or "{}")[1:-1])
    config = request.object("toolConfig")
    if config is not None:
        tools = write_array(map(_write_tool, config.items("tools") or ()))
        members.append(f'"tools":{tools}')
        choice = copy(config.get("toolChoice"))
        members += [f'"tool_choice":{choice}'] if choice else []
    asked = write_array([*instructions, *messages])
    return write_object([*filter(None, members), f'"messages":{asked}'])


def write_response(response: Object) -> str:
    """Write a response as one choice."""
    output = response.object("output")
    message = output.get("message") if output else None
    more = copy_rest(output, {"message"}) if output else []
    written = _write_message(message) if message else "null"
    choice = write_choice(written, response.get("stopReason"), "stopReason", more=more)
    usage = rename(response.object("usage"), _USAGE)
    members = [*copy_rest(response, _ANSWERED), f'"choices":[{choice}]']
    return write_object([*members, *([f'"usage":{usage}'] if usage else [])])


def join_stream(values: Sequence[Value]) -> str | None:
    """Join the events of one streamed response to the response; return None if they are not that.

    Texts are joined as they were written.
    """
    events = [one for one in values if isinstance(one, Object) and len(one.members) == 1]
    names = [one.names()[0] for one in events]
    if len(events) < len(values) or names.count("messageStart") != 1:
        return None
    if not all(one in _EVENTS or one.endswith(_FAILED) for one in names):
        return None
    role = "null"
    blocks: dict[int, _Block] = {}
    members: list[str] = []
    reason: str | None = "The answer ended early."
    for name, event in zip(names, events, strict=True):
        value = event.object(name)
        if value is None:
            continue
        piece = value.object("start") or value.object("delta")
        if name == "messageStart":
            role = copy(value.get("role")) or "null"
        elif name == "messageStop":
            members += copy_rest(value, ())
            reason = None
        elif name == "metadata":
            members += copy_rest(value, ())
        elif name.endswith(_FAILED):
            reason = f"{name}: {value.text('message') or ''}".removesuffix(": ")
        elif piece is not None:
            at = value.integer("contentBlockIndex") or 0
            blocks.setdefault(at, _Block()).add(piece)
    content = write_array([blocks[at].write() for at in sorted(blocks)] or ['{"text":""}'])
    output = f'{{"message":{{"role":{role},"content":{content}}}}}'
    if reason is not None:
        members.append(f'"incomplete":{json.dumps({"reason": reason})}')
    return write_object([f'"output":{output}', *members])


class _Block:
    """A content block that arrives in pieces, each an object named by its kind."""

    def __init__(self) -> None:
        self._kind = "text"
        self._text = '""'
        self._members: dict[str, str] = {}
        self._items: list[str] = []

    def add(self, piece: Object) -> None:
        """Add the start of a block, or a piece of it."""
        for kind, value in ((one.name.text, one.value) for one in piece.members):
            if isinstance(value, String):
                self._text = f"{self._text[:-1]}{value.source[1:]}"
                continue
            self._kind = kind
            if isinstance(value, Array):
                self._items += [join for one in value.items if (join := copy(one))]
            elif kind == "citation":
                self._items.append(copy(value) or "null")
            elif isinstance(value, Object):
                for name, given in ((one.name.text, one.value) for one in value.members):
                    before, source = self._members.get(name, ""), copy(given) or "null"
                    is_continued = isinstance(given, String) and before.startswith('"')
                    self._members[name] = f"{before[:-1]}{source[1:]}" if is_continued else source

    def write(self) -> str:
        """Write the block as a whole answer has it; arguments that are not JSON stay a text."""
        text = f'{{"text":{self._text}}}'
        if self._kind == "text":
            return text
        if self._kind == "citation":
            cited = f'"content":[{text}],"citations":{write_array(self._items)}'
            return f'{{"citationsContent":{{{cited}}}}}'
        members = dict(self._members)
        if self._kind == "toolUse":
            members["input"] = _read_input(members.get("input", "{}"))
        if self._items:
            members["content"] = write_array(self._items)
        inner = write_object(f"{json.dumps(name)}:{source}" for name, source in members.items())
        if self._kind == "reasoningContent" and "text" in members:
            inner = f'{{"reasoningText":{inner}}}'
        return f"{{{json.dumps(self._kind)}:{inner}}}"


def _read_input(source: str) -> str:
    """Read the arguments that came as a text."""
    given = parse(source)
    if not isinstance(given, String):
        return source
    try:
        return parse(given.text or "{}").source
    except NotJson:
        return source


def _is_message(value: Value | None) -> bool:
    if not isinstance(value, Object) or value.text("role") is None:
        return False
    content = value.items("content")
    return bool(content) and all(
        isinstance(block, Object) and len(block.members) == 1 and block.names()[0] in _BLOCKS
        for block in content or ()
    )


def _write_message(value: Value) -> str:
    if not isinstance(value, Object):
        return copy(value) or "null"
    content = write_content([_write_block(one) for one in value.items("content") or ()])
    rest = copy_rest(value, {"role", "content"})
    return write_object(
        [f'"role":{copy(value.get("role")) or "null"}', f'"content":{content}', *rest]
    )


def _write_block(block: Value) -> str:
    """Write a block as the content part that says the same; an unfamiliar one under its name."""
    (part,) = translate(block)
    if not isinstance(part, Translated):
        if not isinstance(block, Object) or len(block.members) != 1:
            return copy(block) or "null"
        return write_object([f'"type":{block.members[0].name.source}', *copy_rest(block, ())])
    written = write_part(part)
    is_error = part.text("type") == "tool_result" and part.text("status") == "error"
    return f'{written[:-1]},"is_error":true}}' if is_error else written


def _write_tool(tool: Value) -> str:
    spec = tool.object("toolSpec") if isinstance(tool, Object) else None
    if spec is None:
        return copy(tool) or "null"
    schema = spec.object("inputSchema")
    parameters = copy(schema.get("json")) if schema else None
    given = [f'"parameters":{parameters}'] if parameters else []
    function = write_object([*copy_rest(spec, {"inputSchema"}), *given])
    return f'{{"type":"function","function":{function}}}'
