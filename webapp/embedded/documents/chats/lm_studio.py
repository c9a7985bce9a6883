"""Build completions from the conversations that LM Studio keeps, `….conversation.json`.

A message has several versions if it was edited or asked for again; one of them is selected. The
others become completions that end with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from webapp.embedded.documents.chats.writing import (
    Message,
    Segment,
    limit_branches,
    write_call,
    write_completion,
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
from webapp.embedded.documents.records import NotACompletion
from webapp.exact_json import Object, Value

_OWN: Final = frozenset({"messages", "createdAt", "systemPrompt"})


def is_lm_studio_conversation(value: Object) -> bool:
    """Return whether `value` is a conversation of LM Studio."""
    messages = value.items("messages")
    return bool(messages) and all(
        isinstance(one, Object) and one.items("versions") is not None for one in messages or ()
    )


def from_lm_studio(conversation: Object) -> Iterator[str]:
    """Yield the selected versions as a completion, then one for each other version.

    Raise `NotACompletion` if no message has a version, or when they are too large together.
    """
    given = [one for one in conversation.items("messages") or () if isinstance(one, Object)]
    selected = [_find_selected(one) for one in given]
    if all(version is None for version in selected):
        raise NotACompletion("it has no messages")
    shown = [one for one in selected if one is not None]
    branches = [shown]
    for at, message in enumerate(given):
        before = [one for one in selected[:at] if one is not None]
        others = (one for one in message.items("versions") or () if isinstance(one, Object))
        branches += [[*before, one] for one in others if one is not selected[at]]
    yield from limit_branches(_write_branch(conversation, branch) for branch in branches)


def _find_selected(message: Object) -> Object | None:
    versions = message.items("versions") or ()
    at = message.integer("currentlySelected") or 0
    found = versions[at] if 0 <= at < len(versions) else next(iter(versions), None)
    return found if isinstance(found, Object) else None


def _write_branch(conversation: Object, versions: Sequence[Object]) -> str:
    members = copy_rest(conversation, _OWN)
    created = copy(conversation.get("createdAt"))
    members += [f'"created":{created}'] if created else []
    model = next(filter(None, map(_find_model, reversed(versions))), None)
    used = conversation.object("lastUsedModel")
    model = model or (copy(used.get("identifier")) if used else None)
    if model and conversation.get("model") is None:
        members.append(f'"model":{model}')
    messages = []
    if conversation.text("systemPrompt"):
        content = f'"content":{copy(conversation.get("systemPrompt"))}'
        messages.append(write_message("system", [content], "lm_studio", []))
    for version in versions:
        messages += _write_version(version)
    return write_completion(members, messages)


def _find_model(version: Object) -> str | None:
    """Find the model of the last step that says which one it was."""
    infos = (
        info
        for step in reversed(version.items("steps") or ())
        if isinstance(step, Object) and (info := step.object("genInfo"))
    )
    names = (info.get(name) for info in infos for name in ("identifier", "indexedModelIdentifier"))
    return next(filter(None, map(copy, names)), None)


def _write_version(version: Object) -> Iterator[Message]:
    """Yield the messages of a version: one text, or steps with thoughts, calls and results."""
    segments = [Segment()]
    for item in version.items("content") or ():
        _add(item, segments, is_thought=False)
    for step in version.items("steps") or ():
        if not isinstance(step, Object):
            segments[-1].kept.append(copy(step) or "null")
            continue
        style = step.object("style")
        is_thought = style is not None and style.text("type") == "thinking"
        for item in step.items("content") or ():
            _add(item, segments, is_thought=is_thought)
        segments[-1].keep(step, {"type", "content"})
    rest = write_rest(version, {"type", "role", "content", "steps"})
    role = version.text("role") or "user"
    yield from write_segments(role, segments, "lm_studio", rest, kept_as="steps")


def _add(item: Value, segments: list[Segment], *, is_thought: bool) -> None:
    """Add an item of content; all but results begins a new segment after them."""
    kind = item.text("type") if isinstance(item, Object) else None
    if isinstance(item, Object) and kind == "toolCallResult":
        call_id = copy(item.get("toolCallRequestId") or item.get("callId"))
        members = [f'"tool_call_id":{call_id}'] if call_id else []
        members.append(f'"content":{write_text(item.get("content"))}')
        rest = write_rest(item, {"type", "content", "toolCallRequestId"})
        segments[-1].results.append(write_message("tool", members, "lm_studio", rest))
        return
    if segments[-1].results:
        segments.append(Segment())
    if isinstance(item, Object) and kind == "toolCallRequest":
        arguments = item.get("parameters") or item.get("arguments")
        own_id = item.get("toolCallRequestId") or item.get("callId")
        segments[-1].calls.append(write_call(own_id, copy(item.get("name")), arguments))
        used = {"type", "parameters", "arguments", "toolCallRequestId", "name"}
        segments[-1].keep(item, used)
    elif isinstance(item, Object) and kind == "text":
        name = "thinking" if is_thought else "text"
        segments[-1].parts.append(write(**{"type": f'"{name}"', name: copy(item.get("text"))}))
        segments[-1].keep(item, {"type", "text"})
    else:
        segments[-1].parts.append(copy(item) or "null")
