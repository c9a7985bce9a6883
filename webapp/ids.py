"""Recognize the ids that completions and messages can have."""

from __future__ import annotations

import re

_ID = re.compile(r"[A-Za-z0-9._:~-]{1,256}")


def is_valid_id(text: str) -> bool:
    """Return whether `text` can be an id or a cursor: 1 to 256 of the characters allowed.

    Anything else could leave its place in a URL (`..`, `?`, `%2e%2e`), and no known server
    makes such ids.
    """
    return _ID.fullmatch(text) is not None and text not in (".", "..")


def parse_message_index(completion_id: str, message_id: str | None) -> int | None:
    """Return the index, from 0, in a message's id; None if the id has none.

    Servers name a message `{completion_id}-{index}`, some `{completion_id}-msg-{index}`.
    """
    pattern = re.escape(completion_id) + r"-(?:msg-)?([0-9]{1,9})"
    match = re.fullmatch(pattern, message_id or "")
    return int(match[1]) if match else None
