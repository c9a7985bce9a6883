"""Cut a text that is too long for one page into slices that join to the text again.

A slice ends after a paragraph, else after a line, else after a character as a reader sees it. If
it ends within a block of code or a table, the next one opens the block again to be read as
Markdown. The lines that do so are not part of the text: the slice's own text stays exact.

Only fences, table heads and indents are read, and no more of Markdown. A block that is missed
costs the slice its layout; no character is lost.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from webapp.formatting import LONE_SURROGATES

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

MIN_BYTES: Final = 256
_MAX_CLUSTER: Final = 32
_LOOK_BACK: Final = 2_000
"""Characters before a slice that are searched for the list it may begin in."""

_AFTER_BLANK: Final = re.compile(r"(?<=\n)\r?\n")
_ITEM: Final = re.compile(r"[ \t]*+(?:[-+*]|[0-9]{1,9}[.)])[ \t]")
_JOINS: Final = "\u200d\ufe0e\ufe0f"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The characters from `start` to `end` of a text.

    `seen` and `total` count bytes of UTF-8: up to the end of this slice, and of the whole text.
    `reopens` holds the lines that open again the block of code or the table of `begins_in`.
    """

    text: str
    start: int
    end: int
    seen: int
    total: int
    reopens: str = ""
    begins_in: Literal["", "code", "table", "list"] = ""

    @property
    def next(self) -> int | None:
        """The offset of the next slice; None at the end of the text."""
        return self.end if self.seen < self.total else None

    @property
    def before(self) -> int:
        """The bytes before this slice."""
        return self.seen - count_bytes(self.text)

    @property
    def markdown(self) -> str:
        """The slice as it is read as Markdown."""
        return self.reopens + self.text


def count_bytes(text: str) -> int:
    """Count the bytes of `text` in UTF-8; lone surrogates count as three."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def is_too_long(text: str, limit: int) -> bool:
    return len(text) * 4 > limit and count_bytes(text) > limit


def cut_slice(text: str, *, start: int, limit: int) -> Slice:
    """Cut the slice of at most `limit` bytes that begins at `start`."""
    blocks = find_blocks(text, start + max(limit, MIN_BYTES))
    end = _find_end(text, blocks, start, limit)
    reopens = _reopen(text, blocks, start, limit)
    block = find_block_at(blocks, start)
    begins_in: Literal["", "code", "table", "list"] = ""
    if block is not None and reopens:
        begins_in = block.kind
    elif block is None and _is_in_list(text, start):
        begins_in = "list"
    return Slice(
        text=text[start:end],
        start=start,
        end=end,
        seen=count_bytes(text[:end]),
        total=count_bytes(text),
        reopens=reopens,
        begins_in=begins_in,
    )


def find_previous_start(text: str, *, start: int, limit: int) -> int | None:
    """Find the start of the slice before `start` if cut from the beginning; None at 0."""
    if start <= 0:
        return None
    blocks = find_blocks(text, start + max(limit, MIN_BYTES))
    offset = 0
    while (end := _find_end(text, blocks, offset, limit)) < start:
        offset = end
    return offset


def _reopen(text: str, blocks: Sequence[Block], offset: int, limit: int) -> str:
    """Write the lines that open the block at `offset` again, if they leave room for the text."""
    block = find_block_at(blocks, offset)
    if block is None:
        return ""
    is_within_line = text[offset - 1] != "\n"
    lines = block.opening + (block.indent if is_within_line else "")
    return lines if count_bytes(lines) <= max(limit, MIN_BYTES) // 2 else ""


def _is_in_list(text: str, start: int) -> bool:
    """Return whether `text` continues a list at `start`, which is not in code."""
    if not _ITEM.match(text, start) and not text.startswith(("  ", "\t"), start):
        return False
    for line in reversed(text[max(start - _LOOK_BACK, 0) : start].split("\n")):
        if _ITEM.match(line):
            return True
        if line.strip() and not line.startswith((" ", "\t")):
            return False
    return False


def _find_end(text: str, blocks: Sequence[Block], start: int, limit: int) -> int:
    room = max(limit, MIN_BYTES) - count_bytes(_reopen(text, blocks, start, limit))
    # A lone surrogate counts as three bytes, like its replacement.
    encodable = LONE_SURROGATES.sub("\ufffd", text[start : start + room])
    last = start + len(encodable.encode()[:room].decode(errors="ignore"))
    if last >= len(text):
        return len(text)
    half = start + (last - start) // 2
    paragraphs = [blank.end() for blank in _AFTER_BLANK.finditer(text, half, last)]
    for offset in reversed(paragraphs):
        block = find_block_at(blocks, offset)
        if block is None or block.kind != "code":
            return offset
    after_line = text.rfind("\n", half, last) + 1
    return after_line or _find_character_start(text, last)


def _find_character_start(text: str, offset: int) -> int:
    """Find the start of the character, as a reader sees it, that a cut at `offset` would split."""
    for start in range(offset, max(offset - _MAX_CLUSTER, 0), -1):
        first, second = text[start - 1], text[start]
        if not (
            first + second == "\r\n"
            or first == "\u200d"
            or second in _JOINS
            or unicodedata.combining(second) > 0
            or "\U0001f3fb" <= second <= "\U0001f3ff"
            or "\udc00" <= second <= "\udfff"
        ):
            return start
    return offset if text[offset - 1 : offset + 1] != "\r\n" else offset - 1
