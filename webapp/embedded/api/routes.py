"""The operations on stored completions, one route each: API reference, "Chat Completions".

Owns which request means what. Reads through `parameters`, answers with the store's JSON texts.
"""

from __future__ import annotations

from typing import Final, cast

from flask import Blueprint, Response, current_app, request

from webapp.embedded.api.create import create, no_model
from webapp.embedded.api.parameters import (
    metadata_filter,
    metadata_update,
    page_request,
    unknown_cursor,
)
from webapp.embedded.errors import completion_not_found
from webapp.embedded.recording.model_server import ModelServer
from webapp.embedded.store.pages import UnknownCursor
from webapp.embedded.store.store import Store

STORE: Final = "readback_store"
"""The name of the store among the app's extensions."""
MODEL: Final = "readback_model"
"""The name of the model server among the app's extensions; None when there is none."""

completions = Blueprint("completions", __name__, url_prefix="/chat/completions")


@completions.get("")
def list_completions() -> Response:
    """Completions by time, the newest first unless asked otherwise."""
    try:
        page = _store().list_completions(
            page_request(request.args, default_order="desc"),
            model=request.args.get("model"),
            metadata=metadata_filter(request.args),
        )
    except UnknownCursor as error:
        raise unknown_cursor(str(error)) from error
    return _json(page.json())


@completions.post("")
def create_completion() -> Response:
    """The model server's answer; without one a refusal that tells clients not to try again."""
    model = cast("ModelServer | None", current_app.extensions[MODEL])
    if model is None:
        raise no_model()
    return create(model, store=_store())


@completions.get("/<completion_id>")
def retrieve_completion(completion_id: str) -> Response:
    """One completion, without its input messages."""
    return _found(_store().retrieve_completion(completion_id), completion_id)


@completions.post("/<completion_id>")
def update_completion(completion_id: str) -> Response:
    """One completion with its metadata replaced by that in the body."""
    metadata = metadata_update(request.get_data())
    return _found(_store().replace_metadata(completion_id, metadata), completion_id)


@completions.delete("/<completion_id>")
def delete_completion(completion_id: str) -> Response:
    """Deletes one completion and its messages."""
    deleted = _store().delete_completion(completion_id)
    answer = f'{{"object":"chat.completion.deleted","id":"{completion_id}","deleted":true}}'
    return _found(answer if deleted else None, completion_id)


@completions.get("/<completion_id>/messages")
def list_messages(completion_id: str) -> Response:
    """One completion's input messages, in the order they were sent in."""
    try:
        page = _store().list_messages(
            completion_id, page_request(request.args, default_order="asc")
        )
    except UnknownCursor as error:
        raise unknown_cursor(str(error)) from error
    return _found(None if page is None else page.json(), completion_id)


def _store() -> Store:
    return cast(Store, current_app.extensions[STORE])


def _found(text: str | None, completion_id: str) -> Response:
    if text is None:
        raise completion_not_found(completion_id)
    return _json(text)


def _json(text: str) -> Response:
    return Response(text, content_type="application/json")
