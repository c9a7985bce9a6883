"""Read the messages of a row of training data: turns, texts and dialogues."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from webapp.embedded.documents.api_json import join_lines
from webapp.embedded.documents.from_files import copy_member
from webapp.embedded.documents.records import NotACompletion
from webapp.exact_json import Array, NotJson, Object, String, Value, parse, write_object

_ROLES: Final = {
    "human": "user",
    "gpt": "assistant",
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "tool": "tool",
}
_OTHER_ROLES: Final = {
    **dict.fromkeys(
        ("chatgpt", "bing", "bard", "model", "bot", "ai", "claude", "chatbot"), "assistant"
    ),
    **dict.fromkeys(("observation", "function_response", "tool_response"), "tool"),
}
"""These say more than the role, and so are kept beside it."""

_CALLS: Final = ("function_call", "tool_call")
_SPEAKERS: Final = ("from", "role")
_TEXTS: Final = ("value", "content", "text")
SYSTEMS: Final = ("system", "system_prompt")
"""The names under which rows have a system message."""

_SPOKEN: Final = re.compile(r"(?:^|\n\n)(Human|Assistant): ?")


@dataclass(frozen=True, slots=True)
class RowMessage:
    """A message as JSON on one line."""

    role: str
    json: str


def is_turn(value: Value, *, speakers: Sequence[str] = _SPEAKERS) -> bool:
    """Return whether `value` is a turn of a conversation, as ShareGPT writes one."""
    return (
        isinstance(value, Object)
        and any(value.text(name) for name in speakers)
        and any(value.get(name) is not None for name in (*_TEXTS, "tool_calls"))
    )


def is_other_role(role: str) -> bool:
    """Return whether `role` is one of the API's in other words, as `human` is."""
    lowered = role.lower()
    return lowered in _OTHER_ROLES or (lowered in _ROLES and _ROLES[lowered] != role)


def read_system(row: Object) -> list[RowMessage]:
    """Read the system messages that a row has beside its turns."""
    messages = []
    for value in map(row.get, SYSTEMS):
        if isinstance(value, String) and value.text:
            messages.append(build_message("system", join_lines(value.source)))
    return messages


def read_messages(value: Value | None, role: str, *, is_spoken: bool = False) -> list[RowMessage]:
    """Read the messages of a text by `role`, of a message, or of a list of them.

    If `is_spoken`, a text may be a dialogue, whose turns begin with `Human:` and `Assistant:`.
    """
    if isinstance(value, String):
        parts = _SPOKEN.split(value.text) if is_spoken else []
        if len(parts) > 1 and not parts[0].strip():
            speakers = {"Human": "user", "Assistant": "assistant"}
            return [
                build_message(speakers[speaker], json.dumps(text))
                for speaker, text in zip(parts[1::2], parts[2::2], strict=True)
            ]
        return [build_message(role, join_lines(value.source))]
    if isinstance(value, Object):
        return convert_turns([value])
    return convert_turns(value.items) if isinstance(value, Array) else []


def convert_turns(turns: Iterable[Value]) -> list[RowMessage]:
    """Convert turns to messages; a result belongs to the call before it."""
    messages: list[RowMessage] = []
    call_id = ""
    for at, turn in enumerate(turns):
        if not isinstance(turn, Object) or not is_turn(turn):
            raise NotACompletion("one of its messages has no role or no text")
        given = turn.text("role") or ""
        is_own = turn.get("from") is None and turn.get("content") is not None
        if is_own and not is_other_role(given):
            messages.append(RowMessage(given, join_lines(turn.source)))
            continue
        speaker = next(filter(None, map(turn.text, _SPEAKERS)))
        called = _read_call(turn) if speaker in _CALLS else None
        if called is not None:
            call_id = f"call_{at}"
            call = f'{{"id":"{call_id}","type":"function","function":{called}}}'
            content = f'"content":null,"tool_calls":[{call}]'
            messages.append(RowMessage("assistant", f'{{"role":"assistant",{content}}}'))
        else:
            messages.append(_convert_turn(turn, speaker, call_id))
    return messages


def _convert_turn(turn: Object, speaker: str, call_id: str) -> RowMessage:
    lowered = speaker.lower()
    role = _ROLES.get(speaker) or _ROLES.get(lowered) or _OTHER_ROLES.get(lowered) or speaker
    name = next((one for one in _TEXTS if turn.get(one) is not None), None)
    used = {"role", name} | ({"from"} if speaker in _ROLES or role == speaker else set())
    members = [f'"role":{json.dumps(role)}']
    if turn.get("from") is None and lowered in _OTHER_ROLES:
        members.append(f'"original_role":{json.dumps(speaker)}')
    text = turn.get(name) if name else None
    members += [f'"content":{join_lines(text.source)}'] if text else []
    if role == "tool" and call_id and turn.get("tool_call_id") is None:
        members.append(f'"tool_call_id":"{call_id}"')
    members += [copy_member(one) for one in turn.members if one.name.text not in used]
    return RowMessage(role, write_object(members))


def _read_call(turn: Object) -> str | None:
    """Read the function of a call that is written as JSON; return None if it is not."""
    text = next(filter(None, map(turn.text, _TEXTS)), "")
    try:
        call = parse(text)
    except NotJson:
        return None
    name = call.get("name") if isinstance(call, Object) else None
    if not isinstance(call, Object) or name is None:
        return None
    arguments = call.get("arguments")
    if isinstance(arguments, String):
        written = join_lines(arguments.source)
    else:
        written = json.dumps(arguments.source if arguments else "{}")
    return f'{{"name":{join_lines(name.source)},"arguments":{written}}}'


def build_message(role: str, content: str) -> RowMessage:
    """Build a message of a role; `content` is JSON."""
    return RowMessage(role, f'{{"role":"{role}","content":{content}}}')
