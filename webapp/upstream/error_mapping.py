"""Map a response that is not 2xx, or the exception raised in its place, to an `UpstreamError`.

Error bodies come as the API's envelope, as other frameworks' JSON, as plain text, as a
gateway's HTML, or empty; reading one never fails. The server's message is kept for the reader,
without the API key and truncated to a readable length.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException, RemoteDisconnected
from typing import Final
from urllib.parse import urljoin, urlsplit

import requests

from webapp.completions import scalar_text
from webapp.exact_json import Array, Boolean, NotJson, Object, String, Value, parse
from webapp.http.deadline import Deadline
from webapp.upstream.endpoint import Endpoint
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
_BOM: Final = "\ufeff"
_MAX_SEARCHED: Final = 64 * 1024
"""Characters."""

MAX_RETRY_AFTER: Final = 30 * 86_400.0
"""Seconds; a longer wait says nothing more, and clients may not be able to read it."""

_DECIMAL: Final = re.compile(r"[0-9]{1,400}(?:\.[0-9]{1,400})?")
_TITLE = re.compile(r"<(title|h1|message)\b[^>]{0,200}>([^<]{1,300})", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_CODE_TAG = re.compile(r"</?(?:script|style)\b[^<>]{0,2000}>", re.IGNORECASE)
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
_NO_SUCH_ROUTE = re.compile(
    r"unknown request url|invalid url|no (?:such )?route|^cannot (?:get|post|delete) /"
    r"|^(?:404 )?(?:the )?(?:requested )?(?:file|page|route|endpoint|path|url) (?:was )?"
    r"not found\.?$"
    # The words of frameworks; servers word the lack of a completion otherwise.
    r"|^(?-i:(?:404 )?Not Found\.?)$",
    re.IGNORECASE,
)
_KEY_REFUSED = re.compile(
    r"api[ _-]?key.{0,40}(?:not valid|invalid|incorrect|missing|expired|required)"
    r"|(?:invalid|incorrect|missing|expired|no) api[ _-]?key",
    re.IGNORECASE,
)
_VERSION_SEGMENT = re.compile(r"/v[0-9]")
_SENTENCE_NAMES: Final = (
    *("message", "detail", "error_description", "error_message", "errorMessage", "Message"),
    *("error", "errors", "msg", "faultstring", "fault", "details", "title", "reason"),
    *("description", "error_msg", "errmsg", "err", "Error", "status_msg", "statusText"),
    *("user_message", "text", "messages", "errorMessages", "non_field_errors", "innererror"),
    *("exception", "failure", "info", "response", "result", "data"),
)
_WRAPPERS: Final = ("error", "errors", "detail", "fault")
_DOUBLED_VERSION = re.compile(r"(?P<version>/v[0-9][^/]*)(?P=version)$")
_MAX_WRAPPERS: Final = 4
_MAX_SENTENCES: Final = 3
_NO_SUCH_COMPLETION = re.compile(r"^(?!.*\bcursor\b).*\bnot found\b", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """The members of an error's body, each None if it has none of that name."""

    message: str | None = None
    type: str | None = None
    code: str | None = None
    param: str | None = None
    is_json: bool = False


def parse_error_body(text: str) -> ErrorBody:
    """Parse the members of an error's body: of its JSON, its page, or its plain text."""
    text = text.removeprefix(_BOM)
    try:
        # An error may also be the only event of a stream.
        json = parse(text.removeprefix("data:"))
        body = read_error_body(json)
        # Whatever members an error has: they are all that the server said.
        has_more = isinstance(json, Object | Array) and json.source.strip("{}[] \t\r\n") != ""
        return replace(body, message=json.source) if has_more and not body.message else body
    except NotJson:
        if not is_html(text):
            return ErrorBody(message=text.strip() or None)
        title = _TITLE.search(text)
        without_code = " ".join(_CODE_TAG.split(text[:_MAX_SEARCHED])[::2])
        words = title[2] if title else _TAG.sub(" ", without_code)
        return ErrorBody(message=" ".join(html.unescape(words).split()) or None)


def read_error_body(json: Value) -> ErrorBody:
    """Read the members of an error that is JSON."""
    if isinstance(json, Object) and (wrapped := json.object("base_resp")):
        json = wrapped
    envelope = _find_envelope(json)
    if envelope is None:
        return ErrorBody(message=_find_sentence(json), is_json=True)
    status = envelope.text("status")
    if status is not None and status.isdigit():
        status = None
    return ErrorBody(
        message=_find_sentence(json),
        type=_first_text(envelope.get("type")) or status,
        code=_first_text(envelope.get("code")),
        param=_first_text(envelope.get("param")),
        is_json=True,
    )


def _find_envelope(json: Value) -> Object | None:
    """Find the object with the members of an error: of a list, the first one."""
    for _ in range(_MAX_WRAPPERS):
        if isinstance(json, Array):
            json = next((item for item in json.items if isinstance(item, Object)), json)
        if not isinstance(json, Object):
            return None
        values = (json.get(name) for name in _WRAPPERS)
        inner = next((one for one in values if isinstance(one, Object | Array)), None)
        if inner is None or (isinstance(inner, Array) and not inner.items):
            return json
        json = inner
    return json if isinstance(json, Object) else None


def _find_sentence(json: Value, levels: int = _MAX_WRAPPERS) -> str | None:
    """Find the text in an error, wherever its server puts it; the texts of a list are joined."""
    if isinstance(json, Array):
        if levels == 0:
            return None
        found = (_find_sentence(item, levels - 1) for item in json.items[:_MAX_SENTENCES])
        return "; ".join(dict.fromkeys(filter(None, found))) or None
    if isinstance(json, Boolean):
        return None
    if not isinstance(json, Object):
        text = scalar_text(json)
        return _unwrap_text(text, levels) if text else None
    envelope = ("error",) if isinstance(json.get("error"), Object | Array) else ()
    for name in (*envelope, *_SENTENCE_NAMES):
        value = json.get(name)
        sentence = _find_sentence(value, levels - 1) if value is not None and levels else None
        if sentence:
            # FastAPI names the member at fault: `path.id`.
            names = [scalar_text(one) for one in json.items("loc") or ()]
            # OpenRouter reports the message of its provider as well.
            metadata = json.object("metadata")
            raw = metadata.text("raw") if metadata else None
            notes = (".".join(filter(None, names)), raw and parse_error_body(raw).message)
            return " ".join((sentence, *(f"({note})" for note in notes if note)))
    return _find_texts_by_field(json)


def _find_texts_by_field(json: Object) -> str | None:
    """Find the sentences that a framework lists by the fields that they are about."""
    found = (
        f"{item.text} ({member.name.text})"
        for member in json.members[:_MAX_SENTENCES]
        if isinstance(member.value, Array)
        for item in member.value.items[:1]
        if isinstance(item, String) and " " in item.text
    )
    return "; ".join(found) or None


def _unwrap_text(text: str, levels: int) -> str:
    """Return a text, or the sentence in it if it is the JSON of another error."""
    if text.startswith("{") and levels:
        # Within itself, JSON is escaped: each further one is shorter by half.
        with suppress(NotJson):
            return _find_sentence(parse(text), _MAX_WRAPPERS) or text
    return text


def is_html(text: str) -> bool:
    return text.lstrip()[:1] == "<"


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
    advice = suggest_base_url(endpoint) if is_elsewhere else None
    if kind is BadRequest and is_list:
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
    """Suggest to add `/v1` to a base URL, or to leave out a second one.

    Return None if it has a version, or is the classic one of Azure, whose version is in the query.
    """
    path = urlsplit(endpoint.base_url).path
    query = " and its query" if endpoint.query else ""
    if doubled := _DOUBLED_VERSION.search(path):
        base_url = endpoint.base_url.removesuffix(doubled["version"])
        return f"The base URL has its version twice: set OPENAI_BASE_URL to {base_url}{query}."
    is_classic = path.endswith("/openai") and "api-version" in endpoint.query
    if _VERSION_SEGMENT.search(path.lower()) or is_classic:
        return None
    return (
        "The base URL has no /v1, under which most servers answer: set OPENAI_BASE_URL to "
        f"{endpoint.base_url}/v1{query}."
    )


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
    scrubbed = endpoint.redact(text[:_MAX_SEARCHED])
    cut = scrubbed[:MAX_SERVER_MESSAGE]
    is_whole = cut == scrubbed and len(text) <= _MAX_SEARCHED
    return cut if is_whole else f"{cut}…"


def _first_text(*values: Value | None) -> str | None:
    texts = (scalar_text(value) for value in values if value is not None)
    return next((text for text in texts if text), None)


def _find_kind(status: int, body: ErrorBody) -> type[UpstreamError]:
    if status in _KINDS:
        return _KINDS[status]
    message = body.message or ""
    if status == 404:
        is_route = body.code == "unknown_url" or _NO_SUCH_ROUTE.search(message)
        return NotSupported if is_route or not body.is_json else NotFound
    if status == 400 and _NO_SUCH_COMPLETION.match(message):
        return NotFound
    if 300 <= status < 400:
        return Redirected
    if status == 400 and _KEY_REFUSED.search(message):
        return KeyRejected
    if 400 <= status < 500:
        return BadRequest
    return ServerFailed if 500 <= status < 600 else BadAnswer


_KINDS: Final[dict[int, type[UpstreamError]]] = {
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
    messages: dict[type[UpstreamError], str] = {
        NotFound: f"{host} has nothing stored under this id.",
        BadRequest: f"{host} did not accept the request (status {status}).",
        KeyRejected: f"{host} did not accept the API key (status {status}).",
        RateLimited: f"{host} asks for fewer requests.",
        NotSupported: f"{host} does not offer stored completions here (status {status}).",
        TimedOut: f"{host} gave up waiting (status {status}).",
        ServerFailed: f"{host} failed to answer (status {status}).",
    }
    return messages.get(kind, f"{host} answered with the unknown status {status}.")


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
