"""The server's Flask object: the routes over a store, with the headers every answer has.

An app of its own that knows nothing of the viewer, to be mounted under `/v1`.
"""

from __future__ import annotations

import secrets
import time
from typing import Final

from flask import Flask, Response, g

from webapp.embedded.errors import register_error_handlers
from webapp.embedded.routes import STORE, completions
from webapp.embedded.store import Store

MAX_BODY_BYTES: Final = 1_000_000
"""A metadata update at its limits, every character escaped, is a tenth of this."""


def create_server(store: Store) -> Flask:
    """A WSGI app that serves `store` at `/chat/completions`, as the Chat Completions API does."""
    server = Flask(__name__, static_folder=None)
    server.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    # `/chat/completions//messages` has an empty id and is an unknown URL, not a redirect.
    server.url_map.merge_slashes = False
    server.extensions[STORE] = store
    server.register_blueprint(completions)
    register_error_handlers(server)
    server.before_request(_start_clock)
    server.after_request(_add_headers)
    return server


def _start_clock() -> None:
    g.started = time.perf_counter()


def _add_headers(response: Response) -> Response:
    """The recorded headers, but for those that name an organization and a project."""
    response.headers["x-request-id"] = f"req_{secrets.token_hex(16)}"
    response.headers["openai-version"] = "2020-10-01"
    response.headers["openai-processing-ms"] = str(round((time.perf_counter() - g.started) * 1000))
    response.headers["x-content-type-options"] = "nosniff"
    if response.status_code == 501:
        response.headers["x-should-retry"] = "false"
    return response
