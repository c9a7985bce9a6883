"""Decide which texts can be ids, and read the index in a message's id."""

from __future__ import annotations

import re
from typing import Final

ID_CHARACTERS: Final = "A-Za-z0-9._:~-"
"""The characters of ids, for a regular expression; none is escaped in a URL."""
MAX_ID_LENGTH: Final = 256

_ID: Final = re.compile(f"[{ID_CHARACTERS}]+")
_INDEX: Final = "-(?:msg-)?([0-9]{1,9})"
_NUMBERED: Final = re.compile(rf"(.+?){_INDEX}", re.DOTALL)


def is_valid_id(text: str, *, max_length: int = MAX_ID_LENGTH) -> bool:
    """Return whether `text` can be an id or a cursor.

    Other texts could leave their place in a URL (`..`, `?`, `%2e%2e`), and no known server makes
    such ids.
    """
    is_safe = _ID.fullmatch(text) is not None and text not in (".", "..")
    return is_safe and len(text) <= max_length


def split_message_id(message_id: str | None) -> tuple[str, int] | None:
    """Split a message id into the completion's id and an index from 0; None without an index.

    Servers name a message `{completion_id}-{index}`, some `{completion_id}-msg-{index}`.
    """
    match = _NUMBERED.fullmatch(message_id or "")
    return (match[1], int(match[2])) if match else None


def parse_message_index(completion_id: str, message_id: str | None) -> int | None:
    """Parse the index in the id of a message of `completion_id`, or None if it has none."""
    if message_id is None or not message_id.startswith(completion_id):
        return None
    match = re.fullmatch(_INDEX, message_id[len(completion_id) :])
    return int(match[1]) if match else None
