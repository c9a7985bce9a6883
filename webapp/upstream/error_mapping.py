"""Map a response that is not 2xx, or the exception raised in its place, to an `UpstreamError`.

The server's message is kept for the reader, without the API key and truncated to a readable
length.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException, RemoteDisconnected
from typing import Final
from urllib.parse import urljoin, urlsplit

import requests

from webapp.config import base_urls
from webapp.http.deadline import Deadline
from webapp.upstream.endpoint import Endpoint
from webapp.upstream.error_bodies import MAX_SEARCHED, ErrorBody, is_unknown_route, parse_error_body
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

MAX_RETRY_AFTER: Final = 30 * 86_400.0
"""Seconds; a longer wait says nothing more, and clients may not be able to read it."""

_DECIMAL: Final = re.compile(r"[0-9]{1,400}(?:\.[0-9]{1,400})?")
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
_KEY_REFUSED = re.compile(
    r"api[ _-]?key.{0,40}(?:not valid|invalid|incorrect|missing|expired|required)"
    r"|(?:invalid|incorrect|missing|expired|no) api[ _-]?key",
    re.IGNORECASE,
)
_NO_SUCH_COMPLETION = re.compile(r"^(?!.*\bcursor\b).*\bnot found\b", re.IGNORECASE | re.DOTALL)


def map_response(
    response: requests.Response, text: str, *, endpoint: Endpoint, now: float, is_list: bool
) -> UpstreamError:
    """Map a non-2xx response with the body `text` to its error; `now` is unix time.

    `is_list` is whether the list of completions was requested: a 404 is then about listing.
    """
    status = response.status_code
    body = parse_error_body(text)
    kind = _find_kind(status, body)
    if kind is NotFound and is_list:
        # A 400 is about a filter, such as a model that is not found.
        kind = BadRequest if status == 400 else NotSupported
    is_elsewhere = kind is NotSupported and status in (404, 405)
    if kind is Redirected and _find_redirect_host(response, endpoint) in (None, endpoint.host):
        is_elsewhere = True
    advice = suggest_base_url(endpoint) if is_elsewhere else _ADVICE.get(status)
    if kind is BadRequest and status in (400, 422) and is_list:
        advice = (
            "Change the filter or the page. If there is none, the server may not list its "
            "completions: paste the id of one into the box at the top."
        )
    if "insufficient_quota" in (body.code, body.type):
        advice = "The account's quota is used up: check its plan and billing."
    # The rule of the official clients, for a request that may succeed later.
    is_transient = status in (408, 409, 429) or status >= 500
    should_retry = response.headers.get("x-should-retry", "").strip().lower()
    if should_retry in ("true", "false"):
        is_transient = should_retry == "true"
    return kind(
        _compose_message(kind, response, endpoint),
        status=status,
        server_message=clean_text(body.message, endpoint),
        type=clean_text(body.type, endpoint),
        code=clean_text(body.code, endpoint),
        param=clean_text(body.param, endpoint),
        request_id=read_request_id(response.headers, endpoint),
        retry_after=_read_retry_after(response.headers, now),
        advice=advice,
        is_transient=is_transient,
    )


def suggest_base_url(endpoint: Endpoint) -> str | None:
    """Suggest another base URL for an endpoint that nothing of the API was found at."""
    return base_urls.suggest_base_url(endpoint.base_url, endpoint.query, setting="OPENAI_BASE_URL")


def map_exception(error: Exception, *, host: str, deadline: Deadline) -> UpstreamError:
    """Map an exception of requests or urllib3 to its error."""
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


def read_request_id(headers: Mapping[str, str], endpoint: Endpoint) -> str | None:
    """Read the server's name for the exchange, for support; None if absent or odd."""
    text = headers.get("x-request-id", "").strip()
    return endpoint.redact(text) if _REQUEST_ID.fullmatch(text) else None


def clean_text(text: str | None, endpoint: Endpoint) -> str | None:
    """Remove the key from a server's text, then truncate it, so that no half key is left."""
    if not text:
        return None
    # Searching takes a hundred times the memory of the text, of which little is shown.
    scrubbed = endpoint.redact(text[:MAX_SEARCHED])
    cut = scrubbed[:MAX_SERVER_MESSAGE]
    is_whole = cut == scrubbed and len(text) <= MAX_SEARCHED
    return cut if is_whole else f"{cut}…"


def _find_kind(status: int, body: ErrorBody) -> type[UpstreamError]:
    if status in KINDS_BY_STATUS:
        return KINDS_BY_STATUS[status]
    message = body.message or ""
    if status == 404:
        return NotSupported if is_unknown_route(body) or not body.is_json else NotFound
    if status == 400 and _NO_SUCH_COMPLETION.match(message):
        return NotFound
    if 300 <= status < 400:
        return Redirected
    if status == 400 and _KEY_REFUSED.search(message):
        return KeyRejected
    if 400 <= status < 500:
        return BadRequest
    return ServerFailed if 500 <= status < 600 else BadAnswer


_ADVICE: Final = {
    402: "The account has no credit left: check its plan and billing.",
    403: "Check the API key and its permissions. A firewall before the server can refuse too.",
    407: "A proxy wants a login: check READBACK_PROXY.",
    421: "Check the host in the base URL.",
    451: "The server may not answer from where Readback runs.",
}

KINDS_BY_STATUS: Final[dict[int, type[UpstreamError]]] = {
    401: KeyRejected,
    403: KeyRejected,
    405: NotSupported,
    408: TimedOut,
    410: NotFound,
    429: RateLimited,
    501: NotSupported,
}


def _compose_message(
    kind: type[UpstreamError], response: requests.Response, endpoint: Endpoint
) -> str:
    host = endpoint.host
    status = response.status_code
    if kind is Redirected:
        target = _find_redirect_host(response, endpoint)
        where = f"to {target}" if target else "without saying where"
        return (
            f"{host} answered with a redirect {where}. Readback did not follow it, and the API "
            "key was not sent there."
        )
    if status == 403:
        # It may have other reasons than the key, such as a firewall.
        return f"{host} refuses access (status 403)."
    return kind.sentence.format(host=host, status=status)


def _find_redirect_host(response: requests.Response, endpoint: Endpoint) -> str | None:
    location = endpoint.redact(response.headers.get("Location") or "")
    if not location:
        return None
    try:
        target = urlsplit(urljoin(response.url, location))
        port = f":{target.port}" if target.port else ""
    except ValueError:
        return None
    name = (target.hostname or "")[:253]
    return f"{name.encode('ascii', 'backslashreplace').decode()}{port}" if name else None


def _read_retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Read the seconds that the server asks to wait; None if it sends nothing usable.

    Reads `retry-after-ms` and `Retry-After`, which is in seconds or a date. Zero counts as
    nothing: an immediate repetition helps nobody.
    """
    text = headers.get("Retry-After")
    milliseconds = _parse_number(headers.get("retry-after-ms"))
    wait = _parse_number(text) if milliseconds is None else milliseconds / 1000
    if wait is None:
        try:
            date = parsedate_to_datetime(text or "")
            aware = date if date.tzinfo else date.replace(tzinfo=UTC)
            wait = (aware - datetime.fromtimestamp(now, UTC)).total_seconds()
        except (ValueError, TypeError, IndexError, OverflowError):
            # Besides a text that is not a date, its zone can put a date outside of the calendar.
            return None
    return min(wait, MAX_RETRY_AFTER) if wait > 0 else None


def _parse_number(text: str | None) -> float | None:
    """Parse the decimal number in `text`, infinity if it has too many digits for a float."""
    match = _DECIMAL.fullmatch((text or "").strip())
    return float(match[0]) if match else None


def _is_malformed(error: BaseException) -> bool:
    """Return whether bytes were received that are not HTTP."""
    if isinstance(error, HTTPException):
        return not isinstance(error, RemoteDisconnected)
    return any(_is_malformed(inner) for inner in error.args if isinstance(inner, BaseException))
