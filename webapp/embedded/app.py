"""The server's Flask object: the routes over a store, with the headers every answer has.

An app of its own that knows nothing of the viewer, to be mounted under `/v1`.
"""

from __future__ import annotations

import time
from typing import Final

from flask import Flask, Response, g

from webapp.embedded.api.auth import require_key
from webapp.embedded.api.create import new_request_id
from webapp.embedded.api.routes import MODEL, STORE, completions
from webapp.embedded.errors import register_error_handlers
from webapp.embedded.recording.model_server import ModelServer
from webapp.embedded.store.store import Store

MAX_BODY_BYTES: Final = 1_000_000
"""A metadata update at its limits, every character escaped, is a tenth of this."""


def create_server(
    store: Store, *, api_key: str | None = None, model: ModelServer | None = None
) -> Flask:
    """A WSGI app that serves `store` at `/chat/completions`, as the Chat Completions API does.

    With an `api_key` it answers those alone who send it. `model` creates completions; without
    one a request to create is refused.
    """
    server = Flask(__name__, static_folder=None)
    server.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    # `/chat/completions//messages` has an empty id and is an unknown URL, not a redirect.
    server.url_map.merge_slashes = False
    server.extensions[STORE] = store
    server.extensions[MODEL] = model
    server.register_blueprint(completions)
    register_error_handlers(server)
    server.before_request(_start_clock)
    if api_key is not None:
        require_key(server, api_key)
    server.after_request(_add_headers)
    return server


def _start_clock() -> None:
    g.started = time.perf_counter()


def _add_headers(response: Response) -> Response:
    """The recorded headers, but for those that name an organization and a project.

    What a model server said of its answer stays. A refused key is answered before anything is
    processed, and the recorded answers do not say by whom.
    """
    headers = response.headers
    headers.setdefault("x-request-id", new_request_id())
    headers["x-content-type-options"] = "nosniff"
    if response.status_code != 401:
        headers.setdefault("openai-version", "2020-10-01")
        headers.setdefault("openai-processing-ms", str(_milliseconds()))
    if response.status_code == 501:
        headers["x-should-retry"] = "false"
    return response


def _milliseconds() -> int:
    seconds: float = time.perf_counter() - g.started
    return round(seconds * 1000)
