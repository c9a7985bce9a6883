"""Pass on to the model server all that this server does not serve itself.

Clients that use one base URL for everything list models and create embeddings there too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from flask import Request, Response, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import MethodNotAllowed, NotFound

from webapp.embedded.errors import ApiError
from webapp.embedded.recording.model_server import POLICY, ModelAnswer, ModelServer

_OWN: Final = "/chat/completions"
_METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
"""Not TRACE, whose answer has the headers with the key of this server, or CONNECT."""
_PASSED_HEADERS: Final = (
    "Accept",
    "Anthropic-Beta",
    "Anthropic-Version",
    "Content-Encoding",
    "Content-Type",
    "HTTP-Referer",
    "Idempotency-Key",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "Last-Event-ID",
    "OpenAI-Beta",
    "Range",
    "Traceparent",
    "Tracestate",
    "X-Title",
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
    if request.method not in _METHODS:
        raise MethodNotAllowed(_METHODS)
    if request.headers.get("Upgrade", "").lower() == "websocket":
        raise ApiError(
            "WebSocket connections are not passed on to the model server.",
            status=501,
            code="not_supported",
        )
    request.max_content_length = model.limits.max_request_bytes
    answer = model.forward(
        request.method,
        _find_written_path(request),
        query=request.query_string.decode("latin-1"),
        headers=select_headers(request.headers),
        body=request.get_data(),
    )
    headers = answer.headers | POLICY
    if answer.is_stream:
        # A proxy between this server and its client must not gather events.
        headers |= {"cache-control": "no-cache", "x-accel-buffering": "no"}
    response = Response(_begin_body(answer), answer.status, headers)
    if "content-type" not in answer.headers:
        # Flask's default is HTML.
        del response.headers["Content-Type"]
    response.call_on_close(answer.close)
    return response


def select_headers(headers: Headers) -> dict[str, str]:
    """Select the headers of a client that the model server gets as well."""
    return {name: headers[name] for name in _PASSED_HEADERS if name in headers}


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


def _begin_body(answer: ModelAnswer) -> Iterable[bytes]:
    """Return the body, which begins with bytes that are there unless it is a stream of events.

    Raise `ApiError` if it breaks off before: then there can still be another answer.
    """
    body = _iter_body(answer)
    if answer.is_stream:
        return body
    try:
        return chain([next(body, b"")], body)
    except ApiError:
        answer.close()
        raise


def _iter_body(answer: ModelAnswer) -> Iterator[bytes]:
    """Yield the body; a stream of events that breaks off ends with an error for the client."""
    try:
        yield from answer.iter_chunks()
    except ApiError as error:
        if not answer.is_stream:
            raise
        yield b"\n\ndata: " + json.dumps(error.envelope).encode() + b"\n\n"
