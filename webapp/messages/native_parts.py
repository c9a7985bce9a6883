"""Translate the content parts of other APIs, as gateways pass them on, to those that are parsed.

These are the parts of Bedrock's Converse API and of Gemini, which are named by a member, and those
of the AI SDK, whose calls may have their results in them. A translation has the source of its part.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Final, TypeAlias

from webapp.exact_json import Array, Member, Null, Object, String, Value
from webapp.messages.parts import is_readable_list

_OF_TEXTS: Final = frozenset(
    {"text", "thought", "thoughtSignature", "thought_signature", "partMetadata", "part_metadata"}
)
_RENAMED: Final = "given_type"
"""The name of a member that would be taken for the type of a translation."""

_MEDIA_TYPES: Final = {
    **{"jpg": "image/jpeg", "pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown"},
    **{name: f"text/{name}" for name in ("csv", "html")},
}
_SCHEME: Final = 20
"""Characters of which one is a colon in an address, and none in base64."""
_CODE: Final = "code_execution"
"""The tool that runs the code in parts of Gemini; its results have no id."""

_RESULTS: Final = ("tool-result", "tool-error")
_V6_FILES: Final = ("image-data", "image-url", "file-data", "file-url")
_OUTPUTS: Final = ("output", "result", "errorText", "error")

PART_LISTS: Final = ("parts", "toolInvocations")
"""The members of messages of other APIs that have their parts, or their calls alone."""

Names: TypeAlias = Mapping[str, Value | str | None]


@dataclass(slots=True, eq=False, repr=False)
class Translated(Object):
    """A part with other members than were sent, and with the source that was.

    `given` has the members that were sent, by the identities of their values.
    """

    given: Mapping[int, Member] = field(default_factory=dict)

    def find_unread(self, **read: type | UnionType) -> tuple[Member, ...]:
        """Find the members that remain after reading, as they were sent."""
        unread = (id(one.value) for one in Object.find_unread(self, **read))
        return tuple(self.given[one] for one in unread if one in self.given)


def find_parts(message: Object) -> Array | None:
    """Find the parts of a message of Gemini, or of a page of the AI SDK."""
    content = message.get("content")
    parts = _get_first(message, *PART_LISTS)
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
            return (_write(part, "text", {"text": held.source}),)
        if part.text("toolCallId") is not None and part.text("toolName") is not None:
            return _translate_tool(part, part)
        return (_translate_text(part) or part,)
    if kind in _BY_TYPE:
        return _BY_TYPE[kind](part)
    if kind and kind.startswith("tool-") and part.text("toolCallId") is not None:
        return _translate_tool(part, part)
    return (part,)


def _write(
    part: Value, kind: str | None, members: Names, rest: Iterable[Member] = ()
) -> Translated:
    """Write a part with these members, texts of ours among them, and `rest` of those sent."""
    kept = [(_RENAMED if one.name.text == "type" else one.name.text, one.value) for one in rest]
    named = [("type", kind), *members.items(), *kept]
    holders = [part, *(one.value for one in part.members)] if isinstance(part, Object) else []
    holders += [one.value for two in holders[1:] if isinstance(two, Object) for one in two.members]
    given = {
        id(one.value): one for held in holders if isinstance(held, Object) for one in held.members
    }
    written = (
        Member(_write_text(name), _write_text(value) if isinstance(value, str) else value)
        for name, value in named
        if value is not None
    )
    return Translated(part.document, part.start, part.end, tuple(written), given=given)


def _write_text(text: str) -> String:
    source = json.dumps(text)
    return String(source, 0, len(source))


def _list_others(value: Object, *names: str) -> list[Member]:
    return [one for one in value.members if one.name.text not in names]


def _get_first(value: Object, *names: str) -> Value | None:
    """Return the value of the first of these members that there is."""
    return next((found for name in names if (found := value.get(name))), None)


def _write_json(value: Value) -> Translated:
    """Write a text part of a value's JSON."""
    return _write(value, "text", {"text": value.source})


def _write_results(value: Value | None) -> Value:
    """Write the content of a result: a text, or the JSON of anything else as a part."""
    if value is None or isinstance(value, Null):
        return _write_text("")
    if isinstance(value, String):
        return value
    return Array(value.document, value.start, value.end, (_write_json(value),))


def _write_media(
    part: Object, kind: str, sent: Value, title: Value | None, rest: Iterable[Member]
) -> Translated:
    """Write an image, sound, video or document of this media type, `sent` as base64 or address."""
    is_address = isinstance(sent, String) and ":" in sent.text[:_SCHEME]
    family, _, form = kind.partition("/")
    if family in ("audio", "video"):
        name = "input_audio" if family == "audio" else family
        claim = form if family == "audio" and not is_address else None
        held = _write(part, None, {"url" if is_address else "data": sent, "format": claim})
        return _write(part, name, {name: held}, rest)
    if is_address:
        source = _write(part, "url", {"url": sent})
    else:
        source = _write(part, "base64", {"media_type": kind, "data": sent})
    if family == "image":
        return _write(part, "image", {"source": source}, rest)
    return _write(part, "document", {"source": source, "title": title}, rest)


def _translate_text(part: Object) -> Translated | None:
    """Translate a text without a type, which Gemini sends beside other members."""
    text = part.get("text")
    if not isinstance(text, String) or not _OF_TEXTS.issuperset(part.names()):
        return None
    rest = _list_others(part, "text", "thought")
    kind = "thinking" if part.boolean("thought") else "text"
    return _write(part, kind, {kind: text}, rest)


def _translate_call(part: Object, name: str, call: Object) -> Translated:
    """Translate a call of Bedrock or Gemini."""
    names = ("toolUseId", "id", "name", "input", "args")
    members = {
        "id": call.get("toolUseId") or call.get("id"),
        "name": call.get("name"),
        "input": call.get("input") or call.get("args"),
    }
    rest = [*_list_others(call, *names), *_list_others(part, name)]
    return _write(part, "tool_use", members, rest)


def _translate_result(part: Object, name: str, result: Object) -> Translated:
    """Translate a result of Bedrock, which has parts, or of Gemini, which has an object."""
    content = result.get("content")
    if not isinstance(content, Array):
        content = _write_results(result.get("response"))
        if more := result.items("parts"):
            parts = (*content.items, *more) if isinstance(content, Array) else more
            content = Array(part.document, part.start, part.end, parts)
    names = ("toolUseId", "id", "name", "content", "response", "parts")
    members = {
        "tool_use_id": result.get("toolUseId") or result.get("id"),
        "name": result.get("name"),
        "content": content,
    }
    rest = [*_list_others(result, *names), *_list_others(part, name)]
    return _write(part, "tool_result", members, rest)


def _translate_code(part: Object, name: str, code: Object) -> Translated:
    """Translate code that Gemini ran to a call, with the code in its arguments."""
    members: Names = {"name": _CODE, "input": code}
    return _write(part, "tool_use", members, _list_others(part, name))


def _translate_code_result(part: Object, name: str, result: Object) -> Translated:
    """Translate what the code printed."""
    members = {"name": _CODE, "content": _write_results(result.get("output"))}
    rest = [*_list_others(result, "output"), *_list_others(part, name)]
    return _write(part, "tool_result", members, rest)


def _translate_data(part: Object, name: str, data: Object) -> Translated | None:
    """Translate data of Gemini, or the address of a file."""
    sent = _get_first(data, "data", "fileUri", "file_uri")
    if not isinstance(sent, String):
        return None
    kind = data.text("mimeType") or data.text("mime_type") or ""
    title = data.get("displayName") or data.get("display_name")
    used = ("data", "fileUri", "file_uri", "displayName", "display_name")
    # Only the media type says what a file elsewhere is.
    types = ("mimeType", "mime_type") if data.get("data") else ()
    rest = [*_list_others(data, *used, *types), *_list_others(part, name)]
    return _write_media(part, kind, sent, title, rest)


def _translate_file(part: Object, name: str, file: Object) -> Translated | None:
    """Translate an image, document, video or sound of Bedrock."""
    source = file.object("source")
    if source is None or len(part.members) > 1:
        return None
    rest = _list_others(file, "format", "source", "name")
    place = source.object("s3Location")
    sent = source.get("bytes") or (place.get("uri") if place else None)
    if isinstance(sent, String):
        form = file.text("format") or ""
        kind = _MEDIA_TYPES.get(form, f"{name}/{form}")
        return _write_media(part, kind, sent, file.get("name"), rest)
    held = next((one for one in ("text", "content") if source.get(one)), None)
    if name != "document" or held is None:
        return None
    inner = _write(source, held, {"data" if held == "text" else held: source.get(held)})
    return _write(part, name, {"source": inner, "title": file.get("name")}, rest)


def _translate_reasoning(part: Object, name: str, held: Object) -> Translated | None:
    """Translate reasoning of Bedrock, which may be encrypted."""
    thought, data = held.object("reasoningText"), held.get("redactedContent")
    if thought is not None:
        members = {"thinking": thought.get("text")}
        return _write(part, "thinking", members, _list_others(thought, "text"))
    return _write(part, "redacted_thinking", {"data": data}) if data else None


def _translate_inner(part: Object, name: str, held: Object) -> Translated | None:
    """Translate a block of Bedrock whose members are those of a part of its name."""
    if len(part.members) > 1:
        return None
    if name == "guardContent":
        text = held.object("text")
        return _write(part, "text", {}, text.members) if text and text.text("text") else None
    kind = "search_result" if name == "searchResult" else name
    return _write(part, kind, {}, held.members)


def _translate_tool(part: Object, tool: Object) -> tuple[Value, ...]:
    """Translate a call of the AI SDK, its result, or both, as messages of its pages have them."""
    kind = tool.text("type") or ""
    own_id, names = tool.get("toolCallId"), ("type", "toolCallId", "toolName")
    name = tool.get("toolName") or kind.removeprefix("tool-")
    outputs = (one for one in map(tool.get, _OUTPUTS) if not isinstance(one, Null | None))
    output = next(outputs, None)
    is_result = kind in _RESULTS
    written: list[Value] = []
    if not is_result:
        given = tool.get("input") or tool.get("args")
        members = {"id": own_id, "name": name, "input": given}
        rest = _list_others(tool, *names, "input", "args", *(_OUTPUTS if output else ()))
        written.append(_write(part, "tool_use", members, () if output else rest))
    if output is not None or is_result:
        content, rest = _read_output(output)
        used = (*names, *_OUTPUTS, *(() if is_result else ("input", "args")))
        rest += _list_others(tool, *used)
        # Only the type says that it is an error.
        rest += [one for one in tool.members if kind == "tool-error" and one.name.text == "type"]
        members = {"tool_use_id": own_id, "content": content}
        written.append(_write(part, "tool_result", members, rest))
    return tuple(written)


def _read_output(output: Value | None) -> tuple[Value, list[Member]]:
    """Read the content of a result, and the other members of an output of a type."""
    value = output.get("value") if isinstance(output, Object) and output.text("type") else None
    if not isinstance(output, Object) or value is None:
        return _write_results(output), []
    is_parts = output.text("type") == "content" and isinstance(value, Array)
    content = value if is_parts else _write_results(value)
    is_error = (output.text("type") or "").startswith("error")
    return content, _list_others(output, "value", *(() if is_error else ("type",)))


def _translate_sdk_file(part: Object) -> tuple[Value, ...]:
    """Translate a file of the AI SDK that is an image, a sound or a video by its media type."""
    kind = part.text("mediaType") or part.text("mimeType") or ""
    if not kind and (part.text("type") or "").startswith("image-"):
        kind = "image/"
    sent = _get_first(part, "data", "url")
    is_shown = kind.startswith(("image/", "audio/", "video/")) or part.text("type") != "file"
    if not isinstance(sent, String) or not is_shown:
        return (part,)
    rest = _list_others(part, "type", "data", "url")
    return (_write_media(part, kind, sent, None, rest),)


def _translate_named_call(part: Object) -> tuple[Value, ...]:
    """Translate a call of the Responses API, LangChain or OpenTelemetry among the parts."""
    if part.text("name") is None:
        return (part,)
    given = _get_first(part, "arguments", "args", "input")
    names = ("type", "call_id", "name", "arguments", "args", "input")
    own_id = part.get("call_id") or part.get("id")
    rest = _list_others(part, *names, *(() if part.get("call_id") else ("id",)))
    members = {"id": own_id, "name": part.get("name"), "input": given}
    return (_write(part, "tool_use", members, rest),)


def _translate_named_result(part: Object) -> tuple[Value, ...]:
    """Translate a result of the Responses API or of OpenTelemetry among the parts."""
    own_id = part.get("call_id") or part.get("id")
    names = ("output", "response", "result")
    content = _get_first(part, *names)
    if own_id is None or content is None:
        return (part,)
    rest = _list_others(part, "type", *names, "call_id", *(() if part.get("call_id") else ("id",)))
    is_parts = isinstance(content, Array) and all(map(_is_typed, content.items))
    members = {
        "tool_use_id": own_id,
        "content": content if is_parts else _write_results(content),
    }
    return (_write(part, "tool_result", members, rest),)


def _is_typed(value: Value) -> bool:
    return isinstance(value, Object) and value.text("type") is not None


def _translate_source(part: Object) -> tuple[Value, ...]:
    """Translate the address of a source of the AI SDK to a page."""
    held = part if part.text("url") else part.object("source")
    if held is None or held.text("url") is None:
        return (part,)
    rest = _list_others(held, "type", "url", "title")
    members = {"url": held.get("url"), "title": held.get("title")}
    return (_write(part, "web_search_result", members, rest),)


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
