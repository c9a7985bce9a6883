"""Keep asterisks and underscores that are no emphasis: in products, in faces, in lines of Emacs.

CommonMark takes `2*3*4`, `^_^ … >_<` and `-*- mode: c -*-` for emphasis, and so drops signs that
were meant.
"""

from __future__ import annotations

import re
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

_FACES: Final = re.compile(
    r"\^_+\^|>_+<|(?<!-)-_+-(?!-)|=_+=|;_+;|@_+@|(?<!\*)\*_+\*(?!\*)"
    r"|\)_/\u00af|\(\*\^[^\s()*]{0,6}\^\*\)|(?<!\S)-\*-(?!\S)"
)
_MAX_FACE: Final = 16


def install(parser: MarkdownIt) -> None:
    """Add the rule to `parser`."""
    parser.inline.ruler.before("emphasis", "plain_marks", parse_plain_mark)


def parse_plain_mark(state: StateInline, silent: bool) -> bool:
    """Take an asterisk between two digits as text, and a run of marks in a face."""
    src, start = state.src, state.pos
    if src[start] not in "*_":
        return False
    end = start + 1
    while end < state.posMax and src[end] == src[start]:
        end += 1
    before, after = src[start - 1 : start] if start else "", src[end : end + 1]
    is_sign = src[start:end] == "*" and before.isdecimal() and after.isdecimal()
    if not (is_sign or _is_in_face(src, start, end)):
        return False
    if not silent:
        state.pending += src[start:end]
    state.pos = end
    return True


def _is_in_face(src: str, start: int, end: int) -> bool:
    first = max(0, start - _MAX_FACE)
    faces = _FACES.finditer(src, first, end + _MAX_FACE)
    return any(face.start() <= start and end <= face.end() for face in faces)
