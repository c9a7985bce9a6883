"""Find the JSON documents in a text that has several of them, as JSON Lines have."""

from __future__ import annotations

import re
from typing import Final

_SEPARATORS: Final = re.compile(r"[\s,\x1e]*+")
_TO_BRACKET: Final = re.compile(
    r'[^"{}\[\]]*+(?:"[^"\\]*+(?:\\.[^"\\]*+|(?!))*+"[^"{}\[\]]*+|(?!))*+', re.DOTALL
)
"""All before the next bracket outside strings."""


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
