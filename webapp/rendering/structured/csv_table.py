"""Comma- or tab-separated values as a table, when a text is that as a whole and beyond doubt.

Prose has commas too: a table needs a row of names first, the same number of values in every
row, and no spaces behind its commas.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from webapp.rendering.text.invisible import reveal_invisible

MAX_ROWS: Final = 500
MAX_COLUMNS: Final = 60

_MARK: Final = "\ufeff"
"""What spreadsheets write in front: not part of the first name, though it is shown there."""

_DELIMITERS: Final = ("\t", ",", ";")
_NAME: Final = re.compile(r"(?=[^\d\W]|[$#%(].*[^\d\W])[\w .()/%#:$€£°²³&+*@'-]{1,60}")
_NUMBER: Final = re.compile(r"[-+]?[$€£]?[\d.,' ]+%?")


@dataclass(frozen=True, slots=True)
class Table:
    """A table for the page; `rows` counts all rows of the text but the one of names."""

    html: Markup
    rows: int
    shown: int


def render_csv_table(text: str, *, max_rows: int = MAX_ROWS) -> Table | None:
    """`text` as a table of at most `max_rows` rows, or None when it is not surely one."""
    mark = _MARK if text.startswith(_MARK) else ""
    text = text.removeprefix(_MARK)
    first, separator, _ = text.lstrip("\r\n").partition("\n")
    if not separator or len(first) > MAX_COLUMNS * 62:
        return None
    for delimiter in _DELIMITERS:
        if delimiter in first:
            return _table(text, delimiter, max_rows, mark)
    return None


def _table(text: str, delimiter: str, max_rows: int, mark: str) -> Table | None:
    """The table of `text`, whose first name is shown behind `mark`."""
    rows = _rows(text, delimiter)
    try:
        names = next(rows, [])
        if not _are_names(names):
            return None
        kept: list[list[str]] = []
        count = spaced = 0
        for row in rows:
            if len(row) != len(names):
                return None
            count += 1
            spaced += any(cell[:1] == " " for cell in row[1:])
            if count <= max_rows:
                kept.append(row)
    except csv.Error:
        return None
    enough = count >= (1 if len(names) > 2 else 2)
    if not enough or spaced * 10 > count:
        return None
    names[0] = mark + names[0]
    return Table(_html(names, kept), count, len(kept))


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """The rows that are not empty lines. Raises `csv.Error`."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return (row for row in reader if row)


def _are_names(cells: list[str]) -> bool:
    """Whether a row looks like the names of columns: short, none twice, none a number."""
    return (
        2 <= len(cells) <= MAX_COLUMNS
        and len({cell.casefold() for cell in cells}) == len(cells)
        and all(_NAME.fullmatch(cell) and cell == cell.strip() for cell in cells)
    )


def _html(names: list[str], rows: list[list[str]]) -> Markup:
    head = "".join(f'<th scope="col">{reveal_invisible(name)}</th>' for name in names)
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return Markup(
        '<div class="wide" tabindex="0"><table class="values" dir="auto">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(text: str) -> str:
    kind = ' class="align-right"' if _NUMBER.fullmatch(text) else ""
    return f"<td{kind}>{reveal_invisible(text)}</td>"
