"""What every answer carries and every request must be: headers, the Host, the origin of writes."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers
from werkzeug.http import parse_set_header

from webapp.fragments import VARY
from webapp.hosts import is_address

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    _Failure = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

log = logging.getLogger("readback")

CONTENT_SECURITY_POLICY: Final = "; ".join(
    ["default-src 'none'"]
    + [f"{what}-src 'self'" for what in ("script", "style", "img", "media", "connect", "font")]
    + ["frame-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"]
)
_FEATURES: Final = (
    *("accelerometer", "autoplay", "camera", "display-capture", "encrypted-media"),
    *("fullscreen", "geolocation", "gyroscope", "hid", "idle-detection", "magnetometer"),
    *("microphone", "midi", "payment", "picture-in-picture", "publickey-credentials-get"),
    *("screen-wake-lock", "serial", "usb", "xr-spatial-tracking"),
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
}
_PAGES_ARE_KEPT: Final = "private, no-cache"
"""So that Back keeps what was loaded; the rest, if it says nothing of it, is not kept at all."""
_FAILED: Final = "Readback failed at this. The log of the server has the details."
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Gate:
    """The WSGI layer in front of everything: headers on every answer, and nothing foreign let in.

    Whatever answers behind it, a page, the API, a file, or nothing at all because it broke, the
    answer has the headers; one that sets some of them itself, such as a stricter policy, keeps
    its own. Refused are other hosts, writes from other sites, and a query that is not UTF-8,
    which the layers behind could not read.

    A page of a foreign site can make its own name resolve to this machine (DNS rebinding) and
    would then be the same origin; the Host header still tells the foreign name. Addresses
    cannot be rebound, so they always pass. A form of a foreign site can be sent here without
    asking; browsers tell where it came from.
    """

    def __init__(self, app: WSGIApplication, names: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset({"localhost", *names})

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start = _with_headers(start, is_secure=environ.get("wsgi.url_scheme") == "https")
        if not self._is_our_host(environ.get("HTTP_HOST", "")):
            return _refusal(start, "421 Misdirected Request", "not for that host name")
        if environ["REQUEST_METHOD"] not in _SAFE_METHODS and not is_same_origin(environ):
            return _refusal(start, "403 Forbidden", "not for forms of other sites")
        if not _is_utf8(environ.get("QUERY_STRING", "")):
            return _refusal(start, "400 Bad Request", "the query is not UTF-8")
        try:
            return self._app(environ, start)
        except Exception:
            # The WSGI server would answer without headers, in words of its own.
            log.exception("no answer could be made")
            return _text(start, "500 Internal Server Error", _FAILED)

    def _is_our_host(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name, _ = parts.hostname, parts.port
        except ValueError:
            return False
        if not name or parts.path or parts.query or "@" in host:
            return False
        return name in self._names or host.lower() in self._names or is_address(name)


def is_same_origin(environ: WSGIEnvironment) -> bool:
    """Whether a write comes from a page of ours, or from no browser at all.

    Browsers tell by `Sec-Fetch-Site`, older ones by `Origin`; a client that sends neither is
    no browser and carries nobody's session.
    """
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return site in ("same-origin", "none")
    origin = environ.get("HTTP_ORIGIN")
    return origin is None or _host_in(origin) == environ.get("HTTP_HOST")


def _host_in(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _is_utf8(query: str) -> bool:
    """Whether a query, of bytes as WSGI has them, can be read; browsers send no other."""
    try:
        query.encode("latin-1").decode()
    except UnicodeError:
        return False
    return True


def _with_headers(start: StartResponse, *, is_secure: bool) -> StartResponse:
    """`start` for an app whose answers lack the headers, or some of them."""

    def start_with_headers(
        status: str, given: list[tuple[str, str]], failure: _Failure | None = None, /
    ) -> Callable[[bytes], object]:
        headers = _completed(Headers(given), is_secure=is_secure)
        return start(status, headers.to_wsgi_list(), failure)

    return start_with_headers


def _completed(headers: Headers, *, is_secure: bool) -> Headers:
    is_page = headers.get("Content-Type", "").startswith("text/html")
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", _PAGES_ARE_KEPT if is_page else "no-store")
    if is_page:
        vary = parse_set_header(headers.get("Vary"))
        vary.update(VARY)
        headers["Vary"] = vary.to_header()
    if is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


def _refusal(start: StartResponse, status: str, reason: str) -> list[bytes]:
    return _text(start, status, f"This server does not answer: {reason}.")


def _text(start: StartResponse, status: str, sentence: str) -> list[bytes]:
    body = f"{sentence}\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start(status, headers)
    return [body]
