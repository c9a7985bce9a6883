"""Summarize those settings of a request that are nested and often long."""

from __future__ import annotations

from typing import Final

from webapp.exact_json import Array, Member, Object, Value
from webapp.formatting import count

_MAX_NAMES: Final = 12


def summarize_setting(member: Member) -> str:
    """Summarize a setting, like `2 tools: look, touch`; empty if its value is short."""
    name, value = member.name.text, member.value
    if name in ("tools", "functions") and isinstance(value, Array):
        names = [_find_name(tool) for tool in value.items]
        shown = ", ".join(one or "no name" for one in names[:_MAX_NAMES])
        more = ", …" if len(names) > _MAX_NAMES else ""
        tools = count(len(names), name.removesuffix("s"))
        return f"{tools}: {shown}{more}" if any(names) else ""
    if not isinstance(value, Object):
        return ""
    if name == "logit_bias":
        return count(len(value.members), "token")
    if name in ("tool_choice", "function_call"):
        return " ".join(filter(None, (value.text("type"), _find_name(value))))
    if name == "response_format":
        words = [value.text("type")]
        if schema := value.object("json_schema"):
            words += [schema.text("name"), "strict" if schema.boolean("strict") else None]
        return ", ".join(filter(None, words))
    return ""


def _find_name(tool: Value) -> str | None:
    """Find the name of a tool, which is in the member of its type, or of a lone function."""
    if not isinstance(tool, Object):
        return None
    inner = tool.object(tool.text("type") or "function")
    return (inner or tool).text("name") or (None if inner else tool.text("type"))
