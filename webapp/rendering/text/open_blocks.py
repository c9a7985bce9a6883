"""Find the blocks of code and the tables of a long text, so that each part can reopen its own.

This reads fences, table heads and indents, and no more of Markdown. A block it misses costs the
part its layout; no character is lost.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

_MAX_INDENT: Final = 40
_MAX_INFO: Final = 64
_MAX_LINE: Final = 16_384
"""Characters of the line that the blocks are wanted up to; a longer one opens none."""

_OPENING: Final = re.compile(
    r"""^(?P<around> (?:[ \t]*+ (?:> | (?:[-+*] | [0-9]{1,9}[.)]) (?=[ \t]))|(?!))*+ [ \t]*+ )
    (?: (?P<fence> `{3,64}(?!`)(?=[^`\n]*+$) | ~{3,64}(?!~) ) (?P<info>[^\n]*+)
      | (?P<columns> (?=[^|\n]*+\|) \|?+ (?:[ ]*+ :?+ -++ :?+ [ ]*+ \|?+|(?!))++ ) \s*?
    )$""",
    re.MULTILINE | re.VERBOSE,
)
_AROUND: Final = re.compile(r"(?:[ \t]*+(?:>|(?:[-+*]|[0-9]{1,9}[.)])(?=[ \t]))|(?!))*+[ \t]*+")
_CONTAINER: Final = re.compile(r"> ?|  ?")
_SIGNS: Final = {">": "> ", "> ": "> ", "  ": "- "}
"""The signs of quotes and list items, by the indents of their lines."""

_PIPE: Final = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Block:
    """The lines from `start` to `end` in a block of code or a table, without those that open it.

    `opening` opens the block again. Every line of it begins with `indent`.
    """

    kind: Literal["code", "table"]
    start: int
    end: int
    opening: str
    indent: str


def find_blocks(text: str, end: int) -> list[Block]:
    """Find the blocks that open before `end`, in order."""
    line_end = text.find("\n", end, end + _MAX_LINE)
    end = min(end, len(text)) if line_end < 0 else line_end
    blocks = []
    offset = 0
    while found := _OPENING.search(text, offset, end):
        offset = found.end()
        # The beginning of a block's lines: quote signs, and spaces for list items. Markdown ignores
        # up to three spaces before a block.
        indent = re.sub(r"[^>\s]", " ", found["around"].expandtabs(4))
        is_ignored = found["around"].isspace() and len(indent) < 4
        indent = re.sub(r"> {0,4}$", ">", "" if is_ignored else indent)
        head = found["fence"] or _read_table_head(text, found)
        if not head or len(indent) > _MAX_INDENT:
            continue
        prefix = re.escape(indent).replace(r"\ " * 4, r"(?:\ {4}|\t)")
        if found["fence"]:
            blank = "" if ">" in indent else r"|[ \t\r]*$"
            closing = rf"^{prefix}[ \t]{{0,3}}{head}{head[0]}*+[ \t\r]*$|^(?!{prefix}{blank})"
            lines = [head + found["info"].strip()[:_MAX_INFO]]
        else:
            closing = rf"^(?!{prefix})|^(?![^\n]*\|)"
            lines = [head, found["columns"].strip()]
        start = offset + 1
        closed = re.compile(closing, re.MULTILINE).search(text, start, end)
        # An empty match is the first line after the block, any other its closing fence.
        offset = len(text) + 1 if closed is None else closed.end() + bool(closed[0])
        indent += " " if indent.endswith(">") else ""
        containers = _CONTAINER.sub(lambda one: _SIGNS.get(one[0], ""), indent)
        opening = containers + f"\n{indent}".join(lines) + "\n"
        kind: Literal["code", "table"] = "code" if found["fence"] else "table"
        blocks.append(Block(kind, start, offset, opening, indent))
    return blocks


def find_block_at(blocks: Sequence[Block], offset: int) -> Block | None:
    """Find the one of `blocks` that contains `offset`."""
    index = bisect_right(blocks, offset, key=lambda block: block.start)
    return blocks[index - 1] if index and offset < blocks[index - 1].end else None


def _read_table_head(text: str, columns: re.Match[str]) -> str:
    """Read the row before the line of dashes, empty unless it has as many cells."""
    before = text[text.rfind("\n", 0, max(columns.start() - 1, 0)) + 1 : columns.start()]
    head = before[around.end() :].strip() if (around := _AROUND.match(before)) else ""
    is_table = head and _count_pipes(head) == _count_pipes(columns["columns"])
    return head if is_table else ""


def _count_pipes(row: str) -> int:
    """Count the pipes between the cells of `row`."""
    return len(_PIPE.findall(row.strip().removeprefix("|").removesuffix("|")))
