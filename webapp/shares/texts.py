"""Write a snapshot as plain text, to be pasted somewhere."""

from __future__ import annotations

from webapp.exact_json import Object
from webapp.messages import Message, ToolCall
from webapp.messages.message import get_text


def write_text(document: Object, choice: int | None = None) -> str | None:
    """Return the messages and answers of a snapshot, each below its role.

    If a `choice` is named, only that one; None if there is none at this place.
    """
    messages = [] if choice is not None else list(document.items("messages") or ())
    choices = document.items("choices") or ()
    answers = choices if choice is None else choices[choice : choice + 1]
    messages += [
        answer
        for one in answers
        if isinstance(one, Object) and (answer := one.get("message")) is not None
    ]
    if choice is not None and not messages:
        return None
    return "\n\n".join(_write(Message.from_json(json)) for json in messages) + "\n"


def _write(message: Message) -> str:
    pieces = [get_text(part) or f"[{part.kind.replace('_', ' ')}]" for part in message.parts]
    for call in message.calls:
        name = call.name if isinstance(call, ToolCall) else call.kind
        pieces.append(f"{name}: {get_text(call) or ''}")
    return f"{message.role or 'no role'}:\n" + "\n\n".join(pieces)
