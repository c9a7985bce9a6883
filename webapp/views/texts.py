"""Long texts and messages of many parts: what follows on the first page, to the very end."""

from __future__ import annotations

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue

from webapp.fragments import render_page_or_fragment
from webapp.messages.texts import Piece, pieces_of, text_of
from webapp.reading import TranscriptPage
from webapp.reading.single import Pieces, build_choice_page, build_message_page
from webapp.rendering import find_previous_start
from webapp.services import deadline, services
from webapp.templating.long_texts import LongText, back_url, long_text
from webapp.transcript import Entry
from webapp.views import whole_number

bp = Blueprint("texts", __name__, url_prefix="/completions/<completion_id>")

POLICY = "default-src 'none'; sandbox"


@bp.get("/messages/<message_id>/text/<int:place>")
def show(completion_id: str, message_id: str, place: int) -> ResponseReturnValue:
    """The slice of a text from `from` on: content part or call number `place`, from 0."""
    return _slice(_message(completion_id, message_id), place)


@bp.get("/choices/<int:choice>/text/<int:place>")
def show_of_choice(completion_id: str, choice: int, place: int) -> ResponseReturnValue:
    """The same, of an output choice."""
    return _slice(_choice(completion_id, choice), place)


@bp.get("/messages/<message_id>/text/<int:place>/whole")
def whole(completion_id: str, message_id: str, place: int) -> ResponseReturnValue:
    """A text as it is, of any length."""
    return _whole(_message(completion_id, message_id), place)


@bp.get("/choices/<int:choice>/text/<int:place>/whole")
def whole_of_choice(completion_id: str, choice: int, place: int) -> ResponseReturnValue:
    """The same, of an output choice."""
    return _whole(_choice(completion_id, choice), place)


@bp.get("/messages/<message_id>/parts")
def pieces(completion_id: str, message_id: str) -> ResponseReturnValue:
    """The content parts and calls of a message from `from` on."""
    return _pieces(_message(completion_id, message_id))


@bp.get("/choices/<int:choice>/parts")
def pieces_of_choice(completion_id: str, choice: int) -> ResponseReturnValue:
    """The same, of an output choice."""
    return _pieces(_choice(completion_id, choice))


def _message(completion_id: str, message_id: str) -> TranscriptPage:
    message = services().loader.load_message(completion_id, message_id, deadline())
    return build_message_page(completion_id, message)


def _choice(completion_id: str, choice: int) -> TranscriptPage:
    completion = services().upstream.retrieve_completion(completion_id, deadline=deadline())
    return build_choice_page(completion_id, completion, choice)


def _slice(section: TranscriptPage, place: int) -> Response:
    entry = _entry(section)
    start = _start()
    long = long_text(entry.message, _piece(entry, place), start=start)
    if long is None:
        abort(404, "The message has no text there.")
    return render_page_or_fragment(
        "messages/text.html",
        "parts/_slice.html",
        section=section,
        entry=entry,
        message=entry.message,
        long=long,
        previous=_previous(long),
        back=back_url(section, entry),
    )


def _previous(long: LongText) -> int | None:
    """Where the slice in front of this one begins."""
    text = text_of(long.piece) or ""
    return find_previous_start(text, start=long.slice.start, limit=services().budgets.text_bytes)


def _whole(section: TranscriptPage, place: int) -> Response:
    """Plain text that no browser runs or keeps; lone surrogates go out as they came."""
    text = text_of(_piece(_entry(section), place))
    if text is None:
        abort(404, "The message has no text there.")
    response = Response(text.encode("utf-8", "surrogatepass"), mimetype="text/plain")
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store"
    return response


def _pieces(section: TranscriptPage) -> Response:
    entry = _entry(section)
    limit = services().budgets.parts
    start = _start()
    found = Pieces.of(entry, start=start, limit=limit)
    if start >= found.total:
        abort(404, "The message has no parts there.")
    return render_page_or_fragment(
        "messages/pieces.html",
        "messages/_pieces.html",
        section=section,
        entry=entry,
        message=entry.message,
        pieces=found,
        previous=max(0, start - limit) if start else None,
        back=back_url(section, entry),
    )


def _entry(section: TranscriptPage) -> Entry:
    return (section.entries or section.outputs)[0]


def _piece(entry: Entry, place: int) -> Piece:
    found = pieces_of(entry.message)
    if place >= len(found):
        abort(404, "The message has no part there.")
    return found[place]


def _start() -> int:
    return whole_number("from", default=0, low=0, high=10**10)
