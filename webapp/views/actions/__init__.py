"""Actions on completions besides reading them.

code       snippets that fetch its messages or create it once more; creating it at a click
keeping    keep a copy of it, and show copies
changing   edit its metadata, delete it, say once in the list what was deleted
selecting  several at once
pinning    above the list
noting     notes on messages
importing  take files, and show the result
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import abort, request, url_for

from webapp.access import administrators_only, find_own_path
from webapp.completions import Completion
from webapp.formatting import count, parse_whole_number
from webapp.services import services
from webapp.snippets import CreateRequest, build_request
from webapp.views import read_whole

P = ParamSpec("P")
T = TypeVar("T")


def changers_only(view: Callable[P, T]) -> Callable[P, T]:
    """Restrict `view` to administrators, if the settings allow changes; others get a 403."""

    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        if not services().allows_writes:
            abort(403, "Nothing can be changed here: READBACK_WRITES=1 is not set.")
        return view(*args, **kwargs)

    return administrators_only(checked)


def read_back() -> str:
    """Read the path of the list that a form came from; that of the whole list if it names none.

    It is a path of this Readback, whatever the form says.
    """
    return find_own_path(request.values.get("back", "")) or url_for("listing.index")


def read_upto(raw: str | None) -> int | None:
    """Read a number of messages from a form or a query, None if it is blank, for all."""
    if not raw:
        return None
    number = parse_whole_number(raw, low=1)
    if number is None:
        abort(400, "The number of the last message is a whole number from 1 on.")
    return number


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
