"""Anthropic's Messages API. Its content blocks are read as they are; only its envelope differs."""

from __future__ import annotations

from typing import Final

from webapp.embedded.documents.other_apis.writing import (
    copy,
    copy_rest,
    rename,
    write,
    write_choice,
    write_list,
    write_system,
)
from webapp.exact_json import Array, Object, String

ASKED: Final = frozenset({"system", "messages"})

_USAGE: Final = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens"}
_ANSWERED: Final = frozenset({"type", "role", "content", "stop_reason", "usage"})


def is_request(value: Object) -> bool:
    """Return whether `value` has messages, with instructions apart or tools of this API."""
    messages = value.items("messages")
    if not messages or not all(isinstance(one, Object) and one.text("role") for one in messages):
        return False
    system, tools = value.get("system"), value.items("tools") or ()
    return (
        (isinstance(system, String | Array) and system.source not in ('""', "[]"))
        or value.get("anthropic_version") is not None
        or any(isinstance(one, Object) and one.object("input_schema") for one in tools)
    )


def is_response(value: Object) -> bool:
    """Return whether `value` is a message of the API, with content blocks."""
    return value.text("type") == "message" and value.items("content") is not None


def write_request(request: Object) -> str:
    """Write a request with its instructions as the first message."""
    messages = [copy(one) or "null" for one in request.items("messages") or ()]
    asked = ",".join([*write_system(request.get("system")), *messages])
    return write_list([*copy_rest(request, ASKED), f'"messages":[{asked}]'])


def write_response(response: Object) -> str:
    """Write a response as one choice."""
    message = write(role=copy(response.get("role")), content=copy(response.get("content")))
    choice = write_choice(message, response.get("stop_reason"), "stop_reason")
    usage = rename(response.object("usage"), _USAGE)
    members = [*copy_rest(response, _ANSWERED), f'"choices":[{choice}]']
    return write_list([*members, *([f'"usage":{usage}'] if usage else [])])
