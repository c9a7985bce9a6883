"""Number messages by their ids."""

from __future__ import annotations

from collections.abc import Sequence

from webapp.ids import parse_message_index
from webapp.messages import Message


def find_first_number(completion_id: str, messages: Sequence[Message], order: str) -> int | None:
    """Return the number, from 1, of the first of `messages`, None if their ids do not say.

    The ids are believed only if they count without a gap.
    """
    indexes = [parse_message_index(completion_id, message.id) for message in messages]
    if not indexes or indexes[0] is None:
        return None
    step = 1 if order == "asc" else -1
    expected = range(indexes[0], indexes[0] + step * len(indexes), step)
    return indexes[0] + 1 if indexes == list(expected) else None
