"""One transcript, a range of it, or one message as a file."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from flask import Blueprint, Response, abort, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.exports import (
    LeftOut,
    Span,
    Transcript,
    iter_html,
    iter_json,
    iter_markdown,
    iter_promptfoo,
    iter_training_line,
)
from webapp.formatting import count
from webapp.ids import parse_message_index
from webapp.messages import Message
from webapp.reading.pasted import parse_range
from webapp.reading.streaming import stream_transcript
from webapp.services import services, start_deadline
from webapp.static_files import export_sheet
from webapp.templating.notes import find_notes
from webapp.views.exports import send_file

bp = Blueprint("exports", __name__, url_prefix="/completions/<completion_id>")

_WRITERS: Final = {"jsonl": iter_training_line, "yaml": iter_promptfoo}
_FOR_PEOPLE: Final = ("md", "html")
_MIMETYPES: Final = {
    "md": "text/markdown",
    "html": "text/html",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "yaml": "application/yaml",
}


@bp.get("/export.<any(md, html, json, jsonl, yaml):form>")
def whole(completion_id: str, form: str) -> ResponseReturnValue:
    """Send a transcript, or the messages of `range=9-15` as Markdown or HTML.

    A form that cannot hold everything is sent only with `partial=1`; without that, a page
    lists the parts that would be left out. Markdown and HTML have the notes of readers with
    `notes=1`.
    """
    span = Span()
    if text := request.args.get("range"):
        numbers = parse_range(text)
        if form not in _FOR_PEOPLE or numbers is None:
            abort(400, "The parameter range takes two numbers, as in 9-15, for Markdown and HTML.")
        span = Span(*numbers, has_answers=False)
    if form in _WRITERS:
        return _send_example(completion_id, form)
    with_notes = form in _FOR_PEOPLE and bool(request.args.get("notes"))
    return _send(_open(completion_id, span, with_notes=with_notes), form)


@bp.get("/messages/<message_id>/export.<any(md, html):form>")
def message(completion_id: str, message_id: str, form: str) -> ResponseReturnValue:
    """Send one message as Markdown or HTML."""
    found = services().upstream.retrieve_message(
        completion_id, message_id, deadline=start_deadline()
    )
    index = parse_message_index(completion_id, message_id)
    completion = services().upstream.retrieve_completion(completion_id, deadline=start_deadline())
    number = None if index is None else index + 1
    span = Span(number or 1, number, has_answers=False)
    return _send(Transcript(completion_id, completion, [found], start=number, span=span), form)


@bp.get("/choices/<int:place>/export.<any(md, html):form>")
def choice(completion_id: str, place: int, form: str) -> ResponseReturnValue:
    """Send one answer as Markdown or HTML."""
    completion = services().upstream.retrieve_completion(completion_id, deadline=start_deadline())
    if place >= len(completion.choices):
        abort(404, f"The completion has no choice {place + 1}.")
    return _send(Transcript(completion_id, completion, [], span=Span(choice=place)), form)


def _open(completion_id: str, span: Span, *, with_notes: bool = False) -> Transcript:
    """Open a transcript. Abort with 404 if it has not all messages of `span`."""
    found = stream_transcript(services().loader, completion_id, start_deadline, first=span.first)
    messages: Iterable[Message] = found.messages
    if span.last is not None:
        messages = list(islice(found.messages, span.last - found.start + 1))
        read = found.start - 1 + len(messages)
        if read < span.last:
            missing = span.first if read < span.first else span.last
            has = f"the transcript has {count(read, 'message')}"
            abort(404, f"There is no message {missing:,}: {has}.")
    notes = find_notes(completion_id, found.completion) if with_notes else None
    return Transcript(
        completion_id,
        found.completion,
        messages,
        start=found.start,
        span=span,
        is_redacted=services().share is not None,
        notes=notes.notes if notes else (),
    )


def _send(transcript: Transcript, form: str) -> Response:
    shows = form == "md" and bool(request.args.get("show"))
    if form == "md":
        pieces = iter_markdown(transcript)
    elif form == "html":
        pieces = iter_html(transcript, current_app.jinja_env, export_sheet())
    else:
        pieces = iter_json(transcript)
    mimetype = "text/plain" if shows else _MIMETYPES[form]
    name = f"{_name(transcript)}.{form}"
    return send_file(pieces, name=name, mimetype=mimetype, inline=shows)


def _send_example(completion_id: str, form: str) -> ResponseReturnValue:
    """Send a form for programs; first a page of its omissions, unless they are accepted."""
    write = _WRITERS[form]
    left_out = LeftOut()
    if not request.args.get("partial"):
        for _ in write(_open(completion_id, Span()), left_out):
            pass
        if left_out.count:
            back = url_for("completions.show", completion_id=completion_id)
            page = render_template("exports/left_out.html", left_out=left_out, form=form, back=back)
            return page, 422, {"Cache-Control": "no-store"}
    transcript = _open(completion_id, Span())
    name = f"{_name(transcript)}.{form}"
    return send_file(write(transcript, LeftOut()), name=name, mimetype=_MIMETYPES[form])


def _name(transcript: Transcript) -> str:
    return "transcript" if transcript.is_redacted else transcript.id
