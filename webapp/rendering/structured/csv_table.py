"""Render comma- or tab-separated values as a table, if a text surely consists of them.

Prose has commas too: a table needs a header row, the same number of values in every row, and no
spaces after its commas.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from webapp.rendering.text.direction import find_direction
from webapp.rendering.text.invisible import reveal_invisible

MAX_COLUMNS: Final = 60

_BOM: Final = "\ufeff"
"""Spreadsheets write it first: not part of the first name, though shown there."""

_DELIMITERS: Final = ("\t", ",", ";")
_NAME: Final = re.compile(r"(?=[^\d\W]|[$#%(].*[^\d\W])[\w .()/%#:$€£°²³&+*@'-]{1,60}")
_NUMBER: Final = re.compile(r"[-+]?[$€£]?[\d.,' ]+%?")
_ALIGNED: Final = ' class="align-right"'


@dataclass(frozen=True, slots=True)
class Table:
    """A table of `shown` rows; `rows` counts all rows of the text but its header."""

    html: Markup
    rows: int
    shown: int


def render_csv_table(text: str, *, max_rows: int) -> Table | None:
    """Render `text` as a table of at most `max_rows` rows; None if it may be something else."""
    bom = _BOM if text.startswith(_BOM) else ""
    text = text.removeprefix(_BOM)
    first, separator, _ = text.lstrip("\r\n").partition("\n")
    delimiter = next((one for one in _DELIMITERS if one in first), None)
    if not separator or delimiter is None or len(first) > MAX_COLUMNS * 62:
        return None
    try:
        header, rows, total = _parse_rows(text, delimiter, max_rows)
    except csv.Error:
        return None
    head = "".join(
        f'<th scope="col">{reveal_invisible(name)}</th>' for name in (bom + header[0], *header[1:])
    )
    body = ""
    for row in rows:
        cells = (
            f"<td{_ALIGNED if _NUMBER.fullmatch(cell) else ''}>{reveal_invisible(cell)}</td>"
            for cell in row
        )
        body += f"<tr>{''.join(cells)}</tr>"
    html = Markup(
        f'<div class="wide" tabindex="0"><table class="values" dir="{find_direction(text)}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    return Table(html, total, len(rows))


def _parse_rows(text: str, delimiter: str, max_rows: int) -> tuple[list[str], list[list[str]], int]:
    """Parse the header, the first `max_rows` rows and the number of all.

    Raise `csv.Error` unless `text` is surely a table.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = filter(None, reader)
    header = next(rows, [])
    # Names of columns are short and differ, and none is a number.
    if (
        not 2 <= len(header) <= MAX_COLUMNS
        or len({name.casefold() for name in header}) < len(header)
        or not all(_NAME.fullmatch(name) and name == name.strip() for name in header)
    ):
        raise csv.Error("no header")
    kept: list[list[str]] = []
    total = spaced = 0
    for row in rows:
        if len(row) != len(header):
            raise csv.Error("a row of another length")
        total += 1
        spaced += any(cell[:1] == " " for cell in row[1:])
        if total <= max_rows:
            kept.append(row)
    if total < (1 if len(header) > 2 else 2) or spaced * 10 > total:
        raise csv.Error("too few rows, or spaces after commas")
    return header, kept, total
