"""Add the security headers to every answer; check the Host, and the origin of writes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from werkzeug.http import parse_set_header

from webapp.addresses.hosts import find_name, is_address
from webapp.fragments import VARY
from webapp.redaction import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    _Failure = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

log = get_logger("readback")

CONTENT_SECURITY_POLICY: Final = "; ".join(
    ["default-src 'none'"]
    + [f"{what}-src 'self'" for what in ("script", "style", "img", "media", "connect", "font")]
    + ["frame-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"]
)
SANDBOX_POLICY: Final = "default-src 'none'; sandbox"
"""Of parts of a transcript that are sent alone: no browser runs them as a page of ours."""

_FEATURES: Final = [
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
]
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
}
_ABSENT: Final = tuple(
    tuple((name.lower(), (name, value)) for name, value in headers.items())
    for headers in (HEADERS, HEADERS | {"Referrer-Policy": "no-referrer"})
)
"""The headers of other answers, and of those under the path of shares."""
_NAMES: Final = {
    name.lower(): name for name in ("Cache-Control", "Vary", "Strict-Transport-Security")
}
PAGE_CACHING: Final = "private, no-cache"
"""Lets Back show the loaded page. Other answers are not kept, unless they say so themselves."""
_SHARED_PATH: Final = "/s/"
"""Under it, an address is a key to a transcript."""
_FAILED: Final = "Readback failed at this. The log of the server has the details."
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Gate:
    """The WSGI layer around everything that answers: it adds headers and refuses foreign requests.

    Only `Forwarding` and `RequestLog` are outside of it, and neither answers anything itself.

    Every answer has the headers: a page, the API, a file, even a failure of the application. An
    answer that sets some of them itself, such as a stricter policy, keeps its own. The gate
    refuses other hosts, writes from other sites, reads by the pages of other sites, and a query
    that is not UTF-8, which the application could not read.

    A foreign site can make its own name resolve to this machine (DNS rebinding); its pages
    would then have our origin, but the Host header still has the foreign name. Addresses cannot
    be rebound, so they always pass. A foreign site can also send a form here without asking;
    browsers say which site it came from.
    """

    def __init__(self, app: WSGIApplication, names: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset({"localhost", *names})

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start = _add_headers(
            start,
            is_secure=environ.get("wsgi.url_scheme") == "https",
            is_shared=environ.get("PATH_INFO", "").startswith(_SHARED_PATH),
        )
        host = environ.get("HTTP_HOST", "")
        name = find_name(host)
        is_ours = name and (name in self._names or host.lower() in self._names or is_address(name))
        if not is_ours:
            return _refuse(start, "421 Misdirected Request", "not for that host name")
        if environ["REQUEST_METHOD"] not in _SAFE_METHODS and not is_same_origin(environ):
            return _refuse(start, "403 Forbidden", "not for forms of other sites")
        if is_foreign_use(environ):
            return _refuse(start, "403 Forbidden", "not for pages of other sites")
        if not _is_utf8(environ.get("QUERY_STRING", "")):
            return _refuse(start, "400 Bad Request", "the query is not UTF-8")
        try:
            return self._app(environ, start)
        except Exception:
            # The WSGI server would answer without headers, in its own words.
            log.exception("no answer could be made")
            return _answer_text(start, "500 Internal Server Error", _FAILED)


def is_same_origin(environ: WSGIEnvironment) -> bool:
    """Return whether a write comes from a page of ours, or from no browser at all.

    Browsers send `Sec-Fetch-Site`, older ones `Origin`; a client that sends neither is not a
    browser and carries nobody's session.
    """
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return site in ("same-origin", "none")
    origin = environ.get("HTTP_ORIGIN")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc == environ.get("HTTP_HOST")
    except ValueError:
        return False


def is_foreign_use(environ: WSGIEnvironment) -> bool:
    """Return whether a page of another site uses this address in itself: as an image, say.

    It cannot read the answer, but could have thousands of them made. Following a link to this
    address is no such use; framing or prefetching it is.
    """
    mode = environ.get("HTTP_SEC_FETCH_MODE")
    # Browsers that send the site send the mode as well; others send neither for a followed link.
    if mode is None or is_same_origin(environ):
        return False
    is_followed = (
        mode == "navigate" and environ.get("HTTP_SEC_FETCH_DEST", "document") == "document"
    )
    return not is_followed or "prefetch" in environ.get("HTTP_SEC_PURPOSE", "")


def _is_utf8(query: str) -> bool:
    """Return whether `query`, bytes in Latin-1 as in WSGI, is UTF-8; browsers send nothing else."""
    try:
        query.encode("latin-1").decode()
    except UnicodeError:
        return False
    return True


def _add_headers(start: StartResponse, *, is_secure: bool, is_shared: bool) -> StartResponse:
    """Wrap `start`, a `start_response`, to add the headers an answer lacks."""

    def start_with_headers(
        status: str, given: list[tuple[str, str]], failure: _Failure | None = None, /
    ) -> Callable[[bytes], object]:
        known = {name.lower(): value for name, value in reversed(given)}
        is_page = known.get("content-type", "").startswith("text/html")
        caching = PAGE_CACHING if is_page and not is_shared else "no-store"
        replaced = {"cache-control": known.get("cache-control", caching)}
        if is_page:
            replaced["vary"] = extend_vary(known.get("vary"))
        if is_secure:
            replaced["strict-transport-security"] = "max-age=31536000"
        headers = list(given)
        if not known.keys().isdisjoint(replaced):
            headers = [header for header in given if header[0].lower() not in replaced]
        headers += [(_NAMES[name], value) for name, value in replaced.items()]
        headers += [header for name, header in _ABSENT[is_shared] if name not in known]
        return start(status, headers, failure)

    return start_with_headers


@lru_cache(maxsize=16)
def extend_vary(vary: str | None, *names: str) -> str:
    """Add `names`, and the headers that every page varies by, to the value of a Vary header."""
    extended = parse_set_header(vary)
    extended.update((*names, *VARY))
    return extended.to_header()


def _refuse(start: StartResponse, status: str, reason: str) -> list[bytes]:
    return _answer_text(start, status, f"This server does not answer: {reason}.")


def _answer_text(start: StartResponse, status: str, sentence: str) -> list[bytes]:
    body = f"{sentence}\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start(status, headers)
    return [body]
