"""Ollama's own API, `/api/chat` and `/api/generate`."""

from __future__ import annotations

from typing import Final

from webapp.embedded.documents.other_apis.writing import (
    copy,
    copy_rest,
    write,
    write_choice,
    write_list,
    write_system,
)
from webapp.embedded.documents.records import NotACompletion
from webapp.exact_json import Array, Boolean, Object, String, Value

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
    return write_list([*members, f'"messages":[{",".join(messages)}]'])


def write_response(response: Object) -> str:
    """Write a response as one choice. Raise `NotACompletion` if it is a chunk of a stream."""
    if response.boolean("done") is False:
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
    return write_list([*members, *([f'"usage":{usage}'] if usage != "{}" else [])])


def _write_message(message: Value) -> str:
    """Write a message with its images as parts."""
    images = message.get("images") if isinstance(message, Object) else None
    if not isinstance(message, Object) or not isinstance(images, Array):
        return copy(message) or "null"
    content = _write_content(message.get("content"), images)
    return write_list([*copy_rest(message, {"images", "content"}), f'"content":{content}'])


def _write_content(text: Value | None, images: Value | None) -> str:
    pictures = images.items if isinstance(images, Array) else ()
    if not pictures:
        return copy(text) or "null"
    has_text = isinstance(text, String) and text.text
    parts = [write(type='"text"', text=copy(text))] if has_text else []
    parts += [write(type='"image"', data=copy(picture)) for picture in pictures]
    return f"[{','.join(parts)}]"
