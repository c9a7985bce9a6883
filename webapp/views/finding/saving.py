"""Save the filters of the list under a name, and delete them."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from webapp.access import known_readers_only
from webapp.saved import MAX_NAME, MAX_SAVED, SavedFilters, clean_name
from webapp.services import services
from webapp.templating.finding.filters import read_filters

bp = Blueprint("saving", __name__)


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
def delete() -> ResponseReturnValue:
    """Delete the filters saved under `name`, if there are any."""
    _get_saved().delete(request.form.get("name", ""))
    return redirect(url_for("listing.index"), 303)


def _get_saved() -> SavedFilters:
    return services().saved or abort(404)
