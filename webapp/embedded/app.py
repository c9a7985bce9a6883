"""The Flask app of the embedded server, which can be mounted under `/v1`."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from flask import Flask, Response, g, request

from webapp.embedded.api.auth import require_key
from webapp.embedded.api.create import make_request_id
from webapp.embedded.api.passing_on import pass_on_unknown
from webapp.embedded.api.routes import MODEL, ON_DELETE, RECOVERY, STORE, completions
from webapp.embedded.errors import register_error_handlers
from webapp.embedded.recording.model_server import ModelServer
from webapp.embedded.recording.recovery import Recovery
from webapp.embedded.store.snapshot import SnapshotStore
from webapp.embedded.store.store import Store
from webapp.monitoring.request_log import note_route
from webapp.redaction import mask_logger

MAX_BODY_BYTES: Final = 1_000_000
"""Ten times the longest metadata update there can be, with every character escaped."""


class _Server(Flask):
    """An application whose functions are all synchronous, so that none is asked whether it is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_server(
    store: Store | SnapshotStore,
    *,
    api_key: str | None = None,
    model: ModelServer | None = None,
    recovery: Recovery | None = None,
    on_delete: Callable[[str, bool], None] | None = None,
) -> Flask:
    """Create a WSGI app that serves `store` at `/chat/completions` as the API does.

    If there is an `api_key`, clients must send it. Unknown URLs are passed on to the `model`; if
    there is none, they are not found, and requests to create a completion are refused. If there
    is no `recovery`, a completion that the store cannot take is dropped. `on_delete` is called with
    each id that a client deletes, and whether the store had such a completion.
    """
    server = _Server(__name__, static_folder=None)
    mask_logger(server.logger)
    server.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    # `/chat/completions//messages` has an empty id and is an unknown URL, not a redirect.
    server.url_map.merge_slashes = False
    server.extensions[STORE] = store
    server.extensions[MODEL] = model
    server.extensions[RECOVERY] = recovery
    server.extensions[ON_DELETE] = on_delete
    server.register_blueprint(completions)
    register_error_handlers(server)
    server.before_request(start_clock)
    if api_key is not None:
        require_key(server, api_key)
    if model is not None:
        server.before_request(partial(pass_on_unknown, model))
    server.after_request(add_headers)
    return server


def start_clock() -> None:
    """Note when the request began, and the route it is for."""
    g.started = time.perf_counter()
    rule = request.url_rule
    note_route(request.environ, f"/v1{rule.rule}" if rule else "/v1")


def add_headers(response: Response) -> Response:
    """Add the API's headers, except those that name an organization or a project.

    Headers from a model server are kept. As in the recorded answers, a 401 names neither version
    nor time, because nothing was processed.
    """
    own = {"x-request-id": make_request_id()}
    if response.status_code != 401:
        milliseconds = round((time.perf_counter() - g.started) * 1000)
        own["openai-version"] = "2020-10-01"
        own["openai-processing-ms"] = str(milliseconds)
    # Not by `setdefault`, which makes an exception for each header that it does not find.
    given = {name.lower() for name, _ in response.headers}
    for name, value in own.items():
        if name not in given:
            response.headers.add(name, value)
    if "x-content-type-options" in given:
        response.headers.remove("x-content-type-options")
    response.headers.add("x-content-type-options", "nosniff")
    if response.status_code == 501:
        response.headers["x-should-retry"] = "false"
    return response
