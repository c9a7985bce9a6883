"""Set attributes of blocks, replace the brackets of tasks, and keep the wide spaces of paragraphs.

An item gets its number, a list the width of its numbers, and a heading its level. `[ ]` and
`[x]` at the start of an item become read-only boxes.

The direction of a block is that of most of its letters. Blocks without a letter that is written
from right to left are left to the browser. Code and addresses do not count: an Arabic answer
around a long program is still Arabic.

markdown-it strips all white space around a paragraph, CommonMark only spaces and tabs. Chinese and
Japanese paragraphs begin with wide spaces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from webapp.rendering.markdown.context import Scope
from webapp.rendering.text.direction import Letters, has_right_to_left

FIRST_HEADING: Final = 3
"""The level of the outermost headings: the message's own is an h2."""

_BOX: Final = re.compile(r"\[([ xX])\][ \t]")
_TWO_DIGITS: Final = 99
_FOUR_DIGITS: Final = 9_999

_LISTS: Final = frozenset({"bullet_list_open", "ordered_list_open"})
_DIRECTED: Final = _LISTS | {"paragraph_open", "heading_open", "blockquote_open", "definition"}
_DIRECTED_BY_FIRST_CHILD: Final = frozenset({"list_item_open", "blockquote_open"})
_COUNTED: Final = _LISTS | {
    "paragraph_open",
    "heading_open",
    "blockquote_open",
    "list_item_open",
    "table_open",
    "td_open",
    "th_open",
}

_WIDE: Final = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_ANY: Final = re.compile(f"[{_WIDE}]")
_BEFORE_TEXT: Final = re.compile(f"[{_WIDE}][{_WIDE} \\t]*\\Z")


def install(parser: MarkdownIt) -> None:
    """Add these rules to `parser`."""
    parser.core.ruler.push("tasks", mark_tasks)
    parser.add_render_rule("task", render_box)
    parser.core.ruler.push("item_numbers", keep_numbers)
    parser.core.ruler.push("number_widths", set_number_widths)
    parser.core.ruler.push("heading_levels", set_heading_levels)
    parser.core.ruler.push("empty_table_heads", replace_empty_heads)
    parser.core.ruler.push("directions", set_directions)
    parser.core.ruler.before("inline", "wide_spaces", restore_spaces)


def keep_numbers(state: StateCore) -> None:
    """Keep the numbers of items that do not count up by one, unless they are all the same."""
    around: list[tuple[Token, list[Token]]] = []
    for token in state.tokens:
        if token.type in ("ordered_list_open", "bullet_list_open"):
            around.append((token, []))
        elif token.type == "list_item_open" and around and token.info.isdecimal():
            around[-1][1].append(token)
        elif token.type in ("ordered_list_close", "bullet_list_close") and around:
            opened, items = around.pop()
            numbers = [int(item.info) for item in items]
            if len(set(numbers)) > 1:
                opened.meta["highest"] = max(numbers)
                for before, number, item in zip(numbers, numbers[1:], items[1:], strict=False):
                    if number != before + 1:
                        item.attrs["value"] = number


def set_number_widths(state: StateCore) -> None:
    """Add a class to lists whose numbers have more than two digits, so that none is cut off."""
    for token in state.tokens:
        if token.type != "ordered_list_open" or token.map is None:
            continue
        # A list has at most as many items as lines.
        last = int(token.attrs.get("start", 1)) + token.map[1] - token.map[0]
        last = max(last, token.meta.get("highest", 0))
        if last > _TWO_DIGITS:
            is_long = last <= _FOUR_DIGITS
            token.attrs["class"] = "long-numbers" if is_long else "very-long-numbers"


def set_heading_levels(state: StateCore) -> None:
    """Number headings by their nesting, whatever their count of `#`.

    Assistive technology navigates by headings, and a skipped level looks like missing content.
    """
    around: list[int] = []
    for token in state.tokens:
        if token.type not in ("heading_open", "heading_close"):
            continue
        level = int(token.tag[1])
        if token.nesting > 0:
            while around and around[-1] >= level:
                around.pop()
            around.append(level)
        token.tag = f"h{min(FIRST_HEADING + len(around) - 1, 6)}"


def replace_empty_heads(state: StateCore) -> None:
    """Turn empty head cells of tables into plain cells: they head nothing."""
    tokens: Sequence[Token] = [
        token for token in state.tokens if token.type in ("th_open", "inline", "th_close")
    ]
    for (before, inside), (_, after) in pairwise(pairwise(tokens)):
        if before.type == "th_open" and after.type == "th_close" and not inside.content.strip():
            before.tag = after.tag = "td"


def mark_tasks(state: StateCore) -> None:
    """Replace the brackets at the start of an item by a separate token."""
    tokens = state.tokens
    for item, paragraph, inline in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if (item.type, paragraph.type) != ("list_item_open", "paragraph_open"):
            continue
        first = inline.children[0] if inline.children else None
        # Escaped brackets are text by now, as others are.
        is_text = first is not None and first.type == "text" and inline.content.startswith("[")
        box = _BOX.match(first.content) if first and is_text else None
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


def set_directions(state: StateCore) -> None:
    """Let each block find its own direction, so that none turns its neighbours.

    To find the direction of a list or a quote, a browser skips descendants with a `dir` of their
    own. So the first block inside one has none, and those after it do. Style sheets isolate the
    texts of items and cells.
    """
    before = ""
    for token in state.tokens:
        if token.type in _DIRECTED and before not in _DIRECTED_BY_FIRST_CHILD:
            token.attrs["dir"] = "auto"
        before = token.type
    if has_right_to_left(state.src):
        Scope.get(state.env).direction = _set_by_letters(state.tokens)


def _set_by_letters(tokens: Sequence[Token]) -> str:
    """Set the direction of blocks with right-to-left letters, and return that of them all."""
    seen = Letters()
    opened: list[tuple[Token, Letters]] = []
    for token in tokens:
        if token.type == "inline":
            for child in token.children or ():
                if child.type == "text":
                    seen += Letters.of(child.content)
        elif token.nesting > 0:
            opened.append((token, seen))
        elif token.nesting < 0:
            block, before = opened.pop()
            direction = (seen - before).direction
            if block.type in _COUNTED and direction != "auto":
                block.attrs["dir"] = direction
    return seen.direction


def restore_spaces(state: StateCore) -> None:
    """Put the spaces before each paragraph of the source back into its content."""
    if not _ANY.search(state.src):
        return
    lines = state.src.split("\n")
    for opening, token in zip(state.tokens, state.tokens[1:], strict=False):
        if opening.type != "paragraph_open" or not token.map:
            continue
        line = lines[token.map[0]]
        begin = line.find(token.content.partition("\n")[0])
        if spaces := _BEFORE_TEXT.search(line[: max(begin, 0)]):
            token.content = spaces[0] + token.content
