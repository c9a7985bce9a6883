"""Make completions with secrets in them, and shares of them."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask

from webapp.exact_json import parse
from webapp.services import Sharing
from webapp.shares import ShareChoices, Snapshot, Terms, make_snapshot

SECRET = "hunter2-corvus-99"
OWN_ID = "chatcmpl-9XkOwnId"
COMPLETION: dict[str, Any] = {
    "id": OWN_ID,
    "object": "chat.completion",
    "created": 1_763_000_000,
    "model": "gpt-4o",
    "metadata": {"customer": "Acme"},
    "seed": 7,
    "tools": [{"type": "function", "function": {"name": "look_up"}}],
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": f"It was {SECRET}."},
            "finish_reason": "stop",
            "logprobs": None,
        }
    ],
}
MESSAGES: list[Any] = [
    {"role": "system", "content": "Be a harbour clerk."},
    {"role": "user", "content": f"The password: {SECRET} of the harbour."},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "A berth is free."},
    {"role": "user", "content": f"And {SECRET}?"},
]


def snapshot(
    choices: ShareChoices | None = None,
    *,
    completion: Any = None,
    messages: Any = None,
    words: tuple[str, ...] = (),
) -> Snapshot:
    """Return a snapshot of the completion above, or of another one."""
    return make_snapshot(
        parse(json.dumps(COMPLETION if completion is None else completion)),
        [parse(json.dumps(one)) for one in (MESSAGES if messages is None else messages)],
        choices or ShareChoices(),
        words=words,
    )


def sharing_of(app: Flask) -> Sharing:
    found = app.extensions["readback"].sharing
    assert isinstance(found, Sharing)
    return found


def publish(
    app: Flask,
    made: Snapshot | None = None,
    *,
    seconds: int = 3600,
    view_limit: int | None = None,
    passphrase: str | None = None,
) -> tuple[str, str]:
    """Publish a share; return its id and its token."""
    store = sharing_of(app).store
    share_id = store.add_draft("", OWN_ID, made or snapshot())
    terms = Terms(maker="Ann", seconds=seconds, view_limit=view_limit, passphrase=passphrase)
    token = store.publish(share_id, terms)
    assert token is not None
    return share_id, token
