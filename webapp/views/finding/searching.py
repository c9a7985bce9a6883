"""Search all stored completions: by words, and by facts such as `tool:shell`."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import quote

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.finding import BadQuery, Cursor, Found, Hit, Query, parse_query
from webapp.finding.query import HAS, find_unknown_filters
from webapp.services import services
from webapp.templating.addresses import is_linkable, place_url
from webapp.templating.finding.searching import count_unchecked
from webapp.views import read_whole_number

bp = Blueprint("finding", __name__)

SECONDS: Final = 2.0
"""The time that one page may search; it then links to the rest."""

_CURSOR: Final = re.compile(r"(-?[0-9]{1,19})-([0-9]{1,19})")


@bp.get("/search")
def search() -> ResponseReturnValue:
    """Show the completions that match `q`, newest first, with links to each place."""
    words = request.args.get("q", "")
    limit = read_whole_number("limit", default=20, low=1, high=100)
    after = _read_cursor()
    origin = request.args.get("from")
    finder = services().finder
    fault, query, results = None, Query(), None
    try:
        query = parse_query(words)
    except BadQuery as problem:
        fault = str(problem)
    if query and finder is not None:
        results = finder.search(query, after=after, limit=limit, seconds=SECONDS)
    next_url = None
    if results and results.cursor:
        after_last = f"{results.cursor.created}-{results.cursor.seq}"
        kept: dict[str, Any] = {name: request.args.get(name) for name in ("limit", "from")}
        next_url = url_for("finding.search", q=words, after=after_last, **kept)
    page = render_template(
        "finding/search.html",
        words=words,
        query=query,
        fault=fault,
        has_finder=finder is not None,
        results=results,
        continues=after is not None,
        facts=HAS,
        unknown_filters=[] if fault else find_unknown_filters(words),
        origin=origin if is_linkable(origin) else None,
        not_checked=count_unchecked(query),
        hit_url=_hit_url,
        list_url=url_for("listing.index", filter=words) if results and not query.terms else None,
        next_url=next_url,
    )
    return page, 400 if fault else 200


def _read_cursor() -> Cursor | None:
    after = request.args.get("after")
    if not after:
        return None
    found = _CURSOR.fullmatch(after)
    if found is None or max(abs(int(found[1])), int(found[2])) >= 2**63:
        abort(400, "The parameter after takes a cursor from the page before.")
    return Cursor(int(found[1]), int(found[2]))


def _hit_url(found: Found, hit: Hit) -> str:
    """Build the address of a hit; its text fragment has the browser mark the match."""
    marked = quote(hit.match[:100], safe="", errors="replace").replace("-", "%2D")
    if hit.scope == "metadata":
        page = url_for("completions.show", completion_id=found.id)
        return f"{page}#about:~:text={marked}"
    anchor = "answer" if hit.position is None else f"m-{hit.position + 1}"
    return f"{place_url(found.id, hit.message_id, anchor)}:~:text={marked}"
