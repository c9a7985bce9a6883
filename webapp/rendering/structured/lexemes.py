"""Make the strings of JSON readable without ceasing to be JSON: no `\u4e2d` for `中`."""

from __future__ import annotations

import re
from typing import Final

from webapp.rendering.text.invisible import find_invisible

_PIECE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]+",
    re.DOTALL,
)
_NEEDS_ESCAPE: Final = frozenset('"\\')


def write_readable(lexeme: str) -> str:
    r"""Return `lexeme` with the readable characters that it escapes; it means the same.

    Escapes stay for quotes, backslashes, white space other than a space of some width, and for
    all characters that nobody would see.
    """
    if "\\u" not in lexeme and "\\/" not in lexeme:
        return lexeme
    characters: list[str] = []
    escapes: dict[int, str] = {}
    length = 0
    for found in _PIECE.finditer(lexeme):
        piece = found[0]
        if piece[:2] in ("\\u", "\\/"):
            escapes[length] = piece
            piece = _unescape(piece)
        characters.append(piece)
        length += len(piece)
    text = "".join(characters)
    unseen = find_invisible(text)
    pieces: list[str] = []
    end = 0
    for at, escape in escapes.items():
        kept = at in unseen or not _is_readable(text[at])
        pieces += [text[end:at], escape if kept else text[at]]
        end = at + 1
    return "".join([*pieces, text[end:]])


def _unescape(escape: str) -> str:
    if escape == "\\/":
        return "/"
    high = int(escape[2:6], 16)
    if len(escape) == 6:
        return chr(high)
    return chr(0x10000 + ((high - 0xD800) << 10) + int(escape[8:], 16) - 0xDC00)


def _is_readable(character: str) -> bool:
    """Return whether a character may stand in a string; joiners may, where they join."""
    if character in _NEEDS_ESCAPE:
        return False
    return (
        character.isprintable()
        or character.isspace()
        and character >= "\xa0"
        or (character in "\u200c\u200d")
    )
