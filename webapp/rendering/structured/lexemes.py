"""Make the strings of JSON readable without ceasing to be JSON: no `\u4e2d` for `中`."""

from __future__ import annotations

import json
import re
from typing import Final

from webapp.rendering.text.invisible import find_invisible

_PIECE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]+",
    re.DOTALL,
)
_NEEDS_ESCAPE: Final = frozenset('"\\')


def write_readable(lexeme: str) -> str:
    r"""Write `lexeme` with the readable characters that it escapes; it means the same.

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
            piece = json.loads(f'"{piece}"')
        characters.append(piece)
        length += len(piece)
    text = "".join(characters)
    unseen = find_invisible(text)
    pieces: list[str] = []
    end = 0
    for at, escape in escapes.items():
        character = text[at]
        is_space = character.isspace() and character >= "\xa0"
        # Joiners are not printable, but readable if they join, and unseen if they do not.
        is_readable = character.isprintable() or is_space or character in "\u200c\u200d"
        is_kept = at in unseen or character in _NEEDS_ESCAPE or not is_readable
        pieces += [text[end:at], escape if is_kept else character]
        end = at + 1
    return "".join([*pieces, text[end:]])
