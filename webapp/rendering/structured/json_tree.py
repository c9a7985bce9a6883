"""Render JSON as a readable tree: nested lists of names and values.

Numbers are shown as written, names and short strings as well but for needless escapes; long
strings, and those with line breaks, as the text they mean. Arrays of objects with the same names
in the same order are tables. A string that contains JSON is
unfolded in place. Beyond a nesting and a number of values the tree shows the exact text. The walk
is iterative, and looks at every character a bounded number of times.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeAlias

from markupsafe import Markup

from webapp.config import Budgets
from webapp.exact_json import Array, Member, NotJson, Number, Object, String, Value, parse
from webapp.formatting import count
from webapp.rendering.structured.ansi import has_sequences, render_ansi
from webapp.rendering.structured.lexemes import write_readable
from webapp.rendering.text.invisible import render_exact, reveal_invisible

_SEPARATORS: Final = re.compile(r"[\s,\x1e]*+")
_TO_BRACKET: Final = re.compile(
    r'[^"{}\[\]]*+(?:"[^"\\]*+(?:\\.[^"\\]*+|(?!))*+"[^"{}\[\]]*+|(?!))*+', re.DOTALL
)
"""All before the next bracket outside strings."""

MAX_SHORT: Final = 80
"""Characters of a string, or of an array of scalars, that is shown in one line as written."""

_MAX_COLUMNS: Final = 12
_MAX_UNFOLDED: Final = 3
_UNFOLDED_SIZE: Final = 200_000
_ITEM_END: Final = "</li>"
_TALL: Final = 4_000
_WORD: Final = 16
_WORD_IN_TABLE: Final = 40
"""Characters of an identifier that stays in one line: of a nested value, of a cell that scrolls."""
_HYPHENED: Final = re.compile(r"[^\s-]*-\S*")
_PLAIN_NAME: Final = re.compile(r"[\w$@#.*/:+()\[\]-]+")
_BREAKS: Final = re.compile("[\n\r\x0b\x0c\x85\u2028\u2029]")

_INNER_ESCAPE: Final = re.compile(r"\\\\u[0-9a-fA-F]{4}")
"""An escape of JSON that is written in a string, which may be unfolded to be read."""

_Child: TypeAlias = "Member | Value"


def join_documents(text: str) -> str | None:
    """Return the objects and arrays of `text` as an array, each as it was written.

    Return None if there are fewer than two, or anything else. Whether it is JSON is left to the
    parser: brackets and strings alone are followed.
    """
    documents: list[str] = []
    at = _end_of(_SEPARATORS, text, 0)
    while at < len(text):
        start, level = at, 0
        if text[at] not in "{[":
            return None
        while True:
            level += 1 if text[at] in "{[" else -1
            at += 1
            if level == 0:
                break
            at = _end_of(_TO_BRACKET, text, at)
            if at >= len(text) or text[at] not in "{}[]":
                return None
        documents.append(text[start:at])
        at = _end_of(_SEPARATORS, text, at)
    return f"[{','.join(documents)}]" if len(documents) > 1 else None


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


@dataclass(slots=True)
class _OpenList:
    """A list that is being written: its children, the index of the next one, and its end."""

    children: Sequence[_Child]
    end: str
    unfolded: int
    at: int = 0


def render_json_tree(value: Value, *, budgets: Budgets | None = None) -> Markup:
    """Render `value` as nested lists, as far as `budgets` allow; a scalar as itself."""
    return _TreeWriter(budgets or Budgets()).write(value)


def is_readable_in_line(value: Value) -> bool:
    """Return whether `value` is a scalar that is shown in one line as written."""
    if isinstance(value, String):
        return _is_short(value)
    return not isinstance(value, Array | Object)


class _TreeWriter:
    """Writes one tree; `_open` is the stack of lists around the current value."""

    def __init__(self, budgets: Budgets) -> None:
        self._left = budgets.values
        self._levels = budgets.tree_levels
        self._may_unfold = _UNFOLDED_SIZE
        self._html: list[str] = []
        self._open: list[_OpenList] = []

    def write(self, root: Value) -> Markup:
        self.write_value(root, unfolded=0)
        while self._open:
            current = self._open[-1]
            if current.at == len(current.children):
                self._html.append(current.end)
                self._open.pop()
            elif self._left <= 0:
                self.write_rest(current)
            else:
                self.write_child(current)
        return Markup("".join(self._html))

    def write_child(self, current: _OpenList) -> None:
        child = current.children[current.at]
        current.at += 1
        self._left -= 1
        if isinstance(child, Member):
            self._html.append(f"<div><dt>{_render_name(child)}</dt> <dd>")
            self.write_value(child.value, unfolded=current.unfolded, end="</dd></div>")
        else:
            self._html.append("<li>")
            self.write_value(child, unfolded=current.unfolded, end=_ITEM_END)

    def write_value(self, value: Value, *, unfolded: int, end: str = "") -> None:
        """Write a value and `end`; of a list that has children only the beginning."""
        inner = self.parse_string(value) if unfolded < _MAX_UNFOLDED else None
        if inner is not None:
            self.open_list(inner, "JSON in a string, ", unfolded=unfolded + 1, end=end)
        elif isinstance(value, Array) and self.takes_table(value):
            self._html.append(_render_table(value) + end)
        elif isinstance(value, Array | Object) and not _fits_in_line(value):
            self.open_list(value, "", unfolded=unfolded, end=end)
        else:
            self._html.append(_render_scalar(value) + end)

    def takes_table(self, value: Array) -> bool:
        """Return whether to show `value` as a table, and take the room for it."""
        cells = count_cells(value)
        if not 0 < cells <= self._left:
            return False
        self._left -= cells
        return True

    def parse_string(self, value: Value) -> Array | Object | None:
        """Parse the object or array in a string that contains JSON, unless it is a short one."""
        if not isinstance(value, String) or not 8 < value.length < self._may_unfold:
            return None
        text = value.text.strip()
        if text[:1] + text[-1:] not in ("{}", "[]"):
            return None
        self._may_unfold -= len(text)
        inner = _parse_documents(text)
        if not isinstance(inner, Array | Object):
            return None
        # Short arrays in strings are mostly not meant as JSON: patterns, indexes.
        return inner if not _fits_in_line(inner) or write_readable(text) != text else None

    def open_list(self, value: Array | Object, prefix: str, *, unfolded: int, end: str) -> None:
        if len(self._open) >= self._levels:
            note = f"nested deeper than {self._levels} levels: {prefix}as text"
            self._html.append(_render_as_text(note, value.source) + end)
            return
        children: Sequence[_Child]
        if isinstance(value, Object):
            children, size = value.members, count(len(value.members), "member")
            start, close = '<dl class="tree">', "</dl>"
        else:
            children, size = value.items, count(len(value.items), "item")
            start, close = '<ol class="tree" start="0">', "</ol>"
        is_object_in_array = isinstance(value, Object) and end == _ITEM_END
        if prefix or (self._open and not is_object_in_array):
            start = f'<details open><summary class="tree-size">{prefix}{size}</summary>{start}'
            close += "</details>"
        self._html.append(start)
        self._open.append(_OpenList(children, close + end, unfolded))

    def write_rest(self, current: _OpenList) -> None:
        """Write the children for which there is no room, as one text."""
        rest = current.children[current.at :]
        current.at = len(current.children)
        first, last = rest[0], rest[-1]
        begin = first.name if isinstance(first, Member) else first
        end = last.value.end if isinstance(last, Member) else last.end
        text = _render_as_text(f"{len(rest):,} more, as text", begin.document[begin.start : end])
        if isinstance(first, Member):
            self._html.append(f"<div><dt>…</dt> <dd>{text}</dd></div>")
        else:
            self._html.append(f"<li>{text}</li>")


def _parse_documents(text: str) -> Value | None:
    """Parse one document, or several as one array, such as JSON Lines."""
    with suppress(NotJson):
        return parse(text)
    joined = join_documents(text)
    with suppress(NotJson):
        return parse(joined) if joined else None
    return None


def count_cells(value: Array) -> int:
    """Count the values that a table of the items has; 0 unless they are alike, and all short."""
    if len(value.items) < 2 or not isinstance(value.items[0], Object):
        return 0
    columns = [name.source for name in (one.name for one in value.items[0].members)]
    if not 2 <= len(columns) <= _MAX_COLUMNS:
        return 0
    for item in value.items:
        if not isinstance(item, Object) or len(item.members) != len(columns):
            return 0
        for member, column in zip(item.members, columns, strict=True):
            if member.name.source != column or not _fits_in_line(member.value):
                return 0
    return len(columns) * len(value.items)


def _render_table(value: Array) -> str:
    """Render objects with the same names as a table with a row for each."""
    rows = [item.members for item in value.items if isinstance(item, Object)]
    head = "".join(f'<th scope="col">{_render_name(member)}</th>' for member in rows[0])
    cells = (
        "".join(f"<td>{_render_scalar(one.value, most=_WORD_IN_TABLE)}</td>" for one in row)
        for row in rows
    )
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return (
        f'<p class="tree-size">{count(len(rows), "item")}</p><div class="wide" tabindex="0">'
        f'<table class="values"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _render_name(member: Member) -> Markup:
    """Render a name, without quotes if it is as clear without them."""
    name = write_readable(member.name.source)
    if _PLAIN_NAME.fullmatch(name, 1, len(name) - 1):
        name = name[1:-1]
    return reveal_invisible(name)


def _is_short(value: String) -> bool:
    if value.length > MAX_SHORT * 6 or _INNER_ESCAPE.search(value.source):
        return False
    text = value.text
    return len(text) <= MAX_SHORT and not _BREAKS.search(text) and "\x1b" not in text


def _fits_in_line(value: Value) -> bool:
    """Return whether `value` is a short scalar, a short array of them, or empty."""
    if isinstance(value, Object):
        return not value.members
    if not isinstance(value, Array):
        return is_readable_in_line(value)
    if len(value.items) > MAX_SHORT // 2 or value.length > 6 * MAX_SHORT:
        return not value.items
    return (
        all(is_readable_in_line(item) for item in value.items)
        and sum(item.length + 2 for item in value.items) <= MAX_SHORT
    )


def _render_scalar(value: Value, *, most: int = _WORD) -> str:
    """Render a scalar, or a list that fits in one line.

    Identifiers of up to `most` characters are marked, so that no line breaks at their hyphens.
    """
    if isinstance(value, String) and not _is_short(value):
        text = value.text
        html = render_ansi(text).html if has_sequences(text) else render_exact(text)
        scrolls = ' tabindex="0"' if len(text) > _TALL else ""
        return f'<pre class="tree-text" dir="auto"{scrolls}>{html}</pre>'
    if isinstance(value, Array):
        return f"<code>[{', '.join(_render_item(item, most) for item in value.items)}]</code>"
    if isinstance(value, Object):
        return "<code>{}</code>"
    kind = f"tree-{get_type(value)}{' whole' if _is_identifier(value, most) else ''}"
    return f'<code class="{kind}">{reveal_invisible(_write_scalar(value))}</code>'


def _render_item(item: Value, most: int) -> str:
    text = reveal_invisible(_write_scalar(item))
    return f'<span class="whole">{text}</span>' if _is_identifier(item, most) else text


def _is_identifier(value: Value, most: int) -> bool:
    """Return whether `value` is one word with a hyphen, at which a line could break."""
    return isinstance(value, String) and bool(
        value.length <= most + len('""') and _HYPHENED.fullmatch(value.source, 1, value.length - 1)
    )


def get_type(value: Value) -> str:
    """Return the type of a scalar, which its colour shows: string, number or constant."""
    if isinstance(value, String):
        return "string"
    return "number" if isinstance(value, Number) else "constant"


def _write_scalar(value: Value) -> str:
    return write_readable(value.source) if isinstance(value, String) else value.source


def _render_as_text(note: str, source: str) -> str:
    pre = f'<pre class="json" tabindex="0">{render_exact(source)}</pre>'
    return f'<p class="quiet-note">{note}</p>{pre}'
