"""Do something with several completions at once: the rows that were ticked in a list."""

from __future__ import annotations

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from webapp.access import Event, record_event
from webapp.services import services, start_deadline
from webapp.upstream import NotFound, UpstreamError
from webapp.views import read_picked, read_rows
from webapp.views.actions import changers_only, read_back
from webapp.views.actions.changing import (
    delete_traces,
    keeps_shares,
    list_open_shares,
    redirect_after_deletion,
)

bp = Blueprint("selecting", __name__, url_prefix="/selected")

MAX_DELETED = 100
"""Completions that one page names before they are deleted."""


@bp.get("/delete")
@changers_only
def confirm() -> ResponseReturnValue:
    """Ask whether to delete the ticked completions, which the page names."""
    return _ask(read_picked(most=MAX_DELETED))


@bp.post("/delete")
@changers_only
def delete() -> ResponseReturnValue:
    """Delete the completions of the form; if one fails, ask again about those that are left.

    Those that somebody else has deleted count as deleted.
    """
    ids = read_picked(most=MAX_DELETED)
    for at, completion_id in enumerate(ids):
        try:
            services().upstream.delete_completion(completion_id, deadline=start_deadline())
        except NotFound:
            delete_traces(completion_id, keeps_shares=keeps_shares())
            continue
        except UpstreamError as problem:
            return _ask(ids[at:], problem, done=at), problem.http_status
        record_event(Event.DELETE, completion=completion_id)
        delete_traces(completion_id, keeps_shares=keeps_shares())
    return redirect_after_deletion(ids, read_back())


def _ask(ids: list[str], problem: UpstreamError | None = None, *, done: int = 0) -> str:
    rows, missing = read_rows(ids)
    if not rows:
        abort(404, "None of the ticked completions is stored any more.")
    return render_template(
        "actions/delete_several.html",
        rows=rows,
        missing=missing,
        shares=[share for row in rows for share in list_open_shares(row.completion.id or "")],
        back=read_back(),
        problem=problem,
        done=done,
    )
