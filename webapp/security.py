"""What every answer carries and every request must be: headers, the Host, the origin of writes."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flask import Flask, Response, request

from webapp.fragments import VARY

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

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
    "Cache-Control": "private, no-cache",
}
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def add_headers(app: Flask) -> None:
    """Gives every answer of `app` the headers."""
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    """A view that sets one of these itself, such as a stricter policy, keeps its own."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if response.mimetype == "text/html":
        response.vary.update(VARY)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


class Gate:
    """A WSGI layer in front of everything: only our hosts, and no writes from other sites.

    Nor a query that is not UTF-8, which the layers behind it could not read.

    A page of a foreign site can make its own name resolve to this machine (DNS rebinding) and
    would then be the same origin; the Host header still tells the foreign name. Addresses
    cannot be rebound, so they always pass. A form of a foreign site can be sent here without
    asking; browsers tell where it came from.
    """

    def __init__(self, app: WSGIApplication, names: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset({"localhost", *names})

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if not self._is_our_host(environ.get("HTTP_HOST", "")):
            return _refusal(start, "421 Misdirected Request", "not for that host name")
        if environ["REQUEST_METHOD"] not in _SAFE_METHODS and not is_same_origin(environ):
            return _refusal(start, "403 Forbidden", "not for forms of other sites")
        if not _is_utf8(environ.get("QUERY_STRING", "")):
            return _refusal(start, "400 Bad Request", "the query is not UTF-8")
        return self._app(environ, start)

    def _is_our_host(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name, _ = parts.hostname, parts.port
        except ValueError:
            return False
        if not name or parts.path or parts.query or "@" in host:
            return False
        return name in self._names or host.lower() in self._names or _is_address(name)


def is_same_origin(environ: WSGIEnvironment) -> bool:
    """Whether a write comes from a page of ours, or from no browser at all.

    Browsers tell by `Sec-Fetch-Site`, older ones by `Origin`; a client that sends neither is
    no browser and carries nobody's session.
    """
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return site in ("same-origin", "none")
    origin = environ.get("HTTP_ORIGIN")
    return origin is None or urlsplit(origin).netloc == environ.get("HTTP_HOST")


def _is_utf8(query: str) -> bool:
    """Whether a query, of bytes as WSGI has them, can be read; browsers send no other."""
    try:
        query.encode("latin-1").decode()
    except UnicodeError:
        return False
    return True


def _refusal(start: StartResponse, status: str, reason: str) -> list[bytes]:
    body = f"This server does not answer: {reason}.\n".encode()
    own = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(body))}
    start(status, list((own | HEADERS).items()))
    return [body]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
