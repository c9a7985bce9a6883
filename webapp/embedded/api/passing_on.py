"""Pass on to the model server all that this server does not serve itself.

Clients that use one base URL for everything list models and create embeddings there too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from flask import Request, Response, request
from werkzeug.exceptions import NotFound

from webapp.embedded.errors import ApiError
from webapp.embedded.recording.model_server import POLICY, ModelAnswer, ModelServer

_OWN: Final = "/chat/completions"
_PASSED_HEADERS: Final = (
    "Accept",
    "Anthropic-Beta",
    "Anthropic-Version",
    "Content-Type",
    "Idempotency-Key",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "Last-Event-ID",
    "OpenAI-Beta",
    "Range",
)
"""Neither the client's key nor its cookies: they are for this server."""


def pass_on_unknown(model: ModelServer) -> Response | None:
    """Forward a request for a URL that this server does not have to `model`.

    Return None for its own URLs, also if the method is wrong or the id is empty, and for a path
    that leads out of the base URL.
    """
    path = request.path
    is_own = f"{path}/".startswith(f"{_OWN}/")
    leads_out = any(segment in (".", "..") for segment in path.split("/"))
    if not isinstance(request.routing_exception, NotFound) or is_own or leads_out:
        return None
    request.max_content_length = model.limits.max_request_bytes
    answer = model.forward(
        request.method,
        _find_written_path(request),
        query=request.query_string.decode("latin-1"),
        headers={
            name: request.headers[name] for name in _PASSED_HEADERS if name in request.headers
        },
        body=request.get_data(),
    )
    headers = answer.headers | POLICY
    if answer.is_stream:
        # A proxy between this server and its client must not gather events.
        headers |= {"cache-control": "no-cache", "x-accel-buffering": "no"}
    response = Response(_iter_body(answer), answer.status, headers)
    response.call_on_close(answer.close)
    return response


def _find_written_path(asked: Request) -> str:
    """Find the path below the mount as the client wrote it.

    WSGI decodes paths, and `a%2Fb`, the name of a model, would become two segments.
    """
    written = asked.environ.get("REQUEST_URI", "").partition("?")[0]
    decoded = asked.environ.get("PATH_INFO", "").encode("latin-1")
    for start in (at for at, character in enumerate(written) if character == "/"):
        if unquote_to_bytes(written[start:]) == decoded:
            return quote(written[start:], safe="/%:@!$&'()*+,;=~")
    return quote(decoded, safe="/:@!$&'()*+,;=~")


def _iter_body(answer: ModelAnswer) -> Iterator[bytes]:
    """Yield the body; a stream of events that breaks off ends with an error for the client."""
    try:
        yield from answer.iter_chunks()
    except ApiError as error:
        if not answer.is_stream:
            raise
        yield b"\n\ndata: " + json.dumps(error.envelope).encode() + b"\n\n"
