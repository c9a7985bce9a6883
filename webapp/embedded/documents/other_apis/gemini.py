"""Google's Gemini API, in the names of its JSON (`inlineData`) and of its SDKs (`inline_data`)."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from webapp.embedded.documents.other_apis.writing import (
    copy,
    copy_rest,
    rename,
    write,
    write_choice,
    write_content,
    write_part,
)
from webapp.exact_json import Array, Object, String, Value, write_array, write_object
from webapp.messages.native_parts import translate
from webapp.messages.translated import Translated

_SYSTEMS: Final = ("systemInstruction", "system_instruction")
_CONFIGS: Final = ("generationConfig", "generation_config")
ASKED: Final = frozenset({"contents", "tools", *_SYSTEMS, *_CONFIGS})

_SETTINGS: Final = {
    **dict.fromkeys(("maxOutputTokens", "max_output_tokens"), "max_tokens"),
    **dict.fromkeys(("topP", "top_p"), "top_p"),
    **dict.fromkeys(("stopSequences", "stop_sequences"), "stop"),
    **dict.fromkeys(("presencePenalty", "presence_penalty"), "presence_penalty"),
    **dict.fromkeys(("frequencyPenalty", "frequency_penalty"), "frequency_penalty"),
}
_USAGE: Final = {
    **dict.fromkeys(("promptTokenCount", "prompt_token_count"), "prompt_tokens"),
    **dict.fromkeys(("candidatesTokenCount", "candidates_token_count"), "completion_tokens"),
    **dict.fromkeys(("totalTokenCount", "total_token_count"), "total_tokens"),
}
_ANSWERED: Final = {
    **dict.fromkeys(("modelVersion", "model_version"), "model"),
    **dict.fromkeys(("responseId", "response_id"), "id"),
    **dict.fromkeys(("createTime", "create_time"), "created"),
}
_ROLES: Final = {"model": "assistant", "function": "user"}


def is_request(value: Object) -> bool:
    """Return whether `value` has `contents`: a text, one content, or several."""
    contents = value.get("contents")
    if isinstance(contents, Array):
        return bool(contents.items) and all(
            isinstance(one, String) or (isinstance(one, Object) and one.items("parts") is not None)
            for one in contents.items
        )
    return isinstance(contents, String) or _is_content(contents)


def is_response(value: Object) -> bool:
    """Return whether `value` has candidates, or was answered with none."""
    feedback = value.object("promptFeedback") or value.object("prompt_feedback")
    candidates = value.items("candidates")
    if candidates is None:
        return feedback is not None
    if _find(value, "usageMetadata", "usage_metadata") is not None:
        return True
    return all(isinstance(one, Object) and one.object("content") for one in candidates)


def join_stream(values: Sequence[Value]) -> str | None:
    """Join the pieces of one streamed response to the response; return None if they are not that.

    They have one id. Where they have none, as of older servers, only the last says why it ended.
    """
    pieces = [one for one in values if isinstance(one, Object) and is_response(one)]
    if len(pieces) < 2 or len(pieces) < len(values):
        return None
    ids = {one.text("responseId") or one.text("response_id") for one in pieces}
    candidates = [
        [one for one in piece.items("candidates") or () if isinstance(one, Object)]
        for piece in pieces
    ]
    ends_early = any(
        _find(one, "finishReason", "finish_reason") for some in candidates[:-1] for one in some
    )
    if len(ids) > 1 or (ids == {None} and ends_early):
        return None
    members: dict[int, dict[str, str]] = {}
    parts: dict[int, list[Value]] = {}
    for some in candidates:
        for at, candidate in enumerate(some):
            index = candidate.integer("index") or at
            members.setdefault(index, {}).update(_list_members(candidate))
            content = candidate.object("content")
            found = content.items("parts") if content is not None else None
            parts.setdefault(index, []).extend(found or ())
    for index, named in members.items():
        named['"content"'] = f'{{"role":"model","parts":{write_array(_join_parts(parts[index]))}}}'
    whole = {name: source for piece in pieces for name, source in _list_members(piece).items()}
    whole['"candidates"'] = write_array(map(_write_members, members.values()))
    return _write_members(whole)


def _join_parts(parts: Sequence[Value]) -> Iterator[str]:
    """Write parts; texts that follow each other, with the same other members, become one."""

    def list_others(part: Value) -> tuple[str, ...] | None:
        if not isinstance(part, Object) or part.text("text") is None:
            return None
        return tuple(copy_rest(part, {"text"}))

    for others, group in groupby(parts, list_others):
        if others is None:
            yield from (part.source for part in group)
        else:
            text = "".join(part.text("text") or "" for part in group if isinstance(part, Object))
            yield write_object([f'"text":{json.dumps(text)}', *others])


def _list_members(value: Object) -> dict[str, str]:
    return {one.name.source: one.value.source for one in value.members}


def _write_members(members: dict[str, str]) -> str:
    return write_object(f"{name}:{source}" for name, source in members.items())


def write_request(request: Object) -> str:
    """Write a request with its contents as messages, and its settings and tools on their own."""
    writer = _Writer()
    messages: list[str] = []
    for name in _SYSTEMS:
        system = request.get(name)
        if system is not None:
            messages.append(writer.write_content(system, "system"))
    contents = request.get("contents")
    items = contents.items if isinstance(contents, Array) else (contents,) if contents else ()
    messages += [writer.write_content(one, "user") for one in items]
    members = copy_rest(request, ASKED)
    for name in _CONFIGS:
        settings = request.object(name)
        if settings is not None and settings.members:
            members.append((rename(settings, _SETTINGS) or "{}")[1:-1])
    tools = [tool for one in request.items("tools") or () for tool in _write_tools(one)]
    members += [f'"tools":{write_array(tools)}'] if tools else []
    return write_object([*members, f'"messages":{write_array(messages)}'])


def write_response(response: Object) -> str:
    """Write a response with a choice for each candidate."""
    choices = []
    for at, candidate in enumerate(response.items("candidates") or ()):
        if not isinstance(candidate, Object):
            continue
        content = candidate.get("content")
        reason = _find(candidate, "finishReason", "finish_reason")
        used = {"content", "finishReason", "finish_reason", "index"}
        choices.append(
            write_choice(
                _Writer().write_content(content, "assistant")
                if content
                else '{"role":"assistant","content":null}',
                reason,
                "finishReason",
                index=candidate.integer("index") or at,
                more=copy_rest(candidate, used),
            )
        )
    usage = _find(response, "usageMetadata", "usage_metadata")
    used = {"candidates", "usageMetadata", "usage_metadata", *_ANSWERED}
    members = [
        f'"{_ANSWERED[one.name.text]}":{copy(one.value)}'
        for one in response.members
        if one.name.text in _ANSWERED and copy(one.value)
    ]
    members += [*copy_rest(response, used), f'"choices":{write_array(choices)}']
    feedback = response.object("promptFeedback") or response.object("prompt_feedback")
    blocked = _find(feedback, "blockReason", "block_reason") if feedback else None
    if blocked is not None and not choices:
        words = blocked.text if isinstance(blocked, String) else blocked.source
        incomplete = json.dumps({"reason": f"The request was blocked: {words}."})
        members.append(f'"incomplete":{incomplete}')
    renamed = rename(usage if isinstance(usage, Object) else None, _USAGE)
    return write_object([*members, *([f'"usage":{renamed}'] if renamed else [])])


class _Writer:
    """Writes contents as messages; results without an id belong to the first call of their name."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[str]] = {}
        self._calls = 0

    def write_content(self, value: Value, role: str) -> str:
        """Write a content, which may be a text alone, as a message."""
        if not _is_content(value):
            return write(role=f'"{role}"', content=copy(value))
        assert isinstance(value, Object)
        given = value.text("role")
        written = role if given is None or role != "user" else _ROLES.get(given, given)
        content = write_content(list(map(self._write_part, value.items("parts") or ())))
        members = [f'"role":{json.dumps(written)}', f'"content":{content}']
        return write_object([*members, *copy_rest(value, {"role", "parts"})])

    def _write_part(self, part: Value) -> str:
        """Write a part as the content part that says the same; an unfamiliar one as it is."""
        if isinstance(part, String):
            return write(type='"text"', text=copy(part))
        if not isinstance(part, Object):
            return copy(part) or "null"
        for names, writes in (
            (("functionCall", "function_call"), self._write_call),
            (("functionResponse", "function_response"), self._write_result),
        ):
            value = _find(part, *names)
            if isinstance(value, Object):
                return write_object([*writes(value), *copy_rest(part, names)])
        (translated,) = translate(part)
        if isinstance(translated, Translated):
            return write_part(translated)
        name = next(iter(part.names()), "part")
        return write_object([f'"type":{json.dumps(name)}', *copy_rest(part, ())])

    def _write_call(self, call: Object) -> list[str]:
        own_id = call.text("id") or f"call_{self._calls}"
        self._calls += 1
        self._waiting.setdefault(call.text("name") or "", deque()).append(own_id)
        return [
            '"type":"tool_use"',
            f'"id":{json.dumps(own_id)}',
            f'"name":{copy(call.get("name")) or "null"}',
            f'"input":{copy(call.get("args")) or "{}"}',
            *copy_rest(call, {"id", "name", "args"}),
        ]

    def _write_result(self, result: Object) -> list[str]:
        name = result.text("name") or ""
        waiting = self._waiting.get(name)
        own_id = result.text("id") or (waiting.popleft() if waiting else name)
        response = result.get("response")
        text = json.dumps(response.source) if response is not None else '""'
        return [
            '"type":"tool_result"',
            f'"tool_use_id":{json.dumps(own_id)}',
            f'"content":{text}',
            *copy_rest(result, {"id", "response"}),
        ]


def _is_content(value: Value | None) -> bool:
    return isinstance(value, Object) and value.items("parts") is not None


def _find(value: Object, *names: str) -> Value | None:
    return next((found for name in names if (found := value.get(name))), None)


def _write_tools(tools: Value) -> list[str]:
    """Write the functions that are declared in an element of `tools`, and other tools as given."""
    if not isinstance(tools, Object):
        return [copy(tools) or "null"]
    names = ("functionDeclarations", "function_declarations")
    declared = _find(tools, *names)
    functions = declared.items if isinstance(declared, Array) else ()
    written = [f'{{"type":"function","function":{copy(one) or "null"}}}' for one in functions]
    rest = copy_rest(tools, names)
    return [*written, *([write_object(rest)] if rest else [])]
