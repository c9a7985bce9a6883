"""Write JSON from names and from values as they were written."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from webapp.embedded.documents.api_json import join_lines
from webapp.embedded.documents.from_files import copy_members
from webapp.exact_json import Array, Null, Object, String, Value, write_array, write_object
from webapp.messages.native_parts import translate
from webapp.messages.translated import Translated

_FINISH_REASONS: Final = {
    **dict.fromkeys(("end_turn", "stop_sequence", "STOP", "completed"), "stop"),
    **dict.fromkeys(("COMPLETE", "STOP_SEQUENCE"), "stop"),
    **dict.fromkeys(("max_tokens", "MAX_TOKENS", "max_output_tokens"), "length"),
    **dict.fromkeys(
        (
            "refusal",
            "SAFETY",
            "RECITATION",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "guardrail_intervened",
            "content_filtered",
        ),
        "content_filter",
    ),
    **dict.fromkeys(("tool_use", "TOOL_CALL", "tool_call"), "tool_calls"),
}


_TEXT: Final = re.compile(r'\{"type":"text","text":("[^"\\]*+(?:\\.[^"\\]*+|(?!))*+")\}', re.DOTALL)


def write(**members: str | None) -> str:
    """Write an object of names and JSON texts, without those that are None."""
    return write_object([f"{json.dumps(name)}:{text}" for name, text in members.items() if text])


def copy(value: Value | None) -> str | None:
    """Return a value on one line, or None if it is absent or null."""
    return None if value is None or isinstance(value, Null) else join_lines(value.source)


def copy_rest(value: Object, used: Collection[str]) -> list[str]:
    """Return copies of the members of other names than `used`."""
    return copy_members(one for one in value.members if one.name.text not in used)


def write_text(value: Value | None) -> str:
    """Write a result as a text: itself, or its JSON."""
    if value is None or isinstance(value, Null):
        return "null"
    return join_lines(value.source) if isinstance(value, String) else json.dumps(value.source)


def rename(value: Object | None, names: Mapping[str, str]) -> str | None:
    """Return an object with other names for some of its members; None if there is none."""
    if value is None:
        return None
    return write_object(
        f"{json.dumps(names.get(one.name.text, one.name.text))}:{join_lines(one.value.source)}"
        for one in value.members
    )


def write_choice(
    message: str,
    reason: Value | None,
    name: str | None,
    *,
    index: int = 0,
    more: Iterable[str] = (),
) -> str:
    """Write a choice; a reason that chat completions name differently is also kept as `name`."""
    given = reason.text if isinstance(reason, String) else None
    known = _FINISH_REASONS.get(given or "")
    members = [f'"index":{index}', f'"message":{message}']
    members += [f'"finish_reason":{json.dumps(known or given)}'] if given else []
    if name and known not in (None, given):
        members.append(f"{json.dumps(name)}:{json.dumps(given)}")
    return write_object([*members, *more])


def write_system(value: Value | None, role: str = "system") -> list[str]:
    """Return the message with these instructions, a text or its parts; none if they are empty."""
    text = copy(value)
    return [write(role=f'"{role}"', content=text)] if text and text not in ('""', "[]") else []


def write_part(part: Translated) -> str:
    """Write a part with the members of its translation, and those within a result."""
    is_result = part.text("type") == "tool_result"
    members = []
    for one in part.members:
        value = copy(one.value) or "null"
        if isinstance(one.value, Translated):
            value = write_part(one.value)
        elif is_result and one.name.text == "content" and isinstance(one.value, Array):
            items = (inner for item in one.value.items for inner in translate(item))
            value = write_array(
                write_part(item) if isinstance(item, Translated) else copy(item) or "null"
                for item in items
            )
        members.append(f"{one.name.source}:{value}")
    return write_object(members)


def write_content(parts: Sequence[str]) -> str:
    """Write content parts; a text alone without them."""
    if len(parts) == 1 and (only := _TEXT.fullmatch(parts[0])):
        return only[1]
    return write_array(parts)
