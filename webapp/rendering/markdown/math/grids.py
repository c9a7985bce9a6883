r"""Rewrite commutative diagrams and tables of text, `CD` and `tabular`, into arrays."""

from __future__ import annotations

import re
from typing import Final

_DIAGRAM: Final = re.compile(r"\\begin\{CD\}((?:[^\\]|\\(?!end\{CD\})|(?!))*+)\\end\{CD\}")
_ARROW: Final = re.compile(
    r"@(?:([<>])([^<>@]*)\1([^<>@]*)\1|([AV])([^AV@]*)\4([^AV@]*)\4|([=|.]|\\vert))"
)
_ACROSS: Final = {">": r"\xrightarrow", "<": r"\xleftarrow"}
_UPRIGHT: Final = {"A": r"\uparrow ", "V": r"\downarrow "}
_PLAIN: Final = {"=": "=", "|": r"\|", r"\vert": r"\|", ".": ""}
_MAX_COLUMNS: Final = 30

_TABLE: Final = re.compile(
    r"\\begin\{(tabular[x*]?)\}(?:\s*\{[^{}]*\}(?=\s*\{))?"
    r"\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}"
    r"((?:[^\\]|\\(?!end\{tabular)|(?!))*+)\\end\{\1\}"
)
_RULES: Final = re.compile(r"(?:\s|\\hline(?![A-Za-z]))*")
_CELL_END: Final = re.compile(r"(?<!\\)&")


def rewrite_grids(latex: str, row_end: str) -> str:
    """Rewrite the diagrams and tables in `latex`, whose rows end with `row_end`."""
    latex = _DIAGRAM.sub(lambda found: _write_diagram(found, row_end), latex)
    return _TABLE.sub(lambda found: _write_table(found, row_end), latex)


def _write_diagram(found: re.Match[str], row_end: str) -> str:
    """Write an array with a column for each object and each arrow between two objects.

    Rows of upright arrows have none between them.
    """
    rows: list[str] = []
    columns = 1
    for row in found[1].split(row_end):
        arrows = list(_ARROW.finditer(row))
        is_upright = row.lstrip().startswith("@") and all(not one[1] for one in arrows)
        cells: list[str] = []
        end = 0
        for one in arrows:
            if not is_upright:
                cells.append(row[end : one.start()].strip())
            cells += [_write_arrow(one), ""] if is_upright else [_write_arrow(one)]
            end = one.end()
        if not is_upright:
            cells.append(row[end:].strip())
        columns = max(columns, len(cells))
        rows.append(" & ".join(cells))
    if columns > _MAX_COLUMNS or "@" in "".join(rows):
        return found[0]
    return rf"\begin{{array}}{{{'c' * columns}}}{row_end.join(rows)}\end{{array}}"


def _write_arrow(found: re.Match[str]) -> str:
    side, above, below, upright, left, right, plain = found.groups()
    if side:
        lower = f"[{below.strip()}]" if below.strip() else ""
        return rf"{_ACROSS[side]}{lower}{{\;{above.strip()}\;}}"
    if upright:
        return rf"{{\scriptstyle {left}}}{_UPRIGHT[upright]}{{\scriptstyle {right}}}"
    return _PLAIN[plain]


def _write_table(found: re.Match[str], row_end: str) -> str:
    """Write an array of texts; formulas in them stay formulas."""
    rows: list[str] = []
    for row in found[3].split(row_end):
        rules = _RULES.match(row)
        rest = row[rules.end() :] if rules else row
        cells = (cell.strip() for cell in _CELL_END.split(rest))
        texts = " & ".join(rf"\text{{{cell}}}" if cell else "" for cell in cells)
        rows.append(f"{rules[0].strip() if rules else ''} {texts}")
    columns = found[2].replace("X", "l")
    return rf"\begin{{array}}{{{columns}}}{row_end.join(rows)}\end{{array}}"
