"""The record of logins, shares, exports and deletions, for administrators."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from webapp.access import access, administrators_only
from webapp.views import read_whole_number

bp = Blueprint("record", __name__)

_LIMIT = 100


@bp.get("/record")
@administrators_only
def index() -> ResponseReturnValue:
    """Show entries, newest first, from those older than `before`."""
    before = read_whole_number("before", default=0, low=0, high=10**11 - 1)
    entries = access().record.list_entries(before=before or None, limit=_LIMIT + 1)
    return render_template(
        "access/record.html",
        entries=entries[:_LIMIT],
        older=entries[_LIMIT - 1].number if len(entries) > _LIMIT else None,
        is_first="before" not in request.args,
    )
