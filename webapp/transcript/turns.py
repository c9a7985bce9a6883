"""Find the start of a turn: the user message that it answers, or the call of a result."""

from __future__ import annotations

from collections.abc import Sequence

from webapp.messages import Message


def count_turn_before(before: Sequence[Message], message: Message) -> int:
    """Return how many of the messages `before`, the nearest first, are of the turn of `message`.

    A turn begins with its user message, and with the call of a result that came even later. If
    the user message is not among `before`, the messages from the call on are counted.
    """
    if message.role in ("user", "system", "developer"):
        return 0
    from_call = _count_to_call(before, message) if message.is_tool_result else 0
    users = (place for place, one in enumerate(before, start=1) if one.role == "user")
    return max(from_call, next(users, 0))


def _count_to_call(before: Sequence[Message], result: Message) -> int:
    """Return the number of messages up to the nearest with the call; without an id, with calls."""
    for place, message in enumerate(before, start=1):
        ids = [call.id for call in message.calls]
        if result.tool_call_id in ids or (ids and result.tool_call_id is None):
            return place
    return 0
