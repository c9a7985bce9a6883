"""Render task lists: `[ ]` and `[x]` at the start of an item become read-only boxes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

_BOX: Final = re.compile(r"\[([ xX])\][ \t]")


def install(parser: MarkdownIt) -> None:
    """Add task lists to `parser`."""
    parser.core.ruler.push("tasks", mark_tasks)
    parser.add_render_rule("task", render_box)


def mark_tasks(state: StateCore) -> None:
    """Replace the brackets at the start of an item by a token of its own."""
    tokens = state.tokens
    for item, paragraph, inline in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if (item.type, paragraph.type) != ("list_item_open", "paragraph_open"):
            continue
        first = inline.children[0] if inline.children else None
        box = _BOX.match(first.content) if first and first.type == "text" else None
        if first and box and inline.children:
            first.content = first.content[box.end() :]
            inline.children.insert(0, Token("task", "span", 0, meta={"done": box[1] != " "}))
            item.attrs["class"] = "task-item"


def render_box(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _o: OptionsDict, _env: EnvType
) -> str:
    done = tokens[index].meta["done"]
    label, sign = ("done", "\u2611") if done else ("to do", "\u2610")
    return f'<span class="task" role="img" aria-label="{label}">{sign}</span> '
