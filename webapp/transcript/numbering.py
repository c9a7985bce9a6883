"""The places of messages, as far as their ids tell."""

from __future__ import annotations

import re
from collections.abc import Sequence

from webapp.messages import Message


def first_number(completion_id: str, messages: Sequence[Message], order: str) -> int | None:
    """The number, from 1, of the first of `messages`, if their ids tell.

    Servers name a message `{completion_id}-{index}`, some `{completion_id}-msg-{index}`. The
    ids are believed only when they count on without a gap.
    """
    indexes = [message_index(completion_id, message.id) for message in messages]
    if not indexes or indexes[0] is None:
        return None
    step = 1 if order == "asc" else -1
    expected = range(indexes[0], indexes[0] + step * len(indexes), step)
    return indexes[0] + 1 if indexes == list(expected) else None


def message_index(completion_id: str, message_id: str | None) -> int | None:
    """The index, from 0, that a message id names; None when it names none."""
    pattern = re.escape(completion_id) + r"-(?:msg-)?([0-9]{1,9})"
    match = re.fullmatch(pattern, message_id or "")
    return int(match[1]) if match else None
