"""JSON as a readable tree: nested lists of names and values.

Numbers, names and short strings stand as they were written; long strings, and those with line
breaks, are shown as the text they mean. A string that holds JSON is unfolded in place. Lists
are nested to a level and a number of values; what lies beyond stands there as its exact text.
The walk is iterative and every character is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from markupsafe import Markup, escape

from webapp.config import Budgets
from webapp.exact_json import Array, Member, NotJson, Object, String, Value, parse
from webapp.rendering.structured.ansi import has_sequences, render_ansi
from webapp.rendering.text.exact import render_exact
from webapp.rendering.text.invisible import reveal_invisible

MAX_SHORT: Final = 80
"""Characters of a string, or of a list of scalars, that stand on one line as written."""

_MAX_UNFOLDED: Final = 3
_UNFOLDED_SIZE: Final = 200_000
_ITEM_END: Final = "</li>"
_TALL: Final = 4_000
_PLAIN_NAME: Final = re.compile(r"[\w$@#.*/:+()\[\]-]+")
_BREAKS: Final = re.compile("[\n\r\x0b\x0c\x85\u2028\u2029]")

_Child: TypeAlias = "Member | Value"


@dataclass(slots=True)
class _Open:
    """A list that is being written: its children, how far it got, and what ends it."""

    children: Sequence[_Child]
    end: str
    unfolded: int
    at: int = 0


def render_json_tree(value: Value, *, budgets: Budgets | None = None) -> Markup:
    """`value` as nested lists, as far as `budgets` allow; a scalar stands for itself."""
    return _Tree(budgets or Budgets()).written(value)


def is_readable_in_line(value: Value) -> bool:
    """Whether `value` is a scalar that stands on one line as it was written."""
    if isinstance(value, String):
        return _is_short(value)
    return not isinstance(value, Array | Object)


def _is_short(value: String) -> bool:
    if value.end - value.start > MAX_SHORT * 6:
        return False
    text = value.text
    return len(text) <= MAX_SHORT and not _BREAKS.search(text) and "\x1b" not in text


class _Tree:
    """Writes one tree; `_open` is the stack of lists around the current place."""

    def __init__(self, budgets: Budgets) -> None:
        self._left = budgets.values
        self._levels = budgets.tree_levels
        self._may_unfold = _UNFOLDED_SIZE
        self._out: list[str] = []
        self._open: list[_Open] = []

    def written(self, root: Value) -> Markup:
        self._value(root, unfolded=0)
        while self._open:
            self._step(self._open[-1])
        return Markup("".join(self._out))

    def _step(self, current: _Open) -> None:
        """Writes the next child of the innermost list, or its end."""
        if current.at == len(current.children):
            self._out.append(current.end)
            self._open.pop()
        elif self._left <= 0:
            self._rest(current)
        else:
            self._child(current)

    def _child(self, current: _Open) -> None:
        child = current.children[current.at]
        current.at += 1
        self._left -= 1
        if isinstance(child, Member):
            self._out.append(f"<div><dt>{_name(child.name)}</dt> <dd>")
            self._value(child.value, unfolded=current.unfolded, end="</dd></div>")
        else:
            self._out.append("<li>")
            self._value(child, unfolded=current.unfolded, end=_ITEM_END)

    def _value(self, value: Value, *, unfolded: int, end: str = "") -> None:
        """Writes a value and `end`; of a list with something in it only the beginning."""
        held = self._held(value) if unfolded < _MAX_UNFOLDED else None
        if held is not None:
            self._list(held, "JSON in a string, ", unfolded=unfolded + 1, end=end)
        elif isinstance(value, Array | Object) and not _stands_in_line(value):
            self._list(value, "", unfolded=unfolded, end=end)
        else:
            self._out.append(_scalar(value) + end)

    def _held(self, value: Value) -> Array | Object | None:
        """The object or array that a string holds as JSON, if there is something in it."""
        if not isinstance(value, String) or not 8 < value.end - value.start < self._may_unfold:
            return None
        text = value.text.strip()
        if text[:1] + text[-1:] not in ("{}", "[]"):
            return None
        self._may_unfold -= len(text)
        try:
            held = parse(text)
        except NotJson:
            return None
        # Short arrays in strings are mostly no JSON for anybody: patterns, indexes.
        return held if isinstance(held, Array | Object) and not _stands_in_line(held) else None

    def _list(self, value: Array | Object, word: str, *, unfolded: int, end: str) -> None:
        if len(self._open) >= self._levels:
            note = f"nested deeper than {self._levels} levels: {word}as text"
            self._out.append(_as_text(note, value.source) + end)
            return
        children, start, close, size = _list_of(value)
        item = isinstance(value, Object) and end == _ITEM_END
        if word or (self._open and not item):
            start = f'<details open><summary class="tree-size">{word}{size}</summary>{start}'
            close += "</details>"
        self._out.append(start)
        self._open.append(_Open(children, close + end, unfolded))

    def _rest(self, current: _Open) -> None:
        """All that has no room any more, as one text."""
        rest = current.children[current.at :]
        current.at = len(current.children)
        first, last = rest[0], rest[-1]
        start = first.name.start if isinstance(first, Member) else first.start
        end = last.value.end if isinstance(last, Member) else last.end
        document = first.name.document if isinstance(first, Member) else first.document
        text = _as_text(f"{len(rest):,} more, as text", document[start:end])
        if isinstance(first, Member):
            self._out.append(f"<div><dt>…</dt> <dd>{text}</dd></div>")
        else:
            self._out.append(f"<li>{text}</li>")


def _list_of(value: Array | Object) -> tuple[Sequence[_Child], str, str, str]:
    """What is in it, the tags around that, and its size in words."""
    if isinstance(value, Object):
        count = len(value.members)
        size = f"{count:,} member{'s' if count != 1 else ''}"
        return value.members, '<dl class="tree">', "</dl>", size
    count = len(value.items)
    size = f"{count:,} item{'s' if count != 1 else ''}"
    return value.items, '<ol class="tree" start="0">', "</ol>", size


def _stands_in_line(value: Array | Object) -> bool:
    """Whether it is empty, or a short array of scalars."""
    if isinstance(value, Object):
        return not value.members
    if len(value.items) > MAX_SHORT // 2 or value.end - value.start > 6 * MAX_SHORT:
        return not value.items
    return (
        all(is_readable_in_line(item) for item in value.items)
        and sum(item.end - item.start + 2 for item in value.items) <= MAX_SHORT
    )


def _scalar(value: Value) -> str:
    """A scalar, or a list that stands on one line."""
    if isinstance(value, String) and not _is_short(value):
        return _long_string(value.text)
    if isinstance(value, Array):
        return f"<code>[{escape(', '.join(item.source for item in value.items))}]</code>"
    if isinstance(value, Object):
        return "<code>{}</code>"
    kind = ' class="tree-string"' if isinstance(value, String) else ""
    return f"<code{kind}>{reveal_invisible(value.source)}</code>"


def _long_string(text: str) -> str:
    shown = render_ansi(text).html if has_sequences(text) else "\n" + reveal_invisible(text)
    tall = ' tabindex="0"' if len(text) > _TALL else ""
    return f'<pre class="tree-text" dir="auto"{tall}>{shown}</pre>'


def _as_text(note: str, source: str) -> str:
    pre = f'<pre class="json" tabindex="0">{render_exact(source)}</pre>'
    return f'<p class="quiet-note">{note}</p>{pre}'


def _name(name: String) -> str:
    """A name without its quotes where nothing is unclear about it."""
    written = name.source
    bare = _PLAIN_NAME.fullmatch(written, 1, len(written) - 1)
    return reveal_invisible(written[1:-1] if bare else written)
