"""A message on its transcript, and the messages before it."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from webapp.fragments import render_page_or_fragment
from webapp.services import services, start_deadline
from webapp.views import make_context, read_transcript_request

bp = Blueprint("messages", __name__, url_prefix="/completions/<completion_id>")


@bp.get("/messages/<message_id>")
def show(completion_id: str, message_id: str) -> ResponseReturnValue:
    """Show the transcript from this message on, with the message highlighted."""
    page = services().loader.load_page_from(
        completion_id, message_id, read_transcript_request(), start_deadline()
    )
    context = make_context(page, target=message_id)
    return render_page_or_fragment(
        "completions/show.html", "completions/_page.html", context=context
    )


@bp.get("/messages/<message_id>/earlier")
def earlier(completion_id: str, message_id: str) -> ResponseReturnValue:
    """Show the messages before this one."""
    page = services().loader.load_earlier(
        completion_id, message_id, read_transcript_request(), start_deadline()
    )
    context = make_context(page)
    return render_page_or_fragment(
        "completions/show.html", "completions/_earlier.html", context=context
    )
