"""Render patches and unified diffs with removed and added lines in two colours."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Final

from markupsafe import Markup

from webapp.rendering.text.invisible import reveal_invisible

_START: Final = re.compile(
    r"\s{0,80}(?:\*\*\* Begin Patch|diff --git |--- [^\n]{1,400}\n\+\+\+ |@@ )"
)
_COMMIT: Final = re.compile(r"commit [0-9a-f]{7,64}\b")
_HEADINGS: Final = ("@@", "***", "diff ", "index ", "--- ", "+++ ")


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
