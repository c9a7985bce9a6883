"""Errors read off an answer that is not 2xx, or off the exception that came in its place.

Owns which status means which error, and the sentences. What the server said is kept for the
reader, without the API key and cut to a readable length.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http.client import HTTPException, RemoteDisconnected
from typing import Final
from urllib.parse import urljoin, urlsplit

import requests

from webapp.upstream import retries
from webapp.upstream.deadline import Deadline
from webapp.upstream.endpoint import Endpoint
from webapp.upstream.error_bodies import ErrorBody, parse_error_body
from webapp.upstream.errors import (
    BadAnswer,
    BadRequest,
    KeyRejected,
    NotFound,
    NotSupported,
    RateLimited,
    Redirected,
    ServerFailed,
    TimedOut,
    Unreachable,
    UpstreamError,
)

MAX_SERVER_MESSAGE: Final = 2000

_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
_NO_SUCH_ROUTE = re.compile(r"(?i:unknown request url)|^Not Found$")
_NO_SUCH_COMPLETION = re.compile(r"^(?!.*\bcursor\b).*\bnot found\b", re.IGNORECASE | re.DOTALL)


def from_answer(
    response: requests.Response, text: str, *, endpoint: Endpoint, now: float
) -> UpstreamError:
    """The error that a non-2xx answer with the body `text` means; `now` is unix time."""
    status = response.status_code
    said = parse_error_body(text)
    kind = _kind(status, said)
    return kind(
        _sentence(kind, response, endpoint),
        status=status,
        server_message=clean(said.message, endpoint),
        type=clean(said.type, endpoint),
        code=clean(said.code, endpoint),
        param=clean(said.param, endpoint),
        request_id=request_id(response.headers, endpoint),
        retry_after=retries.retry_after(response.headers, now=now),
        advice=_advice(said),
        is_transient=retries.is_transient(status, response.headers),
    )


def from_exception(error: Exception, *, host: str, deadline: Deadline) -> UpstreamError:
    """The error that an exception of requests or urllib3 means."""
    if isinstance(error, requests.Timeout) or deadline.has_passed:
        return TimedOut(
            f"{host} did not answer in time ({deadline.seconds:g} seconds at the most).",
            is_transient=True,
        )
    if isinstance(error, requests.exceptions.SSLError):
        return Unreachable(
            f"No secure connection to {host} could be made.",
            advice="Check its certificate, and the CA bundle if it has an authority of its own.",
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return Unreachable(f"The proxy did not connect to {host}.", is_transient=True)
    if _is_malformed(error):
        return BadAnswer(f"{host} did not answer in HTTP.", is_transient=True)
    return Unreachable(f"{host} could not be reached.", is_transient=True)


def request_id(headers: Mapping[str, str], endpoint: Endpoint) -> str | None:
    """The server's name for the exchange, for support; None when absent or odd."""
    text = headers.get("x-request-id", "").strip()
    return endpoint.without_secret(text) if _REQUEST_ID.fullmatch(text) else None


def _kind(status: int, said: ErrorBody) -> type[UpstreamError]:
    if status in _KINDS:
        return _KINDS[status]
    message = said.message or ""
    if status == 404:
        is_route = said.code == "unknown_url" or _NO_SUCH_ROUTE.search(message)
        return NotSupported if is_route or not said.is_json else NotFound
    if status == 400 and _NO_SUCH_COMPLETION.match(message):
        return NotFound
    if 300 <= status < 400:
        return Redirected
    if 400 <= status < 500:
        return BadRequest
    return ServerFailed if 500 <= status < 600 else BadAnswer


_KINDS: Final[dict[int, type[UpstreamError]]] = {
    401: KeyRejected,
    403: KeyRejected,
    405: NotSupported,
    408: TimedOut,
    429: RateLimited,
    501: NotSupported,
}


def _sentence(kind: type[UpstreamError], response: requests.Response, endpoint: Endpoint) -> str:
    host = endpoint.host
    status = response.status_code
    if kind is Redirected:
        return _redirect_sentence(response, endpoint)
    sentences: dict[type[UpstreamError], str] = {
        NotFound: f"{host} has nothing stored under this id.",
        BadRequest: f"{host} did not accept the request (status {status}).",
        KeyRejected: f"{host} did not accept the API key (status {status}).",
        RateLimited: f"{host} asks for fewer requests.",
        NotSupported: f"{host} does not offer stored completions here (status {status}).",
        TimedOut: f"{host} gave up waiting (status {status}).",
        ServerFailed: f"{host} failed to answer (status {status}).",
    }
    return sentences.get(kind, f"{host} answered with the unknown status {status}.")


def _redirect_sentence(response: requests.Response, endpoint: Endpoint) -> str:
    target = _target_host(response, endpoint)
    where = f"to {target}" if target else "without saying where"
    return (
        f"{endpoint.host} answered with a redirect {where}. Readback did not follow it, and the "
        "API key was not sent there."
    )


def _target_host(response: requests.Response, endpoint: Endpoint) -> str | None:
    location = endpoint.without_secret(response.headers.get("Location") or "")
    if not location:
        return None
    try:
        target = urlsplit(urljoin(response.url, location))
        port = f":{target.port}" if target.port else ""
    except ValueError:
        return None
    name = (target.hostname or "")[:253]
    return f"{name.encode('ascii', 'backslashreplace').decode()}{port}" if name else None


def _advice(said: ErrorBody) -> str | None:
    if "insufficient_quota" in (said.code, said.type):
        return "The account's quota is used up: check its plan and billing."
    return None


def clean(text: str | None, endpoint: Endpoint) -> str | None:
    """A server's text for the reader; scrubbed before it is cut, so that no half key is left."""
    if not text:
        return None
    scrubbed = endpoint.without_secret(text)
    cut = scrubbed[:MAX_SERVER_MESSAGE]
    return cut if cut == scrubbed else f"{cut}…"


def _is_malformed(error: BaseException) -> bool:
    """Whether something was received that is not HTTP."""
    if isinstance(error, HTTPException):
        return not isinstance(error, RemoteDisconnected)
    return any(_is_malformed(inner) for inner in error.args if isinstance(inner, BaseException))
