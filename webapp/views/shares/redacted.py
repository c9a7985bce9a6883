"""A transcript or one message as redacted text, to be copied without making a share.

The whole transcript is searched in any case: a secret that one message names is masked in the
others as well.
"""

from __future__ import annotations

from flask import Blueprint, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from webapp.exact_json import Value
from webapp.messages import Message
from webapp.services import current_sharing
from webapp.shares import ShareChoices, write_text
from webapp.views import read_whole

bp = Blueprint("redacted", __name__, url_prefix="/completions/<completion_id>")


@bp.get("/redacted")
def whole(completion_id: str) -> ResponseReturnValue:
    """Show all messages and the answer."""
    return _render(completion_id, read_whole(completion_id), ShareChoices(calls=True, system=True))


@bp.get("/messages/<message_id>/redacted")
def message(completion_id: str, message_id: str) -> ResponseReturnValue:
    """Show one message."""
    read = read_whole(completion_id)
    number = next((at for at, one in enumerate(read[1], 1) if one.id == message_id), None)
    if number is None:
        abort(404, "The transcript has no such message.")
    chosen = ShareChoices(first=number, last=number, answer=False, calls=True, system=True)
    return _render(completion_id, read, chosen)


@bp.get("/choices/<int:place>/redacted")
def choice(completion_id: str, place: int) -> ResponseReturnValue:
    """Show one answer."""
    chosen = ShareChoices(last=0, calls=True, system=True)
    return _render(completion_id, read_whole(completion_id), chosen, place)


def _render(
    completion_id: str,
    read: tuple[Value, list[Message]],
    choices: ShareChoices,
    place: int | None = None,
) -> ResponseReturnValue:
    completion, messages = read
    made = current_sharing().recent.make(completion, [one.given for one in messages], choices)
    text = write_text(made.document, place)
    if text is None:
        abort(404, "The completion has no such answer.")
    page = render_template(
        "shares/redacted.html",
        text=text,
        masked=sum(not one.is_kept for one in made.findings),
        back=url_for("completions.show", completion_id=completion_id),
    )
    return page, {"Cache-Control": "no-store"}
