"""A reader's own sessions: list them, and end one."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.access import access, current_reader

bp = Blueprint("sessions", __name__)


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
