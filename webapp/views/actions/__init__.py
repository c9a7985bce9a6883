"""Actions on completions besides reading them.

code       snippets that fetch its messages or create it once more
rerun      create it once more on the model server
keeping    keep a copy of it, and show copies
changing   edit its metadata, delete it
selecting  several at once
pinning    above the list
noting     notes on messages
importing  take files, and show the result
"""

from __future__ import annotations

from flask import abort

from webapp.completions import Completion
from webapp.formatting import count
from webapp.services import services
from webapp.snippets import CreateRequest, build_request
from webapp.views.shares import read_whole


def read_upto(raw: str | None) -> int | None:
    """Read a number of messages from a form or a query, None if it is blank, for all."""
    if not raw:
        return None
    if not (raw.isascii() and raw.isdigit() and len(raw) < 10 and int(raw) > 0):
        abort(400, "The number of the last message is a whole number from 1 on.")
    return int(raw)


def read_create_request(
    completion_id: str, *, upto: int | None, model: str | None = None
) -> CreateRequest:
    """Read the request that created a completion, with its first `upto` messages.

    Abort with 404 if it has fewer. Raises `UpstreamError`.
    """
    json, messages = read_whole(completion_id)
    if upto is not None and upto > len(messages):
        abort(404, f"The input of this completion has {count(len(messages), 'message')}.")
    return build_request(
        Completion.from_json(json),
        messages,
        upto=upto,
        model=model,
        leaves_defaults=services().again.leaves_defaults,
    )
