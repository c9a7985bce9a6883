"""Compress pages, and answer 304 to a browser that has a page as it is.

The length of a compressed page reveals how much of a text in the request is also elsewhere in it
(BREACH). So a page with a query is compressed only for requests that no other site has made, and
one with words to search or filter by never.
"""

from __future__ import annotations

from typing import Final, cast

from flask import Flask, Response, g, request

from webapp.caching.bodies import BODY, Body, compress, find_etag
from webapp.fragments import VARY
from webapp.security import PAGE_CACHING

LEAST_BYTES: Final = 1_000
"""Smaller pages fit into one packet anyway."""

_OWN: Final = frozenset({"same-origin", "none"})
"""Values of `Sec-Fetch-Site` for requests by a page of ours or by the reader."""

_PLACES: Final = frozenset(
    ("after", "all", "from", "images", "like", "limit", "only", "order", "range", "shown")
    + ("until", "view", "whole")
)
"""Parameters that say which part of a transcript is shown, and how."""


def install(app: Flask) -> None:
    """Compress the pages of `app`, and give them validators."""
    app.after_request(finish_page)


def finish_page(response: Response) -> Response:
    """Compress the answer as the browser accepts it; streamed ones are left as they are."""
    is_page = response.mimetype == "text/html" and not response.is_streamed
    if not is_page or request.method not in ("GET", "HEAD"):
        return response
    kept = cast("Body | None", g.get(BODY))
    body = response.get_data()
    response.vary.add("Accept-Encoding")
    is_kept = "no-store" not in response.headers.get("Cache-Control", "")
    if response.status_code == 200 and is_kept and "Set-Cookie" not in response.headers:
        # A 304 is not a page to the layers around, and its headers replace those that are kept.
        response.headers.setdefault("Cache-Control", PAGE_CACHING)
        response.vary.update(VARY)
        # Weak, since it is that of the page before it is compressed.
        response.set_etag(kept.etag if kept else find_etag(body), weak=True)
        response.make_conditional(request)
    takes_gzip = request.accept_encodings.quality("gzip") > 0
    is_own = request.headers.get("Sec-Fetch-Site") in _OWN and set(request.args) <= _PLACES
    reveals_nothing = is_own or not request.args
    if response.status_code != 304 and takes_gzip and len(body) >= LEAST_BYTES and reveals_nothing:
        response.set_data(kept.compressed if kept else compress(body))
        response.content_encoding = "gzip"
    return response
