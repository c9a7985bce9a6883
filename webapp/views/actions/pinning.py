"""Pin completions above the list, and unpin them."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, url_for
from flask.typing import ResponseReturnValue

from webapp.access import Event, known_readers_only, record_event
from webapp.pins import MAX_PINNED
from webapp.services import CannotKeep, current_pins, services, start_deadline
from webapp.upstream import check_id
from webapp.views import read_picked
from webapp.views.actions import read_back

bp = Blueprint("pinning", __name__)


@bp.post("/completions/<completion_id>/pin")
@known_readers_only
def pin(completion_id: str) -> ResponseReturnValue:
    """Pin a completion, and keep a copy of it if it is on another server."""
    _pin(check_id(completion_id))
    return redirect(url_for("completions.show", completion_id=completion_id), 303)


@bp.post("/completions/<completion_id>/unpin")
@known_readers_only
def unpin(completion_id: str) -> ResponseReturnValue:
    """Unpin a completion, whether it is still stored or not; a copy stays."""
    _unpin(check_id(completion_id))
    return redirect(url_for("completions.show", completion_id=completion_id), 303)


@bp.post("/selected/pin")
@known_readers_only
def pin_picked() -> ResponseReturnValue:
    """Pin the ticked completions, the uppermost of them first."""
    for one in reversed(read_picked(most=MAX_PINNED)):
        _pin(one)
    return redirect(read_back(), 303)


@bp.post("/selected/unpin")
@known_readers_only
def unpin_picked() -> ResponseReturnValue:
    """Unpin those of the ticked completions that are pinned."""
    for one in read_picked():
        _unpin(one)
    return redirect(read_back(), 303)


def _pin(completion_id: str) -> None:
    found, pins = services(), current_pins()
    if completion_id in pins.list():
        return
    if found.copies is None:
        found.upstream.retrieve_completion(completion_id, deadline=start_deadline())
    else:
        try:
            found.copies.keep(completion_id)
        except CannotKeep as error:
            abort(409, str(error))
    if not pins.add(completion_id):
        abort(409, f"{MAX_PINNED} completions are pinned, and no more can be. Unpin one first.")
    record_event(Event.PINNED, completion=completion_id)


def _unpin(completion_id: str) -> None:
    if current_pins().remove(completion_id):
        record_event(Event.UNPINNED, completion=completion_id)
