"""Write a snapshot as plain text, to be pasted somewhere."""

from __future__ import annotations

from webapp.exact_json import Object
from webapp.messages import Message, ToolCall
from webapp.messages.choices import Choice
from webapp.messages.message import get_text


def write_text(document: Object, choice: int | None = None) -> str | None:
    """Write the messages and answers of a snapshot, each below its role.

    With a `choice`, returns only that answer, or None if the snapshot does not have it.
    """
    messages = [] if choice is not None else list(document.items("messages") or ())
    choices = document.items("choices") or ()
    answers = choices if choice is None else choices[choice : choice + 1]
    found = [Message.from_json(one) for one in messages]
    found += [one.message for one in map(Choice.from_json, answers) if one.message is not None]
    if choice is not None and not found:
        return None
    texts = []
    for message in found:
        pieces = [get_text(part) or f"[{part.kind.replace('_', ' ')}]" for part in message.parts]
        for call in message.calls:
            name = call.name if isinstance(call, ToolCall) else call.kind
            pieces.append(f"{name}: {get_text(call) or ''}")
        texts.append(f"{message.role or 'no role'}:\n" + "\n\n".join(pieces))
    return "\n\n".join(texts) + "\n"
