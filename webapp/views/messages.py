"""Messages: a link to one, what stands in front of it, and its exact JSON."""

from __future__ import annotations

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from webapp.fragments import render_page_or_fragment
from webapp.services import deadline, services
from webapp.views import raw_page, window

bp = Blueprint("messages", __name__, url_prefix="/completions/<completion_id>")


@bp.get("/messages/<message_id>")
def show(completion_id: str, message_id: str) -> ResponseReturnValue:
    """The transcript from this message on, highlighted."""
    section = services().loader.load_page_from(completion_id, message_id, window(), deadline())
    return render_page_or_fragment(
        "completions/show.html", "completions/_page.html", section=section, target=message_id
    )


@bp.get("/messages/<message_id>/earlier")
def earlier(completion_id: str, message_id: str) -> ResponseReturnValue:
    """The messages in front of this one."""
    section = services().loader.load_earlier(completion_id, message_id, window(), deadline())
    return render_page_or_fragment(
        "completions/show.html", "completions/_earlier.html", section=section
    )


@bp.get("/messages/<message_id>/raw")
def raw(completion_id: str, message_id: str) -> ResponseReturnValue:
    """One message, as the server sent it."""
    message = services().loader.load_message(completion_id, message_id, deadline())
    back = url_for(".show", completion_id=completion_id, message_id=message_id)
    return raw_page(message.json, back=back)


@bp.get("/choices/<int:place>/raw")
def raw_choice(completion_id: str, place: int) -> ResponseReturnValue:
    """One output choice, as the server sent it."""
    choice = services().loader.load_choice(completion_id, place, deadline())
    back = url_for("completions.show", completion_id=completion_id)
    return raw_page(choice.json, back=back)
