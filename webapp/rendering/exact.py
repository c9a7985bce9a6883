"""JSON as it was written, and text that a page must not change."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup, escape

from webapp import exact_json
from webapp.exact_json import Array, Member, Object, Value

MAX_FLAT: Final = 400
"""Characters of arguments that still read well as a table of names and values."""


def source_of(value: Value) -> str:
    """The JSON of `value` indented for reading, every lexeme as sent."""
    return exact_json.indented(value.source)


def indented_or_none(text: str) -> str | None:
    """`text` indented, or None when it is not an object or array in JSON."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return exact_json.indented(text)
    except exact_json.NotJson:
        return None


def flat_members(text: str) -> tuple[Member, ...]:
    """The members of a small object of scalars, for a table; empty when `text` is no such."""
    if len(text) > MAX_FLAT or text.lstrip()[:1] != "{":
        return ()
    try:
        value = exact_json.parse(text)
    except exact_json.NotJson:
        return ()
    if not isinstance(value, Object):
        return ()
    nested = any(isinstance(member.value, Object | Array) for member in value.members)
    return () if nested else value.members


def exact_text(text: str) -> Markup:
    """`text` for a `<pre>`, where HTML would drop a first line break and rewrite CR and NUL."""
    shown = str(escape(text)).replace("\r", "&#13;").replace("\0", "\u2400")
    return Markup("\n" + shown)
