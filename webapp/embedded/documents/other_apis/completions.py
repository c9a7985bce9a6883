"""The older Completions API, which continues a text."""

from __future__ import annotations

from typing import Final

from webapp.embedded.documents.other_apis.writing import copy, copy_rest, write
from webapp.exact_json import Array, Object, String, Value, write_array, write_object

ASKED: Final = frozenset({"prompt", "suffix"})


def is_request(value: Object) -> bool:
    """Return whether `value` has a prompt beside the name of a model, and no messages."""
    is_asked = isinstance(value.get("prompt"), String | Array) and value.text("model") is not None
    return is_asked and value.get("messages") is None


def is_response(value: Object) -> bool:
    """Return whether `value` has choices with texts."""
    choices = value.items("choices")
    return bool(choices) and all(
        isinstance(one, Object) and one.text("text") is not None and one.get("message") is None
        for one in choices or ()
    )


def write_request(request: Object) -> str:
    """Write a request with its prompt as a message, or several as one each."""
    prompt = request.get("prompt")
    items = prompt.items if isinstance(prompt, Array) else (prompt,)
    is_tokens = not all(isinstance(one, String) for one in items)
    texts = [prompt] if is_tokens else items
    messages = write_array(write(role='"user"', content=copy(one)) for one in texts)
    rest = copy_rest(request, {"prompt"})
    return write_object([*rest, f'"messages":{messages}'])


def write_response(response: Object) -> str:
    """Write a response whose choices have messages."""
    choices = write_array(map(_write_choice, response.items("choices") or ()))
    return write_object([*copy_rest(response, {"choices"}), f'"choices":{choices}'])


def _write_choice(choice: Value) -> str:
    if not isinstance(choice, Object):
        return copy(choice) or "null"
    message = write(role='"assistant"', content=copy(choice.get("text")))
    return write_object([f'"message":{message}', *copy_rest(choice, {"text"})])
