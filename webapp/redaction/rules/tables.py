"""Secrets that are known by the names of their columns, or by the head of their document."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Generator, Iterator
from functools import lru_cache
from typing import Final, TypeVar

from webapp.redaction.rules.context import ANY_HINT
from webapp.redaction.rules.kinds import SPACE, SecretPlace, is_strong, is_value, match_at
from webapp.redaction.rules.names import classify
from webapp.redaction.rules.shapes import Shape, has_shape

T = TypeVar("T")
_MAX_CELLS: Final = 64
_HEAD_CELL: Final = re.compile(r"[\"'`*]{0,3}[^\W\d][\w .#()/-]{0,40}[\"'`*]{0,3}\Z")
_OPENED: Final = re.compile(
    r"[^|\n]{0,200}(?:[\"'=>]|:[ ])(?=\|)"
    r"|[^\n]{0,200}?(?:[=>][\"']{0,2}|:[ ]?[\"']|:[ ])[ ]{0,2}"
    r"(?=[\"']?[^\W\d][\w .#-]{0,40}[\"']?[|\t;,])"
)
_HEAD: Final = re.compile(
    # A line that begins with a cell, or with the rest of a string or of a sentence.
    r"^(?:[ \t|]{0,80}[\"'`*]{0,3}[^\W\d][\w .#()/-]{0,40}[\"'`*]{0,3}[ ]{0,80}(?:[|\t;,]|[ ]{2})"
    rf"|{_OPENED.pattern})[^\n]*$",
    re.MULTILINE,
)
_RULE: Final = re.compile(r"[\s|+:=-]*\Z")
_CELLS: Final = {
    delimiter: re.compile(rf"(?:[ ]*\"(?:[^\"\n]|\"\")*\"[ ]*|[^{delimiter}\n]*)")
    for delimiter in ("|", "\t", ";", ",")
}
_LABEL: Final = re.compile(
    r"(?<![^\W_])(?P<name>[^\W\d_][\w.-]{1,30}+(?:['’]\w{1,12})?(?:[ ][\w.-]{1,20}|(?!)){0,3}+)"
    r"[\"'`*)]{0,3}+(?:[ \t]{0,4}+[:=：]|>|</(?:t[dh]|d[td]|key|b|strong|label)>\s{0,9}<\w{1,8}>)"
    r"[ \t*]{0,8}"
)
_LABELLED: Final = re.compile(
    r"[\"'`](?P<quoted>[^\"'`\n]{1,80})[\"'`]"
    r"|(?P<bare>(?:[^\s\"'`<>|&;,]|[ ](?!\w{1,20}[:=])|,(?![ ]?[A-Za-z_\"']{1,20}[ ]?[:=])){1,80})"
)
"""The value of a name, to the end of its line or to the next name."""

_SPACES: Final = "  "
"""Divides the columns that a program prints."""

_SPACED: Final = re.compile(r"[^\s]+(?:[ ][^\s]+)*")
_INSERT: Final = re.compile(
    r"(?:insert|replace|upsert|merge)\s{1,9}(?:(?:ignore|delayed|low_priority|or\s{1,9}\w{1,10})"
    r"\s{1,9})?into\s{1,9}[^\s(]{1,100}\s{0,9}\((?P<names>[^()]{1,2000})\)"
    r"\s{0,9}(?:overriding\s{1,9}\w{1,9}\s{1,9}value\s{1,9})?values?\s{0,9}",
    re.IGNORECASE,
)
_INSERTS: Final = ("insert", "replace", "upsert", "merge")
_COPY: Final = re.compile(
    r"\bcopy\s{1,9}[^\s(]{1,100}\s{0,9}\((?P<names>[^()]{1,2000})\)\s{1,9}from\s{1,9}stdin\b"
    r"(?P<options>[^\n]{0,200})\n",
    re.IGNORECASE | re.MULTILINE,
)
_SELECT: Final = re.compile(
    r"select\s(?P<names>[\w\s,.`]{5,400}?)\sfrom\b[^\n]{0,300}\n", re.IGNORECASE
)
_MOST_ROWS: Final = 100
_ROW: Final = re.compile(
    r"\s{0,9},?\s{0,9}\((?P<cells>(?:[^()'\"]|'(?:[^'\n]|'')*'|\"[^\"\n]*\"|\([^()\n]*\)){1,4000})\)"
)
_SQL_CELL: Final = re.compile(r"(?:[^,'\"(]|'(?:[^'\n]|'')*'|\"[^\"\n]*\"|\([^()\n]*\)|(?!))*+")
_NESTED: Final = re.compile(r"(?:\w{1,30}\()?[\"'](?P<secret>[^\"'\n]*)[\"']")

TABLES_NEEDS: Final = (
    rf"(?i:(?:{ANY_HINT})[\p{{L}}\p{{N}}_.#/()\"'`* -]*(?:[|\t;,][^\n]*)?\n"
    rf"|select[{SPACE}][^\n]*(?:{ANY_HINT})[^\n]*[{SPACE}]from"
    rf"|into[{SPACE}]+[^\s(]+[{SPACE}]*\(|from[{SPACE}]+stdin)"
)
HTML_NEEDS: Final = r"<(?i:th)[ >]"
MANIFEST_NEEDS: Final = r"kind:[ \t]*[\"']?Secret"

_DOCUMENT: Final = re.compile(r"(?:\A|^---|^- ).*?(?=^---|^- |\Z)", re.MULTILINE | re.DOTALL)
"""Of several in a file, or an item of a list."""
_MANIFEST: Final = re.compile(r"(?:^(?:  |- )?|[\"'=])kind:[ \t]{0,9}[\"']?Secret\b", re.MULTILINE)
_DATA: Final = re.compile(
    r"^(?:data|stringData):[ \t]*\n(?:[ \t]+[^\n]*(?:\n|\Z)|(?!))*+"
    r"|^(?:  |- )(?:data|stringData):[ \t]*\n(?:[ \t]{3,}+[^\n]*(?:\n|\Z)|(?!))*+",
    re.MULTILINE,
)
_ENTRY: Final = re.compile(
    r"^[ \t]{1,40}[\"']?[\w.-]{1,100}[\"']?:[ \t]{1,9}(?P<secret>[^\s|>][^\n]*)"
)
_BLOCK_LINE: Final = re.compile(r"^[ \t]{2,60}(?P<secret>\S[^\n]*)")


def find_in_tables(text: str, lowered: str) -> Iterator[SecretPlace]:
    """Yield the secrets in columns with the name of a secret: of tables, of CSV, of SQL."""
    if "into" in lowered:
        for match in match_at(_INSERT, text, lowered, _INSERTS, joiners=None):
            yield from _find_inserted(text, match)
    for statement, word, find in (
        (_SELECT, "select", _find_selected),
        (_COPY, "copy", _find_copied),
    ):
        end = 0
        for match in match_at(statement, text, lowered, (word,), joiners=None):
            if match.start() >= end:
                end = yield from find(text, match)
    for start, end, (kind, shape) in iter_columns(text, _classify_column):
        yield from _read_cell(text, start, end, kind, shape)


_ELEMENT: Final = re.compile(
    r"<(?P<tag>t[rhd])(?:[ ][^<>]{0,200})?>(?:\s{0,20}<[a-z]{1,8}(?:[ ][^<>]{0,100})?>){0,3}"
    r"[ \t\r\n]{0,40}(?P<cell>[^<>]{0,400})",
    re.IGNORECASE,
)


def find_in_html(text: str) -> Iterator[SecretPlace]:
    """Yield the secrets in columns of tables of HTML."""
    heads: dict[int, tuple[str, Shape]] = {}
    column = 0
    for match in _ELEMENT.finditer(text):
        tag = match["tag"].lower()
        if tag == "tr":
            column = 0
            continue
        cell = match["cell"].strip()
        if tag == "th":
            heads = heads if column else {}
            if known := _classify_column(cell.replace(" ", "_")):
                heads[column] = known
        elif column in heads:
            start = match.start("cell")
            yield from _read_cell(text, start, start + len(cell), *heads[column])
        column += 1


def iter_columns(text: str, classify: Callable[[str], T | None]) -> Iterator[tuple[int, int, T]]:
    """Yield the cells below the heads that `classify` knows by their names."""
    at = 0
    for head, delimiter, names in _list_heads(text):
        if head.start() < at:
            continue
        known_names = ((column, classify(name)) for column, name in enumerate(names))
        columns = {column: known for column, known in known_names if known is not None}
        if not columns:
            continue
        at = head.end() + 1
        for start, end in _iter_lines(text, at):
            at = start
            if not _RULE.match(text, start, end):
                cells = _split(text, start, end, delimiter)
                # The last row of a text that was cut off may be short.
                is_cut = end == len(text) and 1 < len(cells) < len(names)
                if len(cells) != len(names) and not is_cut:
                    break
                for column, known in columns.items():
                    if column < len(cells):
                        yield *cells[column], known
        else:
            return


def iter_labels(text: str, classify: Callable[[str], T | None]) -> Iterator[tuple[int, int, T]]:
    """Yield the values after the names that `classify` knows, as in `zip: …` and `<zip>…</zip>`."""
    for label in _LABEL.finditer(text):
        known = classify(label["name"])
        value = None if known is None else _LABELLED.match(text, label.end())
        if known is not None and value is not None:
            start, end = value.span("quoted" if value["quoted"] else "bare")
            yield start, start + len(text[start:end].rstrip(" .)]}")), known


def _classify_column(name: str) -> tuple[str, Shape] | None:
    known = ("key", Shape.MADE) if name.lower() in ("key", "keys") else classify(name)
    # Tests pass as well, and the value of a cookie has no name in a column.
    is_none = known is None or known[1] is Shape.COOKIE or name.lower() == "pass"
    return None if is_none else known


def _iter_lines(text: str, start: int = 0) -> Iterator[tuple[int, int]]:
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield start, end - text.endswith("\r", start, end)
        start = end + 1


# Several rules ask for the heads of a text, one after another.
@lru_cache(maxsize=4)
def _list_heads(text: str) -> list[tuple[re.Match[str], str, list[str]]]:
    """List the lines that may be heads, each with its delimiter and the names of its columns."""
    found = []
    for head in _HEAD.finditer(text):
        start, end = head.span()
        end -= text.endswith("\r", start, end)
        if 5 <= end - start <= 2000:
            # After the beginning of a string, or a sentence.
            opened = _OPENED.match(text, start, end)
            start = opened.end() if opened else start
            delimiter = next((one for one in _CELLS if one in text[start:end]), _SPACES)
            cells = [text[begin:stop] for begin, stop in _split(text, start, end, delimiter)]
            if len(cells) > 1 and all(map(_HEAD_CELL.match, cells)):
                names = [cell.strip("\"'`* ").replace(" ", "_") for cell in cells]
                found.append((head, delimiter, names))
    return found


def _split(text: str, start: int, end: int, delimiter: str) -> list[tuple[int, int]]:
    """Split a line into the places of its cells, without the space and the bars around them."""
    if delimiter == _SPACES:
        words = itertools.islice(_SPACED.finditer(text, start, end), _MAX_CELLS)
        return [match.span() for match in words]
    if delimiter == "|":
        while start < end and text[start] in " \t|":
            start += 1
        last = text.rfind("|", start, end)
        # The end of a string, in JSON that was cut off.
        if last >= 0 and text[last + 1 : last + 2] in ('"', "'", "<"):
            end = last
        while end > start and text[end - 1] in " \t|":
            end -= 1
    cells: list[tuple[int, int]] = []
    pattern = _CELLS[delimiter]
    while len(cells) < _MAX_CELLS:
        match = pattern.match(text, start, end)
        assert match is not None
        stop = match.end()
        if stop < end and text[stop] != delimiter:
            # A quoted cell with more after it.
            found = text.find(delimiter, stop, end)
            stop = end if found < 0 else found
        written = text[start:stop]
        begin = start + len(written) - len(written.lstrip())
        cells.append((begin, max(begin, stop - len(written) + len(written.rstrip()))))
        if stop >= end:
            break
        start = stop + 1
    return cells


def _read_cell(text: str, start: int, end: int, kind: str, shape: Shape) -> Iterator[SecretPlace]:
    while end - start > 1 and text[start] in "\"'`*" and text[end - 1] == text[start]:
        start, end = start + 1, end - 1
    secret = text[start:end]
    if shape is Shape.ANY and not (any(map(str.isalpha, secret)) and is_strong(secret)):
        return
    if " " not in secret and has_shape(secret, shape, is_quoted=True):
        yield SecretPlace(kind, start, end)


def _find_inserted(text: str, match: re.Match[str]) -> Iterator[SecretPlace]:
    names = [name.strip(" \t\r\n`\"'[]") for name in match["names"].split(",")]
    columns = {at: known for at, name in enumerate(names) if (known := classify(name))}
    at = match.end()
    while columns and (row := _ROW.match(text, at)):
        at = row.end()
        start, stop = row.span("cells")
        for column in range(len(names)):
            cell = _SQL_CELL.match(text, start, stop)
            assert cell is not None
            value = _NESTED.search(text, cell.start(), cell.end())
            if column in columns and value is not None:
                kind, shape = columns[column]
                if has_shape(value["secret"], shape, is_quoted=True):
                    yield SecretPlace(kind, *value.span("secret"))
            start = cell.end() + 1
            if start > stop:
                break


def _find_selected(text: str, match: re.Match[str]) -> Generator[SecretPlace, None, int]:
    """Yield the secrets in rows that a program prints without a head, below its command.

    Return the end of the last row.
    """
    names = [name.strip(" \t\r\n`").rpartition(".")[2] for name in match["names"].split(",")]
    columns = {at: known for at, name in enumerate(names) if (known := _classify_column(name))}
    lines = _iter_lines(text, match.end()) if columns and len(names) > 1 else iter(())
    last = match.end()
    for start, end in itertools.islice(lines, _MOST_ROWS):
        delimiter = "|" if text.find("|", start, end) >= 0 else "\t"
        cells = _split(text, start, end, delimiter)
        if len(cells) != len(names):
            break
        last = end
        for column, (kind, shape) in columns.items():
            yield from _read_cell(text, *cells[column], kind, shape)
    return last


def _find_copied(text: str, match: re.Match[str]) -> Generator[SecretPlace, None, int]:
    """Yield the secrets of copied rows, and return the end of the last row."""
    names = [name.strip(' \t\r\n"') for name in match["names"].split(",")]
    columns = {at: known for at, name in enumerate(names) if (known := classify(name))}
    delimiter = "," if "csv" in match["options"].lower() else "\t"
    start = match.end()
    while columns and start < len(text) and not text.startswith("\\.", start):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        cells = _split(text, start, end, delimiter)
        if len(cells) != len(names):
            break
        for column, (kind, shape) in columns.items():
            yield from _read_cell(text, *cells[column], kind, shape)
        start = end + 1
    return start


def find_in_manifests(text: str, lowered: str) -> Iterator[SecretPlace]:
    """Yield the values of the secrets of a cluster, whatever their names."""
    for document in _DOCUMENT.finditer(text):
        if _MANIFEST.search(document[0]):
            for data in _DATA.finditer(document[0]):
                for line in re.finditer(r"[^\n]+", data[0]):
                    found = _ENTRY.match(line[0]) or _BLOCK_LINE.match(line[0])
                    if found is None or (found.re is _BLOCK_LINE and ":" in line[0]):
                        continue
                    secret = found["secret"].strip().strip("\"'")
                    begin = line[0].find(secret, found.start("secret"))
                    start = document.start() + data.start() + line.start() + begin
                    if len(secret) >= 3 and is_value(secret):
                        yield SecretPlace("secret", start, start + len(secret))
