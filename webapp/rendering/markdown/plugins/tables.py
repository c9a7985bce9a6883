"""Tables that lose nothing: cells beyond those of the head, and line breaks inside a cell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.common.utils import mdTrim
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_block.table import escapedSplit, getLine
from markdown_it.token import Token

_BREAK: Final = re.compile(r"(?<!\\)<br ?/?>", re.IGNORECASE)


def install(parser: MarkdownIt) -> None:
    """Teaches `parser` to keep what does not fit into the columns of a table."""
    parser.block.ruler.at("table", _whole, {"alt": ["paragraph", "reference"]})


def _whole(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    before = len(state.tokens)
    if not table(state, start, end, silent):
        return False
    if not silent:
        for line, cells in _rows(state.tokens[before:]):
            _keep_surplus(getLine(state, line), cells)
            for cell in cells:
                _break_lines(cell)
    return True


def _rows(tokens: Sequence[Token]) -> Iterator[tuple[int, list[Token]]]:
    """Each row's line, and what is in its cells."""
    line, cells = 0, list[Token]()
    for token in tokens:
        if token.type == "tr_open" and token.map:
            line, cells = token.map[0], []
        elif token.type == "inline":
            cells.append(token)
        elif token.type == "tr_close":
            yield line, cells


def _keep_surplus(line: str, cells: Sequence[Token]) -> None:
    """Puts the cells of `line` that no column is left for into the last one."""
    row = mdTrim(line)
    # Splitting is slow, and most rows have no surplus.
    if row.count("|") - row.startswith("|") - row.endswith("|") < len(cells):
        return
    written = escapedSplit(row.removeprefix("|"))
    surplus = [mdTrim(cell) for cell in written[len(cells) - 1 :]]
    if surplus and not surplus[-1]:
        surplus.pop()
    if any(surplus[1:]):
        cells[-1].content = mdTrim(" | ".join(surplus))


def _break_lines(cell: Token) -> None:
    """A row is one line, so that its cells have no other way to have several."""
    if "<" in cell.content and "`" not in cell.content:
        cell.content = _BREAK.sub("\n", cell.content)
