"""The operations on stored completions, one route each: API reference, "Chat Completions"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, cast

from flask import Blueprint, Response, current_app, request

from webapp.embedded.api.create import forward_create
from webapp.embedded.api.create_request import decompress_body
from webapp.embedded.api.parameters import (
    InvalidValue,
    parse_list_request,
    parse_metadata_filter,
    parse_metadata_update,
    parse_page_request,
)
from webapp.embedded.api.passing_on import select_headers
from webapp.embedded.api.responding import respond, respond_with_page, respond_with_pieces
from webapp.embedded.errors import ApiError, CompletionNotFound, render_error
from webapp.embedded.recording.model_server import ModelServer
from webapp.embedded.recording.recovery import Recovery
from webapp.embedded.store.pages import UnknownCursor
from webapp.embedded.store.snapshot import SnapshotStore
from webapp.embedded.store.store import Store
from webapp.http.decompression import HOLDS_BYTES

STORE: Final = "readback_store"
"""The name of the store among the app's extensions."""
MODEL: Final = "readback_model"
"""The name of the model server among the app's extensions, which is None if there is none."""
RECOVERY: Final = "readback_recovery"
"""The name of the store's recovery among the app's extensions, which is None if there is none."""
ON_DELETE: Final = "readback_on_delete"
"""The name of the function that deletes all else kept of a completion, or of None.

It takes the id, and whether the completion was stored until now.
"""
AS_GIVEN: Final = "readback.as_given"
"""The WSGI variable with which our own pages ask for JSON without members that nobody gave."""

completions = Blueprint("completions", __name__, url_prefix="/chat/completions")


@completions.get("")
def list_completions() -> Response:
    """List a page of completions, the newest first unless the client asks otherwise."""
    page = _get_source().list_completions(
        parse_page_request(request.args, default_order="desc"),
        model=request.args.get("model"),
        metadata=parse_metadata_filter(request.args),
        listed=parse_list_request(request.args) if _wants_given() else None,
        as_given=_wants_given(),
    )
    return respond_with_page(page)


@completions.post("")
def create_completion() -> Response:
    """Forward a request to the model server; without one, answer 501, which nobody retries."""
    model = cast("ModelServer | None", current_app.extensions[MODEL])
    if model is None:
        raise ApiError(
            "This server stores and serves completions. It has no model and cannot create one. "
            "Set READBACK_MODEL_URL to the address of an OpenAI-compatible server that can.",
            status=501,
            code="not_supported",
        )
    max_bytes = model.limits.max_request_bytes
    request.max_content_length = max_bytes
    headers = select_headers(request.headers)
    encoding = headers.pop("Content-Encoding", "")
    body = decompress_body(
        request.get_data(),
        encoding,
        max_bytes=max_bytes,
        holds_bytes=request.environ.get(HOLDS_BYTES, lambda _: True),
    )
    return forward_create(
        body,
        headers={"Accept": "application/json"} | headers,
        model=model,
        store=_get_store(),
        recovery=cast("Recovery | None", current_app.extensions[RECOVERY]),
    )


@completions.get("/<completion_id>")
def retrieve_completion(completion_id: str) -> Response:
    """Retrieve one completion, without its input messages."""

    def iter_text() -> Iterator[str]:
        source = _get_source()
        yield _require(
            source.retrieve_completion(completion_id, as_given=_wants_given()), completion_id
        )

    return respond_with_pieces(iter_text())


@completions.post("/<completion_id>")
def update_completion(completion_id: str) -> Response:
    """Replace the metadata of one completion and return the completion."""
    metadata = parse_metadata_update(request.get_data())
    replaced = _get_store().replace_metadata(completion_id, metadata)
    return respond(_require(replaced, completion_id))


@completions.delete("/<completion_id>")
def delete_completion(completion_id: str) -> Response:
    """Delete one completion, its messages and all else kept of it."""
    is_stored = _get_store().delete_completion(completion_id)
    # Also if it was not stored: the command or another server may have deleted it.
    if on_delete := cast("Callable[[str, bool], None] | None", current_app.extensions[ON_DELETE]):
        on_delete(completion_id, is_stored)
    if not is_stored:
        raise CompletionNotFound(completion_id)
    return respond(f'{{"object":"chat.completion.deleted","id":"{completion_id}","deleted":true}}')


@completions.get("/<completion_id>/messages")
def list_messages(completion_id: str) -> Response:
    """List a page of one completion's input messages, in the order they were sent in."""
    asked = parse_page_request(request.args, default_order="asc")
    page = _get_source().list_messages(completion_id, asked, as_given=_wants_given())
    if page is None:
        raise CompletionNotFound(completion_id)
    return respond_with_page(page)


@completions.errorhandler(UnknownCursor)
def refuse_cursor(error: UnknownCursor) -> Response:
    """Refuse an unknown cursor with a 400 that names it."""
    return render_error(
        InvalidValue(
            "after", f"Invalid value for 'after': '{error}' is not the id of an item in this list."
        )
    )


def _wants_given() -> bool:
    return bool(request.environ.get(AS_GIVEN))


def _get_source() -> Store | SnapshotStore:
    return cast("Store | SnapshotStore", current_app.extensions[STORE])


def _get_store() -> Store:
    """Return the store to write to."""
    source = _get_source()
    if isinstance(source, SnapshotStore):
        raise ApiError("This completion cannot be changed.", status=405)
    return source


def _require(text: str | None, completion_id: str) -> str:
    if text is None:
        raise CompletionNotFound(completion_id)
    return text
