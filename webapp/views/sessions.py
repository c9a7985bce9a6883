"""A reader's own sessions, and the record of what readers did, for administrators."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.access import access, administrators_only, current_reader
from webapp.views import read_whole_number

bp = Blueprint("sessions", __name__)

_LIMIT = 100


@bp.get("/sessions")
def index() -> ResponseReturnValue:
    """List the sessions of the reader, the last used first."""
    reader = current_reader()
    found = access().sessions.list_for(reader.identity) if reader.session else []
    return render_template("access/sessions.html", reader=reader, sessions=found)


@bp.post("/sessions/end")
def end() -> ResponseReturnValue:
    """End one of the reader's sessions."""
    reader = current_reader()
    access().sessions.end(request.form.get("session", ""), identity=reader.identity)
    return redirect(url_for("sessions.index"), 303)


@bp.get("/record")
@administrators_only
def record() -> ResponseReturnValue:
    """Show entries of the record, newest first, from those older than `before`."""
    before = read_whole_number("before", default=0, low=0, high=10**11 - 1)
    entries = access().record.list_entries(before=before or None, limit=_LIMIT + 1)
    return render_template(
        "access/record.html",
        entries=entries[:_LIMIT],
        older=entries[_LIMIT - 1].number if len(entries) > _LIMIT else None,
        is_first="before" not in request.args,
    )
