"""Find completions across the store: search them, count them, and save filters of the list."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.access import known_readers_only
from webapp.finding import BadQuery, Cursor, Found, Hit, Query, parse_query
from webapp.finding.query import HAS, find_unknown_filters
from webapp.saved import MAX_NAME, MAX_SAVED, SavedFilters, clean_name
from webapp.services import services
from webapp.templating.addresses import is_linkable, place_url
from webapp.templating.finding.filters import read_filters
from webapp.templating.finding.overview import find_overview
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
    fault, query, results, named = None, Query(), None, None
    try:
        query = parse_query(words)
    except BadQuery as problem:
        fault = str(problem)
    if query and finder is not None:
        results = finder.search(query, after=after, limit=limit, seconds=SECONDS)
        if not results.found and query == Query(query.terms[:1]):
            # Ids are not among the texts.
            named = next(iter(finder.find_numbers(query.terms)), None)
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
        named=named if is_linkable(named) else None,
        facts=HAS,
        unknown_filters=[] if fault else find_unknown_filters(words),
        origin=origin if is_linkable(origin) else None,
        not_checked=count_unchecked(query),
        hit_url=_hit_url,
        list_url=url_for("listing.index", filter=words) if results and not query.terms else None,
        next_url=next_url,
    )
    return page, 400 if fault else 200


@bp.get("/overview")
def show_overview() -> ResponseReturnValue:
    """Show the counts of all completions that pass the filters, the same as those of the list."""
    filters = read_filters()
    return render_template(
        "overview/show.html",
        filters=filters,
        overview=find_overview(filters),
        terms=parse_query(filters.text).terms,
    )


@bp.post("/saved-filters")
@known_readers_only
def save() -> ResponseReturnValue:
    """Save the filters in `query`, that of a list's address, under `name`."""
    found = _get_saved()
    name = clean_name(request.form.get("name", ""))
    if name is None:
        abort(400, f"A name has 1 to {MAX_NAME} characters that can be seen.")
    filters = read_filters(dict(parse_qsl(request.form.get("query", ""))))
    query = urlencode(filters.query())
    if not query:
        abort(400, "There are no filters to save.")
    if not found.save(name, query):
        abort(409, f"{MAX_SAVED} filters are saved, and no more can be. Delete one first.")
    return redirect(filters.url(), 303)


@bp.post("/saved-filters/delete")
@known_readers_only
def delete_saved() -> ResponseReturnValue:
    """Delete the filters saved under `name`, if there are any."""
    _get_saved().delete(request.form.get("name", ""))
    return redirect(url_for("listing.index"), 303)


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


def _get_saved() -> SavedFilters:
    return services().saved or abort(404)
