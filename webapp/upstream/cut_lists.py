"""Find the completion that a list begins with, in the beginning of an answer that is too large."""

from __future__ import annotations

from typing import Final

from webapp.completions import Completion
from webapp.exact_json import NotJson, parse, write_object
from webapp.exact_json.lexemes import TOKEN
from webapp.ids import is_valid_id

_READ: Final = frozenset(('"id"', '"created"', '"model"'))
_ITEM: Final = [("{", ""), ("[", '"data"'), ("{", "")]
"""The brackets around the members of an item, each with the name of its container."""


def find_cut_completion(beginning: str) -> Completion | None:
    """Find the first item of a list that is cut off inside it, as far as it arrived.

    That is its id, and its time and its model if they come before the cut. Return None if its
    id cannot be found, or if it is complete: then the answer is too large for another reason.
    """
    found: dict[str, str] = {}
    opened: list[tuple[str, str]] = []
    name, text = "", ""
    match = TOKEN.match(beginning)
    # The last lexeme is left out, since it may be cut off.
    while match is not None and match.end() < len(beginning):
        token = match[match.lastgroup or 0]
        match = TOKEN.match(beginning, match.end())
        if token in ("{", "["):
            opened.append((token, name))
            name = ""
        elif token in ("}", "]"):
            if not opened or opened in (_ITEM, _ITEM[:-1]):
                return None
            opened.pop()
            name = ""
        elif token == ":":
            name = text
        elif token == ",":
            name = ""
        elif name in _READ and opened == _ITEM:
            found[name] = token
        else:
            text = token
    members = (f"{name}:{value}" for name, value in found.items())
    try:
        completion = Completion.from_json(parse(write_object(members)))
    except NotJson:
        return None
    return completion if completion.id and is_valid_id(completion.id) else None
