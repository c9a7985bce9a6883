"""Describe texts in which a reader would see nothing."""

from __future__ import annotations

import re
from typing import Final

from webapp.formatting import count
from webapp.rendering.text.invisible import find_invisible

_BREAK: Final = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_MAX_LENGTH: Final = 100_000
_EMPTY_GLYPHS: Final = frozenset("\u2800\u3164\uffa0\u115f\u1160")
"""Characters that are neither white space nor controls, and have no ink."""


def describe_blank(text: str) -> str | None:
    """Return a sentence like `Only white space (2 line breaks).`; None if there is more."""
    if text and not text.isspace():
        return None
    if not text:
        return "Empty text."
    breaks = len(_BREAK.findall(text))
    spaces, tabs = text.count(" "), text.count("\t")
    others = len(_BREAK.sub("", text)) - spaces - tabs
    counts = (
        count(breaks, "line break") if breaks else "",
        count(spaces, "space") if spaces else "",
        count(tabs, "tab") if tabs else "",
        count(others, "other blank") if others else "",
    )
    return f"Only white space ({', '.join(filter(None, counts))})."


def is_unseen(text: str) -> bool:
    """Return whether a reader would see nothing in `text`, neither letters nor other signs."""
    if len(text) > _MAX_LENGTH and not text.isspace():
        return False
    left = "".join(text.split())
    inkless = {at for at, character in enumerate(left) if character in _EMPTY_GLYPHS}
    return not left or len(find_invisible(left) | inkless) == len(left)
