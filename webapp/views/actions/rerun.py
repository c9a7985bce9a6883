"""Create a completion once more on the model server; the new one is stored beside the first."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from webapp.access import Event, known_readers_only, record_event
from webapp.services import services
from webapp.upstream import Deadline
from webapp.views.actions import read_create_request, read_upto

bp = Blueprint("rerun", __name__, url_prefix="/completions/<completion_id>")


@bp.post("/again")
@known_readers_only
def run(completion_id: str) -> ResponseReturnValue:
    """Create the completion of the first `to` messages, by `model`, and show how it differs.

    Beside another server, that takes a copy of the first one.
    """
    model = services().again.model
    if model is None:
        abort(404, "No model server is configured. READBACK_MODEL_URL names one.")
    made = read_create_request(
        completion_id,
        upto=read_upto(request.form.get("to")),
        model=request.form.get("model", "").strip() or None,
    )
    if not made.can_be_sent:
        abort(400, " ".join(("There is no request to send.", *made.notes)))
    deadline = Deadline.after(services().again.timeout, clock=model.clock)
    new_id = model.create_completion(made.json.encode(), deadline=deadline)
    record_event(Event.RUN_AGAIN, completion=completion_id, as_=new_id)
    copies = services().copies
    if copies is None:
        return redirect(url_for("compare.show", a=completion_id, b=new_id), 303)
    # Beside another server, the store that it is in has pages of its own.
    if copies.find(completion_id) is None:
        return redirect(url_for("kept.show", rest=new_id), 303)
    return redirect(url_for("kept.show", rest="compare", a=completion_id, b=new_id), 303)
