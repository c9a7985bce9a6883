"""What showing content may cost: sizes, depth, brackets, parts and time, each a setting.

A budget acts on the part it concerns, never on the page: what goes beyond it is shown more
simply, says so, and offers its source.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """The bounds of rendering. Bytes are of UTF-8, times in seconds.

    `text_bytes` of one text stand on a page at once; the rest follows by a link. `brackets`
    count what may open something in Markdown (brackets, stars, underscores, tildes, backticks),
    for one text and for a whole page; `levels` are blocks inside blocks, `code_bytes` of one
    block are coloured, `formulas` of one page are set, `parts` of one message stand on a page at
    once, and `seconds` of one page may go into rendering its texts. `values` of one JSON text
    stand in a tree of at most `tree_levels`, `rows` of one text of separated values in a table.
    """

    text_bytes: int = 200_000
    brackets: int = 4_000
    page_brackets: int = 40_000
    levels: int = 100
    code_bytes: int = 50_000
    formulas: int = 500
    parts: int = 200
    values: int = 2_000
    tree_levels: int = 20
    rows: int = 500
    seconds: float = 1.0
