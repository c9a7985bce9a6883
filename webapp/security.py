"""What every answer carries and every request must be: headers, the Host, the origin of writes."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flask import Flask, Request, Response, abort, request

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


def protect(app: Flask) -> None:
    """Gives every answer of `app` the headers, and refuses writes from other origins."""
    app.before_request(_refuse_foreign_writes)
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


def _refuse_foreign_writes() -> None:
    if request.method not in _SAFE_METHODS and not is_same_origin(request):
        abort(403, "This form was sent from another site.")


def is_same_origin(request: Request) -> bool:
    """Whether a write comes from a page of ours.

    Browsers tell by `Sec-Fetch-Site`, older ones by `Origin`; a client that sends neither is
    no browser and carries nobody's session.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


class HostCheck:
    """A WSGI layer that answers only requests for a host of ours.

    A page of a foreign site can make its own name resolve to this machine (DNS rebinding) and
    would then be the same origin; the Host header still tells the foreign name. Addresses
    cannot be rebound, so they always pass.
    """

    def __init__(self, app: WSGIApplication, names: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset({"localhost", *names})

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if self._is_ours(environ.get("HTTP_HOST", "")):
            return self._app(environ, start)
        body = b"This server does not answer for that host name.\n"
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
        ]
        headers += [(name, value) for name, value in HEADERS.items()]
        start("421 Misdirected Request", headers)
        return [body]

    def _is_ours(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name, _ = parts.hostname, parts.port
        except ValueError:
            return False
        if not name or parts.path or parts.query or "@" in host:
            return False
        return name in self._names or host.lower() in self._names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
