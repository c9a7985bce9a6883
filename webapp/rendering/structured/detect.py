"""Detect texts that are JSON, XML, a table, a diff or terminal output as a whole, and render them.

The decision is made once for a text, and conservatively: a text that may be prose stays prose.
Each view is shown beside the text itself. Patches have removed and added lines in two colours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import Final, Literal, TypeAlias

from markupsafe import Markup

from webapp.exact_json import Array, Boolean, NotJson, Null, Object, String, Value
from webapp.formatting import count
from webapp.messages import ERROR_FLAGS, Message
from webapp.rendering.structured.ansi import has_sequences, render_ansi
from webapp.rendering.structured.budget import StructureBudget, TooLong
from webapp.rendering.structured.csv_table import render_csv_table
from webapp.rendering.structured.json_tree import join_documents, render_json_tree
from webapp.rendering.structured.lexemes import write_readable
from webapp.rendering.structured.xml_view import render_xml
from webapp.rendering.text.invisible import describe_blank, reveal_invisible

_START: Final = re.compile(
    r"\s{0,80}(?:\*\*\* Begin Patch|diff --git |--- [^\n]{1,400}\n\+\+\+ |@@ )"
)
_COMMIT: Final = re.compile(r"commit [0-9a-f]{7,64}\b")
_HEADINGS: Final = ("@@", "***", "diff ", "index ", "--- ", "+++ ")

Kind: TypeAlias = Literal["json", "xml", "csv", "ansi", "diff", "code", "hits", "output", "plain"]

_TOO_LONG: Final = "Shown as it is: it is too long to be laid out here."
_ERROR: Final = re.compile(
    r"\s*(?:Traceback \(most recent call last\)|(?:[A-Za-z_][\w.]{0,80})?(?:Error|Exception)\b"
    r"(?:\s*:|\s*\Z|\s+in\b|\s+at\b)|(?:ERROR|error|fatal|FATAL|panic)\s*:)"
)

_STRING: Final = re.compile(r'(?s)[ \t\r\n\x1e]*"(?:[^"\\]|\\.|(?!))*+"\s*')

_MOST_READ: Final = 20_000
"""Characters of a text in which signs of a program's output are looked for."""
_LEAST_SIGNS: Final = 2
_SIGN: Final = re.compile(
    r"^(?:={5,} .{1,200} ={5,}|_{5,} .{1,200} _{5,}|(?:_ ){10,}_?|-{5,} .{1,200} -{5,}"
    r"|E {3,11}\S.*|platform \w{1,20} -- Python .*|Traceback \(most recent call last\):"
    r"|(?:FAILED|ERROR|PASSED) \S+::\S.*|\S{1,300}\.py:\d{1,7}: \w{0,80}"
    r"|\S{1,300}\.\w{1,5}:\d{1,7}:(?:\d{1,7}:)? .*|  File \".{1,300}\", line \d{1,7}.*"
    r"|    at \S.{0,300}:\d{1,7}(?::\d{1,7})?\)?|npm (?:ERR!|error) .*)\r?$",
    re.MULTILINE,
)
_MARKDOWN: Final = re.compile(
    r"^ {0,3}(?:#{1,6} \S|```|~~~|[*+-] {1,3}\S.*\n {0,3}[*+-] {1,3}\S"
    r"|\d{1,3}\. {1,3}\S.*\n {0,3}\d{1,3}\. )|\*\*\S.{0,200}?\*\*|\]\(https?:",
    re.MULTILINE,
)


def is_patch(text: str) -> bool:
    """Return whether `text` begins as a patch."""
    return _START.match(text) is not None


def is_shown_change(text: str) -> bool:
    """Return whether `text` is a patch, or a commit with its changes as `git show` prints it."""
    return is_patch(text) or (_COMMIT.match(text) is not None and "\ndiff --git " in text)


def colour_patch(text: str) -> Markup:
    """Give each run of removed, added or heading lines of `text` a class."""
    runs: list[Markup] = []
    for kind, lines in groupby(text.split("\n"), key=_find_line_kind):
        html = reveal_invisible("\n".join(lines))
        runs.append(Markup('<span class="{}">{}</span>').format(kind, html) if kind else html)
    return Markup("\n").join(runs)


def _find_line_kind(line: str) -> str:
    if line.startswith(_HEADINGS):
        return "code-heading"
    return {"+": "code-inserted", "-": "code-deleted"}.get(line[:1], "")


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
    is_flagged = message.error_flag is not None
    is_error = message.is_tool_result and (is_flagged or _ERROR.match(text) is not None)
    if message.is_tool_result and (blank := describe_blank(text)):
        return Structure(note=blank, is_error=is_error)
    kind = _guess_kind(text, message)
    if kind == "plain":
        return Structure(is_error=is_error)
    if not budget.allows(text):
        return Structure(note=_TOO_LONG, is_error=is_error)
    if kind == "json":
        try:
            found = _detect_json(text, message, budget)
        except TooLong:
            return Structure(note=_TOO_LONG, is_error=is_error)
        if found is not None:
            return replace(found, is_error=found.is_error or is_error)
        kind = "ansi" if has_sequences(text) else "plain"
    may_be_prose = not message.is_tool_result
    found = _render(text, kind, may_be_prose=may_be_prose, max_rows=budget.budgets.rows)
    return replace(found, is_error=is_error)


def _detect_json(text: str, message: Message, budget: StructureBudget) -> Structure | None:
    """Return the structure of one JSON value, or of several documents one after the other."""
    try:
        value = budget.parse(text)
    except NotJson:
        return _detect_documents(text, message, budget)
    # A string is worth decoding if it contains JSON or escapes of readable characters.
    if isinstance(value, String) and write_readable(value.source) == value.source:
        try:
            if not isinstance(budget.parse(value.text), Object | Array):
                return None
        except NotJson:
            return _detect_documents(value.text, message, budget)
    is_error = message.is_tool_result and _reports_error(value)
    view = render_json_tree(value, budgets=budget.budgets)
    return Structure(kind="json", view=view, is_error=is_error)


def _detect_documents(text: str, message: Message, budget: StructureBudget) -> Structure | None:
    if not message.is_tool_result and text.lstrip().startswith("["):
        return None  # Numbers in brackets may be prose.
    joined = join_documents(text)
    try:
        documents = budget.parse(joined) if joined else None
    except NotJson:
        return None
    if not isinstance(documents, Array):
        return None
    return Structure(
        kind="json",
        view=render_json_tree(documents, budgets=budget.budgets),
        note=f"{count(len(documents.items), 'JSON document')}, one after the other.",
        is_error=message.is_tool_result and any(map(_reports_error, documents.items)),
    )


def _guess_kind(text: str, message: Message) -> Kind:
    """Guess the kind of `text` by its first characters."""
    first = text.lstrip(" \t\r\n\x1e")[:2]
    if first[:1] in ("{", "["):
        return "json"
    if first[:1] == '"' and _may_be_string(text, first[1:], message):
        return "json"
    if message.is_tool_result and ("\x1b" in text or "\x9b" in text):
        return "ansi" if has_sequences(text) else "plain"
    if message.role in ("system", "developer"):
        return "plain"
    if message.is_tool_result and is_shown_change(text):
        return "diff"
    if not message.is_tool_result and _is_program_output(text):
        return "output"
    if first[:1] == "<":
        return "xml"
    return "csv" if "\n" in text and "\x1b" not in text else "plain"


def _is_program_output(text: str) -> bool:
    """Return whether `text` has lines that programs print, and nothing that Markdown would set.

    Of a test run or a traceback, rulers would be headings, and columns would be lost.
    """
    read = text[:_MOST_READ]
    if "\n" not in read or _MARKDOWN.search(read):
        return False
    signs = islice(_SIGN.finditer(read), _LEAST_SIGNS)
    return len(list(signs)) == _LEAST_SIGNS


def _may_be_string(text: str, second: str, message: Message) -> bool:
    """Return whether a text that begins with a quote may be a JSON string, rather than quoted."""
    has_escapes = "\\u" in text
    if message.is_tool_result:
        return has_escapes or second in ("{", "[")
    # Between the cells of a table are quotes that end a string.
    return has_escapes and _STRING.fullmatch(text) is not None


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
    if kind == "output":
        view = Markup('<pre class="json" tabindex="0">\n{}</pre>').format(reveal_invisible(text))
        return Structure(kind="output", view=view)
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
    if any(map(value.boolean, ERROR_FLAGS)) or value.text("status") == "error":
        return True
    error = value.get("error")
    if error is None or isinstance(error, Null):
        return False
    if isinstance(error, Boolean):
        return error.value
    return error.source not in ('""', "{}", "[]", "0")
