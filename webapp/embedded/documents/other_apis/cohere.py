"""Cohere's Chat API: version 2 has messages, version 1 a message after its history."""

from __future__ import annotations

import json
from typing import Final

from webapp.embedded.documents.other_apis.writing import (
    copy,
    copy_rest,
    write,
    write_choice,
    write_system,
)
from webapp.exact_json import Object, Value, write_array, write_object

ASKED: Final = frozenset({"messages", "chat_history", "preamble"})

_ROLES: Final = {"chatbot": "assistant"}


def is_request(value: Object) -> bool:
    """Return whether `value` is a request of version 1; those of version 2 are of chat."""
    return value.text("message") is not None and (
        value.items("chat_history") is not None or value.text("preamble") is not None
    )


def is_response(value: Object) -> bool:
    """Return whether `value` is a response: a message, or a text of a generation."""
    if value.get("choices") is not None or value.get("done") is not None:
        return False
    message = value.object("message")
    if message is not None and message.text("role") == "assistant":
        reason = value.text("finish_reason") or ""
        return bool(reason) and reason.isupper()
    return value.text("text") is not None and value.text("generation_id") is not None


def write_request(request: Object) -> str:
    """Write a request with its preamble, history and message as messages, unless it has those."""
    if request.items("messages") is not None:
        return write_object(copy_rest(request, ()))
    messages = write_system(request.get("preamble"))
    turns = list(request.items("chat_history") or ())
    asked = copy(request.get("message"))
    last = turns[-1] if turns else None
    is_answer = isinstance(last, Object) and (last.text("role") or "").lower() in _ROLES
    if asked is None and is_answer:
        # The history in a response ends with the question and the answer.
        turns.pop()
    messages += map(_write_turn, turns)
    messages += [write(role='"user"', content=asked)] if asked else []
    rest = copy_rest(request, {*ASKED, "message"})
    return write_object([*rest, f'"messages":{write_array(messages)}'])


def write_response(response: Object) -> str:
    """Write a response as one choice; of version 1, its calls and citations stay as they are."""
    message = response.get("message")
    written = copy(message) or write(role='"assistant"', content=copy(response.get("text")))
    used = {"finish_reason", "message" if message else "text"}
    choice = write_choice(written, response.get("finish_reason"), "reason")
    return write_object([*copy_rest(response, used), f'"choices":[{choice}]'])


def _write_turn(turn: Value) -> str:
    if not isinstance(turn, Object):
        return copy(turn) or "null"
    given = (turn.text("role") or "").lower()
    role = json.dumps(_ROLES.get(given, given))
    rest = copy_rest(turn, {"role", "message"})
    return write_object(
        [f'"role":{role}', f'"content":{copy(turn.get("message")) or "null"}', *rest]
    )
