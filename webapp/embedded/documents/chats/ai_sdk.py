"""Build completions from messages of the Vercel AI SDK.

UI messages have `parts`, with the results of tools beside their calls; model messages have parts
in `content`. Both exist in the names of several versions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from webapp.embedded.documents.chats.writing import (
    Message,
    Segment,
    write_call,
    write_completion,
    write_id,
    write_message,
    write_rest,
    write_segments,
)
from webapp.embedded.documents.other_apis.writing import (
    copy,
    copy_rest,
    write,
    write_text,
)
from webapp.exact_json import Object, String, Value, write_object

_TOOLS: Final = ("tool-call", "tool-result", "tool-error")
_OUTPUTS: Final = ("output", "result", "errorText", "error")
_STARTS: Final = frozenset({"step-start", "text", "reasoning"})
_MESSAGE: Final = frozenset({"id", "role", "parts", "content", "createdAt", "toolInvocations"})
_TEXTS: Final = {"text": "text", "reasoning": "thinking"}


def is_ai_sdk(value: Object) -> bool:
    """Return whether `value` has messages of the AI SDK."""
    messages = value.items("messages") or ()
    return (
        bool(messages)
        and all(isinstance(one, Object) and one.text("role") is not None for one in messages)
        and any(map(is_ai_sdk_message, messages))
    )


def is_ai_sdk_message(value: Value) -> bool:
    """Return whether `value` is a message that only the AI SDK writes."""
    if not isinstance(value, Object) or value.text("role") is None:
        return False
    parts = value.items("parts")
    if parts is not None:
        return all(isinstance(one, Object) and one.text("type") is not None for one in parts)
    return any(
        isinstance(one, Object)
        and (one.text("type") in _TOOLS and one.text("toolCallId") is not None)
        for one in value.items("content") or ()
    )


def from_ai_sdk(value: Object) -> Iterator[str]:
    """Yield the completion of the messages."""
    members = [*copy_rest(value, {"messages", "id"}), *write_id(value.text("id"))]
    found = [one for one in value.items("messages") or () if isinstance(one, Object)]
    created = next(filter(None, (copy(one.get("createdAt")) for one in reversed(found))), None)
    if created and value.get("created") is None:
        members.append(f'"created":{created}')
    yield write_completion(members, [one for each in found for one in _write_messages(each)])


def _write_messages(message: Object) -> Iterator[Message]:
    """Yield a message, and one for each result in it."""
    role = message.text("role") or ""
    parts = message.items("parts") or message.items("content") or ()
    if not parts:
        parts = message.items("toolInvocations") or ()
    segments = [Segment()]
    for part in parts:
        kind = part.text("type") if isinstance(part, Object) else None
        if kind in _STARTS and segments[-1].results and role != "tool":
            segments.append(Segment())
        _add(part, segments[-1])
    rest = write_rest(message, _MESSAGE)
    text = message.get("content")
    if isinstance(text, String):
        said = "".join(one.text("text") or "" for one in parts if isinstance(one, Object))
        if not any(segment.parts for segment in segments):
            segments[-1].parts += [write(type='"text"', text=copy(text))] if text.text else []
        elif "".join(said.split()) != "".join(text.text.split()) and text.text:
            rest.append(f'"content":{copy(text)}')
    own_id = copy(message.get("id"))
    yield from write_segments(role, segments, "ai_sdk", rest, kept_as="parts", own_id=own_id)


def _add(part: Value, segment: Segment) -> None:
    """Add a part to the texts, calls, citations or results; an unfamiliar one as it is."""
    kind = part.text("type") or "" if isinstance(part, Object) else ""
    if not isinstance(part, Object):
        segment.parts.append(copy(part) or "null")
    elif kind in _TEXTS and (text := copy(part.get("text") or part.get("reasoning"))):
        name = _TEXTS[kind]
        segment.parts.append(write(**{"type": f'"{name}"', name: text}))
        segment.keep(part, {"type", "text", "reasoning", "state"})
    elif kind == "step-start":
        segment.keep(part, {"type"})
    elif kind == "source-url" or (kind == "source" and part.object("source")):
        source = part.object("source") or part
        url, title = copy(source.get("url")), copy(source.get("title"))
        segment.sources.append(write(type='"url_citation"', url=url, title=title))
        used = {"type", "url", "title", "source"} if source is part else {"type", "source"}
        segment.keep(part, used)
        if source is not part:
            segment.keep(source, {"url", "title"})
    elif kind in ("file", "image"):
        segment.parts.append(_write_file(part))
    elif invocation := part.object("toolInvocation"):
        _add_tool(invocation, segment)
        segment.keep(part, {"type", "toolInvocation"})
    elif part.text("toolCallId") is not None:
        _add_tool(part, segment)
    else:
        segment.parts.append(copy(part) or "null")


def _add_tool(part: Object, segment: Segment) -> None:
    """Add a call, its result, or both, which UI messages have in one part."""
    kind = part.text("type") or ""
    own_id = part.get("toolCallId")
    is_result = kind in ("tool-result", "tool-error")
    is_ui = kind not in _TOOLS
    if not is_result:
        name = copy(part.get("toolName")) or json.dumps(kind.removeprefix("tool-"))
        segment.calls.append(write_call(own_id, name, part.get("input") or part.get("args")))
    used = {"type", "toolCallId", "toolName"}
    used |= set() if is_result else {"input", "args"}
    output = next((one for name in _OUTPUTS if (one := part.get(name))), None)
    if output is None or not (is_result or is_ui):
        segment.keep(part, used)
        return
    error = output is part.get("errorText") or output is part.get("error")
    shape = output.text("type") if isinstance(output, Object) and is_result else None
    if isinstance(output, Object) and shape and output.get("value") is not None:
        error = shape.startswith("error")
        content = write_text(output.get("value"))
        if shape == "content":
            content = copy(output.get("value")) or "null"
        extra = write_rest(output, {"type", "value"})
    else:
        content, extra = write_text(output), []
    members = [f'"tool_call_id":{copy(own_id) or "null"}', f'"content":{content}']
    members += ['"is_error":true'] if error else []
    rest = [*write_rest(part, used.union(_OUTPUTS)), *extra]
    segment.results.append(write_message("tool", members, "ai_sdk", rest))


def _write_file(part: Object) -> str:
    """Write a file: an image or a document, by its address or its data."""
    kind = part.text("mediaType") or part.text("mimeType") or ""
    data = part.get("url") or part.get("image") or part.get("data")
    text = data.text if isinstance(data, String) else None
    if text is None:
        return copy(part) or "null"
    rest = write_rest(part, {"type", "url", "image", "data", "filename", "mediaType", "mimeType"})
    is_address = text.startswith(("data:", "http:", "https:"))
    type_ = kind or ("image/png" if part.text("type") == "image" else "application/octet-stream")
    address = json.dumps(text if is_address else f"data:{type_};base64,{text}")
    if type_.startswith("image/"):
        name = [f'"filename":{filename}'] if (filename := copy(part.get("filename"))) else []
        return write_object(
            ['"type":"image_url"', f'"image_url":{{"url":{address}}}', *name, *rest]
        )
    file = write(filename=copy(part.get("filename")), file_data=address)
    given = [f'"media_type":{json.dumps(kind)}'] if kind and text.startswith("http") else []
    return write_object(['"type":"file"', f'"file":{file}', *given, *rest])
