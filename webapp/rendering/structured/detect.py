"""Detect texts that are JSON, XML, a table, a diff or terminal output as a whole, and render them.

The decision is made once for a text, and conservatively: a text that may be prose stays prose.
Each view is shown beside the text itself.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

from markupsafe import Markup

from webapp.config import Budgets
from webapp.exact_json import Array, Boolean, NotJson, Null, Object, String, Value, parse
from webapp.formatting import count
from webapp.messages import Message
from webapp.rendering.markdown.code import LANGUAGES, highlight
from webapp.rendering.markdown.context import CODE_SECONDS
from webapp.rendering.structured.ansi import has_sequences, render_ansi
from webapp.rendering.structured.csv_table import render_csv_table
from webapp.rendering.structured.json_tree import render_json_tree
from webapp.rendering.structured.lexemes import write_readable
from webapp.rendering.structured.patch import colour_patch, is_shown_change
from webapp.rendering.structured.xml_view import render_xml
from webapp.rendering.text.invisible import describe_blank, find_invisible, reveal_invisible
from webapp.rendering.text.slices import count_bytes

Kind: TypeAlias = Literal["json", "xml", "csv", "ansi", "diff", "code", "hits", "plain"]

PAGE_SHARE: Final = 10
"""Texts of the largest size that are parsed for one page."""

_TIME_SHARE: Final = 0.4
"""The share of a page's time for rendering texts that may go into parsing JSON."""

_TOO_LONG: Final = "Shown as it is: it is too long to be laid out here."
_ERROR: Final = re.compile(
    r"\s*(?:Traceback \(most recent call last\)|(?:[A-Za-z_][\w.]{0,80})?(?:Error|Exception)\b"
    r"(?:\s*:|\s*\Z|\s+in\b|\s+at\b)|(?:ERROR|error|fatal|FATAL|panic)\s*:)"
)


class TooLong(Exception):
    """The page has no time left to parse a text."""


@dataclass(slots=True)
class StructureBudget:
    """Limit the parsing of structures on `pages` pages: bytes of a text, bytes and time of all."""

    budgets: Budgets = field(default_factory=Budgets)
    pages: int = 1
    _taken: int = 0
    _seconds: float = 0.0

    @property
    def spent(self) -> tuple[int]:
        """The bytes taken so far."""
        return (self._taken,)

    def can_spend(self, size: int) -> bool:
        """Return whether half of the bytes and of the time would be left with `size` more."""
        most = self.budgets.text_bytes * PAGE_SHARE * self.pages
        seconds = self.budgets.seconds * self.pages * _TIME_SHARE
        return 2 * (self._taken + size) <= most and 2 * self._seconds <= seconds

    def spend(self, size: int) -> None:
        self._taken += size

    def allows(self, text: str) -> bool:
        """Take room for `text`, and return whether there was enough."""
        most = self.budgets.text_bytes
        size = count_bytes(text)
        if size > min(most, most * PAGE_SHARE * self.pages - self._taken):
            return False
        self._taken += size
        return True

    def parse(self, text: str) -> Value:
        """Parse the JSON value of `text`.

        Raise `NotJson` if it is not JSON, and `TooLong` if the time is up: brackets take long.
        """
        begin = time.thread_time()
        until = begin - self._seconds + self.budgets.seconds * self.pages * _TIME_SHARE

        def check() -> None:
            if time.thread_time() > until:
                raise TooLong

        try:
            return parse(text, check=check)
        finally:
            self._seconds += time.thread_time() - begin

    def colour(self, code: str, language: str | None) -> Markup:
        """Colour `code` as `language`, or leave it as it is if the colours cost too much.

        Invisible characters are marked, and then nothing is coloured.
        """
        most = 0 if language is None else LANGUAGES[language].max_length
        if language and len(code) <= most and count_bytes(code) <= self.budgets.code_bytes:
            begin = time.thread_time()
            left = self.budgets.seconds * self.pages * _TIME_SHARE - self._seconds
            if not find_invisible(code):
                coloured = highlight(code, language, until=begin + min(left, CODE_SECONDS))
                self._seconds += time.thread_time() - begin
                if coloured is not None:
                    return coloured
        return reveal_invisible(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """The kind of a text and its `view`; `note` names the rest, which only the source shows.

    `is_error` is set if a tool's result clearly reports an error.
    """

    kind: Kind = "plain"
    view: Markup = Markup("")
    note: str | None = None
    is_error: bool = False


def detect_structure(text: str, *, message: Message, budget: StructureBudget) -> Structure:
    """Detect the structure of `text`, a part of `message`; a text that may be prose is plain."""
    is_flagged = isinstance(message.json, Object) and message.json.boolean("is_error") is True
    is_error = message.is_tool_result and (is_flagged or _ERROR.match(text) is not None)
    if message.is_tool_result and (blank := describe_blank(text)):
        return Structure(note=blank)
    kind = _guess_kind(text, message)
    if kind == "plain":
        return Structure(is_error=is_error)
    if not budget.allows(text):
        return Structure(note=_TOO_LONG, is_error=is_error)
    if kind == "json":
        try:
            value = budget.parse(text)
            # A string is worth decoding if it contains JSON or escapes of readable characters.
            if (
                not isinstance(value, String)
                or write_readable(value.source) != value.source
                or isinstance(budget.parse(value.text), Object | Array)
            ):
                is_error = is_error or (message.is_tool_result and _reports_error(value))
                view = render_json_tree(value, budgets=budget.budgets)
                return Structure(kind="json", view=view, is_error=is_error)
        except TooLong:
            return Structure(note=_TOO_LONG, is_error=is_error)
        except NotJson:
            pass
        kind = "ansi" if has_sequences(text) else "plain"
    may_be_prose = not message.is_tool_result
    found = _render(text, kind, may_be_prose=may_be_prose, max_rows=budget.budgets.rows)
    return replace(found, is_error=is_error)


def _guess_kind(text: str, message: Message) -> Kind:
    """Guess the kind of `text` by its first characters."""
    first = text.lstrip(" \t\r\n")[:2]
    if first[:1] in ("{", "["):
        return "json"
    if message.is_tool_result and first[:1] == '"' and (first[1:] in ("{", "[") or "\\u" in text):
        return "json"
    if message.is_tool_result and ("\x1b" in text or "\x9b" in text):
        return "ansi" if has_sequences(text) else "plain"
    if message.role in ("system", "developer"):
        return "plain"
    if message.is_tool_result and is_shown_change(text):
        return "diff"
    if first[:1] == "<":
        return "xml"
    return "csv" if "\n" in text and "\x1b" not in text else "plain"


def _render(text: str, kind: Kind, *, may_be_prose: bool, max_rows: int) -> Structure:
    """Render `text` as a structure of `kind`, or plain if it does not have that."""
    if kind == "xml" and (xml := render_xml(text, may_be_prose=may_be_prose)) is not None:
        view = Markup('<pre class="json xml" tabindex="0">{}</pre>').format(xml)
        return Structure(kind="xml", view=view)
    if kind == "csv" and (table := render_csv_table(text, max_rows=max_rows)) is not None:
        left = table.rows - table.shown
        are = "row is" if left == 1 else "rows are"
        note = f"{left:,} more {are} in the source." if left else None
        return Structure(kind="csv", view=table.html, note=note)
    if kind == "diff":
        view = Markup('<pre class="json shape" data-shape="diff" tabindex="0">\n{}</pre>')
        return Structure(kind="diff", view=view.format(colour_patch(text)))
    if kind == "ansi":
        ansi = render_ansi(text)
        notes = []
        if ansi.left_out:
            sequences = count(ansi.left_out, "control sequence")
            notes.append(f"{sequences} of the terminal not shown here; the source has them.")
        if not ansi.has_all_colours:
            notes.append("The colours change too often; the rest is not coloured.")
        view = Markup('<pre class="json ansi" tabindex="0">{}</pre>').format(ansi.html)
        return Structure(kind="ansi", view=view, note=" ".join(notes) or None)
    return Structure()


def _reports_error(value: Value) -> bool:
    """Return whether a JSON object has a member that says that something failed."""
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
