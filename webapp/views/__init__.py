"""The pages, one file an area. What they share: the services of the app, and reading queries."""

from __future__ import annotations

from flask import Response, abort, request

from webapp.exact_json import Value
from webapp.fragments import render_page_or_fragment
from webapp.reading import PageRequest

MAX_LIMIT = 100


def raw_page(json: Value, *, back: str) -> Response:
    """Exact JSON on a page of its own, which browsers do not keep; `back` is where it came from."""
    response = render_page_or_fragment("raw.html", "_raw.html", json=json, back=back)
    response.headers["Cache-Control"] = "no-store"
    return response


def window() -> PageRequest:
    """The window that the query asks for. Answers 400 with a sentence when it is malformed."""
    order = request.args.get("order") or "asc"
    if order not in ("asc", "desc"):
        abort(400, "The parameter order takes asc or desc.")
    return PageRequest(
        after=request.args.get("after") or None,
        limit=whole_number("limit", default=20, low=1, high=MAX_LIMIT),
        order="asc" if order == "asc" else "desc",
        shown=whole_number("shown", default=0, low=0, high=10**9),
    )


def whole_number(name: str, *, default: int, low: int, high: int) -> int:
    """A query parameter as a number. Answers 400 when it is none in that range."""
    raw = request.args.get(name) or str(default)
    if not (raw.isascii() and raw.isdigit() and len(raw) < 12 and low <= int(raw) <= high):
        abort(400, f"The parameter {name} takes a whole number from {low:,} to {high:,}.")
    return int(raw)
