"""Settings of a request in a few words, for those that are nested and often long."""

from __future__ import annotations

from typing import Final

from webapp.exact_json import Array, Member, Object, Value
from webapp.formatting import count

_MOST_NAMES: Final = 12


def summarize_setting(member: Member) -> str:
    """What a setting says in short: `2 tools: look, touch`; empty where its value says it."""
    name, value = member.name.text, member.value
    if name in ("tools", "functions") and isinstance(value, Array):
        return _listed(value, name.removesuffix("s"))
    if not isinstance(value, Object):
        return ""
    if name == "response_format":
        return _format(value)
    if name in ("tool_choice", "function_call"):
        return _chosen(value)
    if name == "logit_bias":
        return count(len(value.members), "token")
    return ""


def _listed(value: Array, word: str) -> str:
    names = [_name(item) for item in value.items]
    if not any(names):
        return ""
    named = [name or "no name" for name in names]
    more = ", …" if len(named) > _MOST_NAMES else ""
    return f"{count(len(value.items), word)}: {', '.join(named[:_MOST_NAMES])}{more}"


def _name(tool: Value) -> str | None:
    """The name of a tool, which stands under its type, or of a function, where it stands alone."""
    if not isinstance(tool, Object):
        return None
    inner = tool.object(tool.text("type") or "function")
    return (inner or tool).text("name") or (None if inner else tool.text("type"))


def _format(value: Object) -> str:
    schema = value.object("json_schema")
    strict = schema.boolean("strict") if schema else None
    words = (
        value.text("type"),
        schema.text("name") if schema else None,
        "strict" if strict else None,
    )
    return ", ".join(word for word in words if word)


def _chosen(value: Object) -> str:
    return " ".join(filter(None, (value.text("type"), _name(value))))
