"""Compress pages, and answer 304 to a browser that has a page as it is.

The length of a compressed page reveals how much of a text in the request is also elsewhere in it
(BREACH). So a page with a query is compressed only for requests that no other site has made, and
one with words to search or filter by never.
"""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request

from webapp.caching.pages import Body, KeptResponse, compress, find_etag
from webapp.security import PAGE_CACHING, extend_vary

LEAST_BYTES: Final = 1_000
"""Smaller pages fit into one packet anyway."""

_OWN: Final = frozenset({"same-origin", "none"})
"""Values of `Sec-Fetch-Site` for requests by a page of ours or by the reader."""

_CONDITIONS: Final = frozenset({"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"})
"""Of those that a browser can set, the ones that apply to a page without a date."""

_PLACES: Final = frozenset(
    ("after", "all", "from", "images", "like", "limit", "only", "order", "range", "shown")
    + ("until", "view", "whole")
)
"""Parameters that say which part of a transcript is shown, and how."""


def install(app: Flask) -> None:
    """Compress the pages of `app`, and give them validators."""
    app.after_request(_finish_answer)


def _finish_answer(response: Response) -> Response:
    if not isinstance(response, KeptResponse):
        return finish_page(response, None)
    return response if response.is_finished else finish_page(response, response.body)


def finish_page(response: Response, kept: Body | None) -> Response:
    """Compress the answer as the browser accepts it; streamed ones are left as they are.

    Its body may be `kept` with its validator and its compressed form.
    """
    is_page = response.mimetype == "text/html" and not response.is_streamed
    if not is_page or request.method not in ("GET", "HEAD"):
        return response
    body = response.get_data()
    headers = response.headers
    # Those of a 304 replace the headers that are kept, and it is no page to the layers around.
    headers["Vary"] = extend_vary(headers.get("Vary"), "Accept-Encoding")
    is_kept = "no-store" not in headers.get("Cache-Control", "")
    if response.status_code == 200 and is_kept and "Set-Cookie" not in headers:
        headers.setdefault("Cache-Control", PAGE_CACHING)
        # Weak, since it is that of the page before it is compressed.
        response.set_etag(kept.etag if kept else find_etag(body), weak=True)
        if not _CONDITIONS.isdisjoint(request.environ):
            response.make_conditional(request)
    takes_gzip = request.accept_encodings.quality("gzip") > 0
    is_own = request.headers.get("Sec-Fetch-Site") in _OWN and set(request.args) <= _PLACES
    reveals_nothing = is_own or not request.args
    if response.status_code != 304 and takes_gzip and len(body) >= LEAST_BYTES and reveals_nothing:
        response.set_data(kept.compressed if kept else compress(body))
        response.content_encoding = "gzip"
    return response
