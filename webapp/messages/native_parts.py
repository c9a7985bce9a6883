"""Translate the content parts of other APIs, as gateways pass them on, to those that are parsed.

These are the parts of Bedrock's Converse API and of Gemini, which are named by a member, and those
of the AI SDK, whose calls may have their results in them. A translation has the source of its part.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from webapp.exact_json import Array, Boolean, Null, Object, String, Value
from webapp.messages.parts import is_readable_list
from webapp.messages.translated import (
    Translated,
    get_first,
    write_media,
    write_object,
    write_part,
    write_results,
)

_OF_TEXTS: Final = frozenset(
    {"text", "thought", "thoughtSignature", "thought_signature", "partMetadata", "part_metadata"}
)

_MEDIA_TYPES: Final = {
    **{"jpg": "image/jpeg", "pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown"},
    **{name: f"text/{name}" for name in ("csv", "html")},
}
_CODE: Final = "code_execution"
"""The tool that runs the code in parts of Gemini; its results have no id."""

_RESULTS: Final = ("tool-result", "tool-error")
_V6_FILES: Final = ("image-data", "image-url", "file-data", "file-url")
_OUTPUTS: Final = ("output", "result", "errorText", "error")

PART_LISTS: Final = ("parts", "toolInvocations")
"""The members of messages of other APIs that have their parts, or their calls alone."""


def find_parts(message: Object) -> Array | None:
    """Find the parts of a message of Gemini, or of a page of the AI SDK."""
    content = message.get("content")
    parts = get_first(message, *PART_LISTS)
    if not isinstance(content, String | Null | None) or not is_readable_list(parts):
        return None
    are_parts = all(
        isinstance(one, Object) and (one.get("type") or one.get("text") or translate(one) != (one,))
        for one in parts.items
    )
    return parts if parts.items and are_parts else None


def translate(part: Value) -> tuple[Value, ...]:
    """Translate a part to one or several that are parsed; others are returned as they are.

    Calls become blocks of the type `tool_use`, their results `tool_result`.
    """
    if not isinstance(part, Object):
        return (part,)
    kind = part.text("type")
    if kind and kind not in _BY_TYPE and not kind.startswith("tool-"):
        return (part,)
    if not any(isinstance(one.value, Null) for one in part.members):
        return _translate(part, kind)
    # The API adds the members of its own parts.
    given = tuple(one for one in part.members if not isinstance(one.value, Null))
    rest = Object(part.document, part.start, part.end, given)
    translated = _translate(rest, kind)
    return (part,) if translated == (rest,) else translated


def _translate(part: Object, kind: str | None) -> tuple[Value, ...]:
    if part.get("type") is None:
        for name, write in _BY_MEMBER.items():
            held = part.get(name)
            if isinstance(held, Object) and (written := write(part, name, held)) is not None:
                return (written,)
        if part.names() == ("json",) and (held := part.get("json")) is not None:
            return (write_part(part, "text", {"text": held.source}, read=(held,)),)
        if part.text("toolCallId") is not None and part.text("toolName") is not None:
            return _translate_tool(part, part)
        return (_translate_text(part) or part,)
    if kind in _BY_TYPE:
        return _BY_TYPE[kind](part)
    if kind and kind.startswith("tool-") and part.text("toolCallId") is not None:
        return _translate_tool(part, part)
    return (part,)


def _translate_text(part: Object) -> Translated | None:
    """Translate a text without a type, which Gemini sends beside other members."""
    text = part.get("text")
    if not isinstance(text, String) or not _OF_TEXTS.issuperset(part.names()):
        return None
    kind = "thinking" if part.boolean("thought") else "text"
    flag = part.get("thought")
    return write_part(part, kind, {kind: text}, read=(flag,) if isinstance(flag, Boolean) else ())


def _translate_call(part: Object, name: str, call: Object) -> Translated:
    """Translate a call of Bedrock or Gemini."""
    members = {
        "id": get_first(call, "toolUseId", "id"),
        "name": call.get("name"),
        "input": get_first(call, "input", "args", "arguments"),
    }
    return write_part(part, "tool_use", members)


def _translate_result(part: Object, name: str, result: Object) -> Translated:
    """Translate a result of Bedrock, which has parts, or of Gemini, which has an object."""
    held = get_first(result, "content", "response")
    is_parts = isinstance(held, Array) and held is result.get("content")
    content = held if is_parts and held else write_results(held)
    more = result.get("parts")
    if isinstance(more, Array) and more.items:
        first = content.items if isinstance(content, Array) else ()
        content = Array(more.document, more.start, more.end, (*first, *more.items))
    members = {
        "tool_use_id": get_first(result, "toolUseId", "id"),
        "name": result.get("name"),
        "content": content,
    }
    return write_part(part, "tool_result", members, read=(held,))


def _translate_code(part: Object, name: str, code: Object) -> Translated:
    """Translate code that Gemini ran to a call, with the code in its arguments."""
    return write_part(part, "tool_use", {"name": _CODE, "input": code})


def _translate_code_result(part: Object, name: str, result: Object) -> Translated:
    """Translate what the code printed."""
    content = write_results(result.get("output"))
    return write_part(part, "tool_result", {"name": _CODE, "content": content})


def _translate_data(part: Object, name: str, data: Object) -> Translated | None:
    """Translate data of Gemini, or the address of a file."""
    sent = get_first(data, "data", "fileUri", "file_uri")
    if not isinstance(sent, String):
        return None
    claim = get_first(data, "mimeType", "mime_type")
    kind = claim.text if isinstance(claim, String) else ""
    title = get_first(data, "displayName", "display_name")
    return write_media(part, kind, sent, title=title, claim=claim)


def _translate_file(part: Object, name: str, file: Object) -> Translated | None:
    """Translate an image, document, video or sound of Bedrock."""
    source = file.object("source")
    if source is None or len(part.members) > 1:
        return None
    title = file.get("name")
    place = source.object("s3Location")
    sent = source.get("bytes") or (place.get("uri") if place else None)
    if isinstance(sent, String):
        form = file.text("format") or ""
        kind = _MEDIA_TYPES.get(form, f"{name}/{form}")
        return write_media(part, kind, sent, title=title, claim=file.get("format"))
    held = next((one for one in ("text", "content") if source.get(one)), None)
    if name != "document" or held is None:
        return None
    inner = {"type": held, "data" if held == "text" else held: source.get(held)}
    return write_part(part, name, {"source": write_object(part, inner), "title": title})


def _translate_reasoning(part: Object, name: str, held: Object) -> Translated | None:
    """Translate reasoning of Bedrock, which may be encrypted."""
    thought, data = held.object("reasoningText"), held.get("redactedContent")
    if thought is not None:
        return write_part(part, "thinking", {"thinking": thought.get("text")})
    return write_part(part, "redacted_thinking", {"data": data}) if data else None


def _translate_inner(part: Object, name: str, held: Object) -> Translated | None:
    """Translate a block of Bedrock whose members are those of a part of its name."""
    if len(part.members) > 1:
        return None
    if name == "guardContent":
        text = held.object("text")
        return write_part(part, "text", {"text": text.get("text")}) if text else None
    kind = "search_result" if name == "searchResult" else name
    return write_part(part, kind, {key: one for key, one in held.values().items() if key != "type"})


def _translate_tool(part: Object, tool: Object) -> tuple[Value, ...]:
    """Translate a call of the AI SDK, its result, or both, as messages of its pages have them."""
    kind = part.text("type") or ""
    own_id, named = tool.get("toolCallId"), tool.get("toolName")
    given = get_first(tool, "input", "args")
    outputs = (one for one in map(tool.get, _OUTPUTS) if not isinstance(one, Null | None))
    output = next(outputs, None)
    content, output_type = _read_output(output)
    members = {"tool_use_id": own_id, "content": content}
    if kind in _RESULTS:
        # Only the type says that it is an error.
        keeps_type = kind == "tool-error"
        members["name"] = named
        read = (output_type,)
        return (write_part(part, "tool_result", members, read=read, keeps_type=keeps_type),)
    call = {"id": own_id, "name": named or kind.removeprefix("tool-"), "input": given}
    if output is None:
        return (write_part(part, "tool_use", call),)
    result = write_part(part, "tool_result", members, read=(named, given, output_type))
    return (write_part(part, "tool_use", call, read=(part,)), result)


def _read_output(output: Value | None) -> tuple[Value, Value | None]:
    """Read the content of a result, and the type of it that says nothing more."""
    value = output.get("value") if isinstance(output, Object) and output.text("type") else None
    if not isinstance(output, Object) or value is None:
        return write_results(output), None
    kind = output.text("type") or ""
    content = value if kind == "content" and isinstance(value, Array) else write_results(value)
    return content, None if kind.startswith("error") else output.get("type")


def _translate_sdk_file(part: Object) -> tuple[Value, ...]:
    """Translate a file of the AI SDK that is an image, a sound or a video by its media type."""
    kind = part.text("mediaType") or part.text("mimeType") or ""
    if not kind and (part.text("type") or "").startswith("image-"):
        kind = "image/"
    sent = get_first(part, "data", "url")
    is_shown = kind.startswith(("image/", "audio/", "video/")) or part.text("type") != "file"
    if not isinstance(sent, String) or not is_shown:
        return (part,)
    return (write_media(part, kind, sent),)


def _translate_named_call(part: Object) -> tuple[Value, ...]:
    """Translate a call of the Responses API, LangChain or OpenTelemetry among the parts."""
    if part.text("name") is None:
        return (part,)
    members = {
        "id": get_first(part, "call_id", "id"),
        "name": part.get("name"),
        "input": get_first(part, "arguments", "args", "input"),
    }
    return (write_part(part, "tool_use", members),)


def _translate_named_result(part: Object) -> tuple[Value, ...]:
    """Translate a result of the Responses API or of OpenTelemetry among the parts."""
    own_id = get_first(part, "call_id", "id")
    content = get_first(part, "output", "response", "result")
    if own_id is None or content is None:
        return (part,)
    is_parts = isinstance(content, Array) and all(map(_is_typed, content.items))
    members = {
        "tool_use_id": own_id,
        "content": content if is_parts else write_results(content),
    }
    return (write_part(part, "tool_result", members),)


def _is_typed(value: Value) -> bool:
    return isinstance(value, Object) and value.text("type") is not None


def _translate_source(part: Object) -> tuple[Value, ...]:
    """Translate the address of a source of the AI SDK to a page."""
    held = part if part.text("url") else part.object("source")
    if held is None or held.text("url") is None:
        return (part,)
    members = {"url": held.get("url"), "title": held.get("title")}
    return (write_part(part, "web_search_result", members),)


def _translate_step(part: Object) -> tuple[Value, ...]:
    """Leave out the start of a step, which says nothing by itself."""
    return () if len(part.members) == 1 else (part,)


def _translate_invocation(part: Object) -> tuple[Value, ...]:
    """Translate a call of earlier versions of the AI SDK, which is in an object."""
    tool = part.object("toolInvocation")
    return _translate_tool(part, tool) if tool and tool.text("toolCallId") else (part,)


def _translate_model_tool(part: Object) -> tuple[Value, ...]:
    return _translate_tool(part, part) if part.text("toolCallId") is not None else (part,)


_BY_MEMBER: Final[dict[str, Callable[[Object, str, Object], Translated | None]]] = {
    **dict.fromkeys(("toolUse", "functionCall", "function_call"), _translate_call),
    **dict.fromkeys(("toolResult", "functionResponse", "function_response"), _translate_result),
    **dict.fromkeys(("executableCode", "executable_code"), _translate_code),
    **dict.fromkeys(("codeExecutionResult", "code_execution_result"), _translate_code_result),
    **dict.fromkeys(("inlineData", "inline_data", "fileData", "file_data"), _translate_data),
    **dict.fromkeys(("image", "document", "video", "audio"), _translate_file),
    **dict.fromkeys(("citationsContent", "searchResult", "guardContent"), _translate_inner),
    "reasoningContent": _translate_reasoning,
}
_BY_TYPE: Final[dict[str, Callable[[Object], tuple[Value, ...]]]] = {
    **dict.fromkeys(
        ("tool-call", "tool-result", "tool-error", "dynamic-tool"), _translate_model_tool
    ),
    "tool-invocation": _translate_invocation,
    **dict.fromkeys(("file", "media", *_V6_FILES), _translate_sdk_file),
    **dict.fromkeys(("function_call", "tool_call"), _translate_named_call),
    **dict.fromkeys(("function_call_output", "tool_call_response"), _translate_named_result),
    **dict.fromkeys(("source", "source-url"), _translate_source),
    "step-start": _translate_step,
}
