"""Text that is something else as a whole: JSON, XML, a table, or the output of a terminal.

What a text is, is decided once, and conservatively: what might be prose stays prose. Each kind
has a readable view; the text itself always stands beside it.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from markupsafe import Markup

from webapp.config import Budgets
from webapp.exact_json import Array, Boolean, NotJson, Null, Object, String, Value, parse
from webapp.messages import Message
from webapp.rendering.structured.ansi import has_sequences, render_ansi
from webapp.rendering.structured.csv_table import render_csv_table
from webapp.rendering.structured.json_tree import render_json_tree
from webapp.rendering.structured.xml_view import render_xml

Kind: TypeAlias = Literal["json", "xml", "csv", "ansi", "plain"]

PAGE_SHARE: Final = 10
"""How many texts of the largest size one page may have read as structures."""

_TIME_SHARE: Final = 0.4
"""Of the time that a page may spend on rendering texts, what may go into reading JSON."""

_NOT_LAID_OUT: Final = "Shown as it is: it is too long to be laid out here."
_MARKED_ROLES: Final = ("system", "developer", "assistant")
_ERROR: Final = re.compile(
    r"\s*(?:Traceback \(most recent call last\)|(?:[A-Za-z_][\w.]{0,80})?(?:Error|Exception)\b"
    r"(?:\s*:|\s*\Z|\s+in\b|\s+at\b)|(?:ERROR|error|fatal|FATAL|panic)\s*:)"
)


class TooLong(Exception):
    """The page has no time left to read a text as a structure."""


@dataclass(slots=True)
class StructureBudget:
    """What may be read as structures on one page: bytes of one text, bytes and time of all."""

    budgets: Budgets = field(default_factory=Budgets)
    _taken: int = 0
    _seconds: float = 0.0

    def allows(self, text: str) -> bool:
        """Whether there is room for `text`; takes it if so."""
        most = self.budgets.text_bytes
        size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if size > min(most, most * PAGE_SHARE - self._taken):
            return False
        self._taken += size
        return True

    def read(self, text: str) -> Value:
        """The JSON value of `text`. Raises `NotJson`; `TooLong`, since brackets take long."""
        begin = time.thread_time()
        until = begin - self._seconds + self.budgets.seconds * _TIME_SHARE

        def check() -> None:
            if time.thread_time() > until:
                raise TooLong

        try:
            return parse(text, check=check)
        finally:
            self._seconds += time.thread_time() - begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """What a text is; `view` shows that, `note` says what the view leaves to the source.

    `is_error` tells that a tool's result clearly reports an error.
    """

    kind: Kind = "plain"
    view: Markup = Markup("")
    note: str | None = None
    is_error: bool = False


def detect_structure(text: str, *, message: Message, budget: StructureBudget) -> Structure:
    """What `text`, a part of `message`, is as a whole."""
    says_error = message.is_tool_result and (_flagged(message) or _ERROR.match(text) is not None)
    looks_like = _candidate(text, message)
    if looks_like is None:
        return Structure(is_error=says_error)
    if not budget.allows(text):
        return Structure(note=_NOT_LAID_OUT, is_error=says_error)
    if looks_like == "json":
        try:
            value = _json(text, budget)
        except TooLong:
            return Structure(note=_NOT_LAID_OUT, is_error=says_error)
        if value is not None:
            is_error = says_error or (message.is_tool_result and _reports_error(value))
            return Structure(
                kind="json", view=render_json_tree(value, budgets=budget.budgets), is_error=is_error
            )
        looks_like = "ansi" if has_sequences(text) else "plain"
    return _other(text, message, looks_like, says_error, rows=budget.budgets.rows)


def _candidate(text: str, message: Message) -> Kind | None:
    """What `text` may be by its first characters; None when it is nothing but text."""
    first = text.lstrip(" \t\r\n")[:2]
    if first[:1] in ("{", "[") or (message.is_tool_result and first in ('"{', '"[')):
        return "json"
    if message.is_tool_result and ("\x1b" in text or "\x9b" in text):
        return "ansi" if has_sequences(text) else None
    if message.role in ("system", "developer"):
        return None
    if first[:1] == "<":
        return "xml"
    return "csv" if "\n" in text and "\x1b" not in text else None


def _other(text: str, message: Message, kind: Kind, is_error: bool, *, rows: int) -> Structure:
    if kind == "xml":
        xml = render_xml(text, may_be_prose=not message.is_tool_result)
        if xml is not None:
            view = Markup('<pre class="json xml" tabindex="0">{}</pre>').format(xml)
            return Structure(kind="xml", view=view, is_error=is_error)
    if kind == "csv":
        table = render_csv_table(text, max_rows=rows)
        if table is not None:
            left = table.rows - table.shown
            rows_stand = "row stands" if left == 1 else "rows stand"
            note = f"{left:,} more {rows_stand} in the source." if left else None
            return Structure(kind="csv", view=table.html, note=note, is_error=is_error)
    if kind == "ansi":
        return _terminal(text, is_error)
    return Structure(is_error=is_error)


def _terminal(text: str, is_error: bool) -> Structure:
    shown = render_ansi(text)
    notes = []
    if shown.left_out:
        count = f"{shown.left_out:,} control sequence{'s' if shown.left_out != 1 else ''}"
        notes.append(f"{count} of the terminal not shown here; the source has them.")
    if not shown.has_all_colours:
        notes.append("The colours change too often; the rest stands without them.")
    view = Markup('<pre class="json ansi" tabindex="0">{}</pre>').format(shown.html)
    return Structure(kind="ansi", view=view, note=" ".join(notes) or None, is_error=is_error)


def _json(text: str, budget: StructureBudget) -> Value | None:
    """The value of `text` when it is one with something in it to lay out. Raises `TooLong`."""
    try:
        value = budget.read(text)
    except NotJson:
        return None
    if not isinstance(value, String):
        return value
    try:
        return value if isinstance(budget.read(value.text), Object | Array) else None
    except NotJson:
        return None


def _flagged(message: Message) -> bool:
    """Whether the message itself says that its result is an error."""
    json = message.json
    return isinstance(json, Object) and json.boolean("is_error") is True


def _reports_error(value: Value) -> bool:
    if not isinstance(value, Object):
        return False
    if value.boolean("isError") or value.boolean("is_error") or value.text("status") == "error":
        return True
    error = value.get("error")
    if error is None or isinstance(error, Null):
        return False
    if isinstance(error, Boolean):
        return error.value
    return error.source not in ('""', "{}", "[]", "0")
