"""Render the arguments of a call in their own form: a command, a file, a replacement, SQL.

A shape is found by the names of the arguments and by the text, never by a guess alone. It shows
whole arguments and names those it shows; the page shows the others as before. Each is one pass over
the text; colours are left out where they would cost too much, or where characters are invisible.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from webapp.exact_json import Array, Member, String
from webapp.rendering.markdown.code import find_language
from webapp.rendering.structured.budget import StructureBudget
from webapp.rendering.structured.detect import colour_patch, is_patch
from webapp.rendering.text.invisible import reveal_invisible

_COMMANDS: Final = ("command", "cmd", "bash_command", "shell_command")
_SHELLS: Final = frozenset({"bash", "sh", "zsh"})
PATHS: Final = (
    *("path", "file_path", "filepath", "filePath", "filename", "file_name", "file"),
    *("target_file", "absolute_path"),
)
"""Arguments that name a file."""

_CONTENTS: Final = ("content", "contents", "file_text", "text", "code")
_REPLACEMENTS: Final = (
    ("old_str", "new_str"),
    ("old_string", "new_string"),
    ("search", "replace"),
    ("old_text", "new_text"),
    ("oldString", "newString"),
    ("oldText", "newText"),
)
_FILE_REPLACEMENTS: Final = (
    ("old", "new"),
    ("find", "replace"),
    ("original", "replacement"),
    ("old_content", "new_content"),
    ("old_code", "new_code"),
)
"""Names of two texts that are those of a replacement beside the path of a file."""

_PATCHES: Final = ("patch", "diff", "input")
_SQL: Final = re.compile(
    r"\s{0,80}(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|CREATE|ALTER TABLE|EXPLAIN|PRAGMA)\s",
    re.IGNORECASE,
)
_QUERIES: Final = ("sql", "query", "statement", "sql_query")


@dataclass(frozen=True, slots=True)
class Shape:
    """The `names` of the arguments that `view` shows."""

    names: frozenset[str]
    view: Markup


def find_shape(members: Sequence[Member], *, tool: str, budget: StructureBudget) -> Shape | None:
    """Find the shape of the arguments of `tool`; None if they have none that is known."""
    names = [member.name.text for member in members]
    if len(set(names)) < len(names) or len(names) > 40:
        return None
    texts = {one.name.text: one.value.text for one in members if isinstance(one.value, String)}
    path = next((name for name in PATHS if texts.get(name, "").strip()), None)
    for old, new in _REPLACEMENTS if path is None else _REPLACEMENTS + _FILE_REPLACEMENTS:
        if old in texts and new in texts:
            replaced, by = texts[old], texts[new]
            if replaced[1:].endswith("\n") and by[1:].endswith("\n"):
                # The end of the last line is no line of its own.
                replaced, by = replaced[:-1], by[:-1]
            lines = _mark(replaced, "-") + _mark(by, "+")
            return _build((old, new), lines, "diff", path=path, texts=texts)
    for name in _PATCHES:
        if is_patch(texts.get(name, "")):
            return _build((name,), colour_patch(texts[name]), "diff", path=path, texts=texts)
    if path is None and (command := _find_command(members, texts)):
        name, text = command
        return _build((name,), budget.colour(text, "bash"), "terminal", path=None, texts=texts)
    content = next((name for name in _CONTENTS if texts.get(name)), None)
    if path is not None and content is not None:
        language = find_language(texts[path].rpartition(".")[2])
        html = budget.colour(texts[content], language)
        return _build((content,), html, "file", path=path, texts=texts)
    for name in _QUERIES:
        if _SQL.match(texts.get(name, "")):
            html = budget.colour(texts[name], "sql")
            return _build((name,), html, "sql", path=None, texts=texts)
    if texts.get("code") and (language := find_language(texts.get("language", tool))):
        html = budget.colour(texts["code"], language)
        return _build(("code",), html, "code", path=None, texts=texts)
    return None


def render_input(text: str, *, tool: str, budget: StructureBudget) -> Markup | None:
    """Render the text that is all the input of `tool`: a patch, SQL, or the code of its language.

    Returns None if it is none of these.
    """
    if is_patch(text):
        return wrap_shape(colour_patch(text), "diff")
    if _SQL.match(text) and any(word in tool.lower() for word in _QUERIES):
        return wrap_shape(budget.colour(text, "sql"), "sql")
    language = find_language(tool)
    return wrap_shape(budget.colour(text, language), "code") if language else None


def _find_command(members: Sequence[Member], texts: dict[str, str]) -> tuple[str, str] | None:
    """Find the name and the text of a command; also of `["bash", "-lc", text]`."""
    name = next((name for name in _COMMANDS if texts.get(name, "").strip()), None)
    if name is not None:
        return name, texts[name]
    for member in members:
        if member.name.text in _COMMANDS and isinstance(member.value, Array):
            words = [item.text for item in member.value.items[:4] if isinstance(item, String)]
            is_shell = len(member.value.items) == 3 and len(words) == 3
            if is_shell and words[0].rpartition("/")[2] in _SHELLS and words[1] in ("-c", "-lc"):
                return member.name.text, words[2]
    return None


def _build(
    shown: tuple[str, ...], html: Markup, kind: str, *, path: str | None, texts: dict[str, str]
) -> Shape:
    names = shown if path is None else (path, *shown)
    head = Markup("")
    if path is not None:
        head = Markup('<p class="shape-path">{}</p>').format(reveal_invisible(texts[path]))
    return Shape(frozenset(names), head + wrap_shape(html, kind))


def wrap_shape(html: Markup, kind: str) -> Markup:
    """Put a shape of arguments or of results into the element that all of them have."""
    return Markup('<pre class="json shape" data-shape="{}" tabindex="0">\n{}</pre>').format(
        kind, html
    )


def _mark(text: str, sign: str) -> Markup:
    """Mark the lines of `text` as removed or added, the signs made by the style sheet."""
    if not text:
        return Markup("")
    kind = "deleted" if sign == "-" else "inserted"
    line = Markup('<span class="diff-line code-{}" data-sign="{}">{}</span>')
    return Markup("\n").join(
        line.format(kind, sign, reveal_invisible(one)) for one in text.split("\n")
    ) + Markup("\n")
