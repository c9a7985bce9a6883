"""Ollama's own API, `/api/chat` and `/api/generate`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from webapp.embedded.documents.other_apis.writing import (
    copy,
    copy_rest,
    write,
    write_choice,
    write_system,
)
from webapp.embedded.documents.records import NotACompletion
from webapp.exact_json import Array, Boolean, Object, String, Value, write_array, write_object

ASKED: Final = frozenset({"messages", "prompt", "system", "images", "options"})

_OWN: Final = ("options", "keep_alive", "think")
_USAGE: Final = {"prompt_eval_count": "prompt_tokens", "eval_count": "completion_tokens"}
_ANSWERED: Final = frozenset({"message", "response", "thinking", "done_reason", "created_at"})


def is_request(value: Object) -> bool:
    """Return whether `value` has messages or a prompt, and a member of Ollama's alone."""
    is_own = any(value.get(name) is not None for name in _OWN)
    return is_own and bool(value.items("messages") or value.text("prompt") is not None)


def is_response(value: Object) -> bool:
    """Return whether `value` has an answer, and whether that is done."""
    answer = value.object("message") or value.text("response")
    return isinstance(value.get("done"), Boolean) and answer is not None


def write_request(request: Object) -> str:
    """Write a request with a prompt as a message, and its options on their own."""
    options = request.object("options")
    members = copy_rest(request, ASKED)
    members += copy_rest(options, request.names()) if options else []
    messages = write_system(request.get("system"))
    messages += [_write_message(one) for one in request.items("messages") or ()]
    if request.get("prompt") is not None:
        content = _write_content(request.get("prompt"), request.get("images"))
        messages.append(write(role='"user"', content=content))
    return write_object([*members, f'"messages":{write_array(messages)}'])


def write_response(response: Object) -> str:
    """Write a response as one choice. Raise `NotACompletion` if it is a chunk of a stream."""
    if response.boolean("done") is False and response.get("incomplete") is None:
        raise NotACompletion("it is a chunk of a streamed answer, and not the whole answer")
    message = response.get("message")
    if message is not None:
        written = _write_message(message)
    else:
        thought, text = copy(response.get("thinking")), copy(response.get("response"))
        written = write(role='"assistant"', thinking=thought, content=text)
    choice = write_choice(written, response.get("done_reason"), "done_reason")
    usage = write(**{name: copy(response.get(given)) for given, name in _USAGE.items()})
    created = copy(response.get("created_at"))
    members = [*copy_rest(response, {*_ANSWERED, *_USAGE}), f'"choices":[{choice}]']
    members += [f'"created":{created}'] if created else []
    return write_object([*members, *([f'"usage":{usage}'] if usage != "{}" else [])])


def _write_message(message: Value) -> str:
    """Write a message with its images as parts."""
    images = message.get("images") if isinstance(message, Object) else None
    if not isinstance(message, Object) or not isinstance(images, Array):
        return copy(message) or "null"
    content = _write_content(message.get("content"), images)
    return write_object([*copy_rest(message, {"images", "content"}), f'"content":{content}'])


def _write_content(text: Value | None, images: Value | None) -> str:
    pictures = images.items if isinstance(images, Array) else ()
    if not pictures:
        return copy(text) or "null"
    has_text = isinstance(text, String) and text.text
    parts = [write(type='"text"', text=copy(text))] if has_text else []
    parts += [write(type='"image"', data=copy(picture)) for picture in pictures]
    return write_array(parts)


def join_stream(values: Sequence[Value]) -> str | None:
    """Join the pieces of one streamed response to the response; return None if they are not that.

    Texts are joined as they were written, and of other members the last one counts.
    """
    pieces = [one for one in values if isinstance(one, Object) and is_response(one)]
    if len(pieces) < 2 or len(pieces) < len(values):
        return None
    if any(one.boolean("done") is not False for one in pieces[:-1]):
        return None
    members = {one.name.source: one.value.source for piece in pieces for one in piece.members}
    for name in ("response", "thinking"):
        if texts := _join_texts(pieces, name):
            members[f'"{name}"'] = texts
    messages = [one for piece in pieces if (one := piece.object("message"))]
    if messages:
        message = {one.name.source: one.value.source for each in messages for one in each.members}
        for name in ("content", "thinking"):
            if texts := _join_texts(messages, name):
                message[f'"{name}"'] = texts
        calls = [copy(call) or "null" for one in messages for call in one.items("tool_calls") or ()]
        if calls:
            message['"tool_calls"'] = write_array(calls)
        members['"message"'] = write_object(f"{name}:{text}" for name, text in message.items())
    if pieces[-1].boolean("done") is False:
        members['"incomplete"'] = '{"reason":"The answer ended early."}'
    return write_object(f"{name}:{text}" for name, text in members.items())


def _join_texts(pieces: Iterable[Object], name: str) -> str | None:
    found = [one.get(name) for one in pieces]
    texts = [one.source[1:-1] for one in found if isinstance(one, String)]
    return f'"{"".join(texts)}"' if texts else None
