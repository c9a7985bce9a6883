"""Show the citation markers that some models write with private-use characters as chips.

A marker is `U+E200 cite U+E202 turn0search1 U+E201`: a kind and its fields. Copied without these
characters it is `citeturn0search1`; another form is `:contentReference[oaicite:0]{index=0}`. They
name sources that only the model's own page knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import escape

from webapp.rendering.markdown.context import Scope

_WRAPPED: Final = re.compile("\ue200([^\ue200\ue201\n]{1,2000})(?:\ue201|\\Z)")
_BARE: Final = re.compile(r"(?:file|nav)?cite((?:turn[0-9]{1,4}[a-z]{1,20}[0-9]{1,4})+)\b")
_REFERENCE: Final = re.compile(
    r":contentReference\[oaicite:([0-9]{1,6})\](?:\{index=[0-9]{1,6}\})?"
)
_TURN: Final = re.compile(r"turn[0-9]+[a-z]+[0-9]+")
_STARTS: Final = r"[\ue200-\ue20f]|(?<!\w)(?:file|nav)?citeturn[0-9]|:contentReference\["
_LEFT_OUT: Final = "Private-use characters that delimit text for the model's own page are left out."
_MOST: Final = 120
"""Characters of a chip; the source has all of them."""


def install(parser: MarkdownIt) -> None:
    """Add chips to `parser`."""
    terminators = parser.inline.terminator_re.pattern
    # The text must end where a marker begins.
    parser.inline.terminator_re = re.compile(f"{terminators}|{_STARTS}")
    parser.inline.ruler.before("escape", "private_marker", parse_marker)
    parser.add_render_rule("source_chip", render_chip)


def parse_marker(state: StateInline, silent: bool) -> bool:
    first = state.src[state.pos]
    if "\ue200" <= first <= "\ue20f":
        found = _WRAPPED.match(state.src, state.pos, state.posMax)
        words = _describe(found[1].split("\ue202")) if found else ""
    elif first == ":":
        found = _REFERENCE.match(state.src, state.pos, state.posMax)
        words = f"source {int(found[1]) + 1}" if found else ""
    elif first in "cfn" and not state.src[max(0, state.pos - 1) : state.pos].isalnum():
        found = _BARE.match(state.src, state.pos, state.posMax)
        words = ", ".join(_TURN.findall(found[1])) if found else ""
    else:
        return False
    if found is None and first < "\ue200":
        return False
    if not silent:
        if words:
            state.push("source_chip", "span", 0).content = words
        else:
            Scope.get(state.env).note(_LEFT_OUT)
    state.pos = found.end() if found else state.pos + 1
    return True


def render_chip(
    _self: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: EnvType
) -> str:
    return f'<span class="source-chip">{escape(tokens[at].content)}</span>'


def _describe(fields: Sequence[str]) -> str:
    """Describe a marker in words: the sources of `cite`, the name of an `entity`."""
    kind, *rest = (re.sub("[\ue200-\ue20f]", " ", field).strip() for field in fields)
    if kind == "entity" and rest and (name := _find_name(rest[0])):
        words = name
    elif kind == "cite":
        words = ", ".join(filter(None, rest)) or kind
    else:
        words = f"{kind}: {', '.join(filter(None, rest))}" if any(rest) else kind
    return words if len(words) <= _MOST else f"{words[:_MOST]}…"


def _find_name(field: str) -> str | None:
    """Find the name in `["company","OpenAI","AI lab"]`."""
    try:
        value = json.loads(field)
    except ValueError:
        return None
    is_named = isinstance(value, list) and len(value) > 1 and isinstance(value[1], str)
    return value[1] if is_named else None
