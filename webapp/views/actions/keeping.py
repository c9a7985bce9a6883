"""Keep a copy of a completion, and show copies: the list and the pages of the viewer."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from webapp.access import Event, known_readers_only, record_event
from webapp.addresses.forwarding import READING
from webapp.services import CannotKeep, services
from webapp.views.nesting import answer_nested

bp = Blueprint("kept", __name__)


@bp.post("/completions/<completion_id>/keep")
@known_readers_only
def keep(completion_id: str) -> ResponseReturnValue:
    """Copy a completion into the store, and redirect to the copy."""
    copies = services().copies
    if copies is None:
        abort(404, "Readback reads from its own store, which keeps every completion.")
    had_one = copies.find(completion_id) is not None
    try:
        copies.keep(completion_id)
    except CannotKeep as error:
        abort(409, str(error))
    if not had_one:
        record_event(Event.KEPT, completion=completion_id)
    return redirect(url_for("kept.show", rest=completion_id), 303)


@bp.get("/kept")
def index() -> ResponseReturnValue:
    """Show the list of copies."""
    return _answer("completions")


@bp.route("/kept/<path:rest>", methods=["GET", "POST"])
def show(rest: str) -> ResponseReturnValue:
    """Show a page of the copies: `/kept/ID`, or any path of the viewer below `/kept`."""
    is_id = "/" not in rest and rest not in READING
    return _answer(f"completions/{rest}" if is_id else rest)


def _answer(path: str) -> ResponseReturnValue:
    copies = services().copies
    if copies is not None:
        return answer_nested(copies.get_pages(), request.environ, mount="/kept", path=f"/{path}")
    if request.method not in ("GET", "HEAD"):
        abort(404)
    # Without another server, the ordinary pages show the store.
    query = request.query_string.decode("latin-1")
    return redirect(f"{request.script_root}/{quote(path)}{query and f'?{query}'}", 303)
