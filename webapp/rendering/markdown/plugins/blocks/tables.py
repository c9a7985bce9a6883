"""Parse tables without loss: cells beyond those of the head, and line breaks inside cells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.common.utils import mdTrim
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_block.table import escapedSplit, getLine
from markdown_it.token import Token

_BREAK: Final = re.compile(r"(?<!\\)<br[ \t]{0,8}/?>", re.IGNORECASE)


def install(parser: MarkdownIt) -> None:
    """Add tables to `parser` that keep surplus cells and line breaks."""
    parser.block.ruler.at("table", parse_table, {"alt": ["paragraph", "reference"]})


def parse_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    before = len(state.tokens)
    if not table(state, start, end, silent):
        return False
    if not silent:
        for line, cells in _iter_rows(state.tokens[before:]):
            _append_surplus(getLine(state, line), cells)
            for cell in cells:
                # A row is one line, so this is the only way to break lines in its cells.
                if "<" in cell.content and "`" not in cell.content:
                    cell.content = _BREAK.sub("\n", cell.content)
    return True


def _iter_rows(tokens: Sequence[Token]) -> Iterator[tuple[int, list[Token]]]:
    """Yield the line of each row and the content of its cells."""
    line, cells = 0, list[Token]()
    for token in tokens:
        if token.type == "tr_open" and token.map:
            line, cells = token.map[0], []
        elif token.type == "inline":
            cells.append(token)
        elif token.type == "tr_close":
            yield line, cells


def _append_surplus(line: str, cells: Sequence[Token]) -> None:
    """Append the cells of `line` that have no column to the last one."""
    row = mdTrim(line)
    # Splitting is slow, and most rows have no surplus.
    if row.count("|") - row.startswith("|") - row.endswith("|") < len(cells):
        return
    sources = escapedSplit(row.removeprefix("|"))
    if columns := _join_code(sources, len(cells)):
        for cell, source in zip(cells, columns, strict=True):
            cell.content = mdTrim(source)
        return
    surplus = [mdTrim(source) for source in sources[len(cells) - 1 :]]
    if surplus and not surplus[-1]:
        surplus.pop()
    if any(surplus[1:]):
        cells[-1].content = mdTrim(" | ".join(surplus))


def _join_code(sources: Sequence[str], count: int) -> Sequence[str]:
    """Join cells split within code, as in ``| `a | b` |``; none unless they are `count`."""
    joined: list[str] = []
    for source in sources:
        if joined and joined[-1].count("`") % 2:
            joined[-1] += f"|{source}"
        else:
            joined.append(source)
    if joined and not joined[-1].strip():
        joined.pop()
    return joined if len(joined) == count else ()
