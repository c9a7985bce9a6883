"""Create a completion once more: code for it, and for a page of messages, or a click.

The new completion is stored beside the first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.access import Event, known_readers_only, record_event
from webapp.services import services
from webapp.snippets import (
    FILE_NAME,
    LANGUAGES,
    CreateRequest,
    Language,
    MessageQuery,
    Server,
)
from webapp.upstream import Deadline, check_id
from webapp.views import read_transcript_request
from webapp.views.actions import read_create_request, read_upto
from webapp.views.exports import send_file

bp = Blueprint("code", __name__, url_prefix="/completions/<completion_id>")

_MAX_UNASKED: Final = 64 * 1024
_MAX_IN_CODE: Final = 4 * 1024 * 1024
"""Characters of a request that is in the code: if the reader chose nothing, and at all."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """The code on a page. That for another run has its `request`, in the code or `from_file`."""

    code: str
    request: CreateRequest | None = None
    from_file: bool = False

    @property
    def fits_in_code(self) -> bool:
        return self.request is not None and len(self.request.json) <= _MAX_IN_CODE


@bp.get("/code")
def show(completion_id: str) -> ResponseReturnValue:
    """Show the code of one call in one language: `for` is `messages` or `again`.

    The code for messages takes `after`, `limit` and `order`; that for another run takes `to`, the
    number of the last message, and `body`, which is `code` or `file`.
    """
    check_id(completion_id)
    language = LANGUAGES.get(request.args.get("in") or "curl")
    wanted = request.args.get("for") or "messages"
    if language is None:
        abort(400, f"The parameter in takes {', '.join(LANGUAGES)}.")
    if wanted not in ("messages", "again"):
        abort(400, "The parameter for takes messages or again.")
    write = _write_again if wanted == "again" else _write_messages
    kept = ("for", "in", "after", "limit", "order", "to", "body")
    query = {name: request.args.get(name) or None for name in kept}

    def change_url(name: str, value: str) -> str:
        changed: dict[str, Any] = {**query, name: value}
        return url_for("code.show", completion_id=completion_id, **changed)

    page = render_template(
        "actions/code.html",
        completion_id=completion_id,
        language=language,
        languages=LANGUAGES.values(),
        wanted=wanted,
        snippet=write(completion_id, language),
        query=query,
        change_url=change_url,
        again=services().again,
        file_name=FILE_NAME,
    )
    return page, {"Cache-Control": "no-store"}


@bp.get(f"/{FILE_NAME}")
def download(completion_id: str) -> ResponseReturnValue:
    """Send the body of the request as a file, for code that reads it from there."""
    text = read_create_request(completion_id, upto=read_upto(request.args.get("to"))).layout
    return send_file(iter([f"{text}\n"]), name=FILE_NAME, mimetype="application/json")


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


def _write_messages(completion_id: str, language: Language) -> Snippet:
    asked = read_transcript_request()
    query = MessageQuery(completion_id, asked.after, asked.limit, asked.order)
    server = services().again.reads
    return Snippet(language.write_list(_with_address(server), query))


def _write_again(completion_id: str, language: Language) -> Snippet:
    body = request.args.get("body") or ""
    if body not in ("", "code", "file"):
        abort(400, "The parameter body takes code or file.")
    made = read_create_request(completion_id, upto=read_upto(request.args.get("to")))
    most = _MAX_IN_CODE if body == "code" else _MAX_UNASKED
    from_file = body == "file" or len(made.json) > most
    server = _with_address(services().again.creates)
    return Snippet(language.write_create(server, made, from_file=from_file), made, from_file)


def _with_address(server: Server) -> Server:
    """Fill in the address of this Readback if it is the server itself."""
    if not server.is_own:
        return server
    return replace(server, base_url=f"{request.host_url[:-1]}{request.script_root}/v1")
