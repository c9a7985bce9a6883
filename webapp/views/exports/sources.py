"""Completions, messages, parts and calls as JSON: exactly as sent, or indented.

A page shows a part of a long one with its line numbers; the download has all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, abort, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from webapp.exact_json import Value, indent_source
from webapp.exports import Transcript, iter_json
from webapp.fragments import render_page_or_fragment, wants_fragment
from webapp.messages import Message
from webapp.messages.message import list_pieces
from webapp.reading.streaming import stream_transcript
from webapp.services import services, start_deadline
from webapp.views import read_whole_number
from webapp.views.exports import send_file

bp = Blueprint("sources", __name__, url_prefix="/completions/<completion_id>")

FORMS: Final = ("indented", "source")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The characters of a text that one page shows; `line` is the number of its first line.

    `next` and `previous` are the starts of the other pages, None if there is none.
    """

    text: str
    line: int
    total: int
    previous: int | None
    next: int | None


@bp.get("/json")
def completion(completion_id: str) -> ResponseReturnValue:
    """Show a completion; with `messages=1` also its messages, as `export.json` has them."""
    if request.args.get("messages"):
        found = stream_transcript(services().loader, completion_id, start_deadline)
        transcript = Transcript(completion_id, found.completion, found.messages)
        source, most = [], 0
        for piece in iter_json(transcript):
            source.append(piece)
            most += len(piece)
            if most > services().upstream.max_bytes:
                abort(413, "That is too long for a page. Download the transcript as JSON.")
        text = "".join(source)
    else:
        one = services().upstream.retrieve_completion(completion_id, deadline=start_deadline())
        text = one.json.source
    back = url_for("completions.show", completion_id=completion_id)
    return _render(text, name="completion", back=back, has_messages=True)


@bp.get("/messages/<message_id>/json")
def message(completion_id: str, message_id: str) -> ResponseReturnValue:
    """Show one message."""
    found = services().upstream.retrieve_message(
        completion_id, message_id, deadline=start_deadline()
    )
    back = url_for("completions.show_from", completion_id=completion_id, message_id=message_id)
    return _render(found.given.source, name="message", back=back, pieces=_name_pieces(found))


@bp.get("/messages/<message_id>/parts/<int:place>/json")
def piece(completion_id: str, message_id: str, place: int) -> ResponseReturnValue:
    """Show one content part of a message, or one call: `place` counts both from 0."""
    found = services().upstream.retrieve_message(
        completion_id, message_id, deadline=start_deadline()
    )
    back = url_for("completions.show_from", completion_id=completion_id, message_id=message_id)
    return _render(_find_piece(found, place).source, name="part", back=back)


@bp.get("/choices/<int:choice>/json")
def choice(completion_id: str, choice: int) -> ResponseReturnValue:
    """Show one output choice."""
    found = services().loader.load_choice(completion_id, choice, start_deadline())
    back = url_for("completions.show", completion_id=completion_id)
    pieces = _name_pieces(found.message_or_empty)
    return _render(found.json.source, name="choice", back=back, pieces=pieces)


@bp.get("/choices/<int:choice>/parts/<int:place>/json")
def piece_of_choice(completion_id: str, choice: int, place: int) -> ResponseReturnValue:
    """Show one content part or call of an output choice."""
    found = services().loader.load_choice(completion_id, choice, start_deadline()).message_or_empty
    back = url_for("completions.show", completion_id=completion_id)
    return _render(_find_piece(found, place).source, name="part", back=back)


@bp.get("/raw", defaults={"rest": ""})
@bp.get("/messages/<message_id>/raw", defaults={"rest": "message"})
@bp.get("/choices/<int:choice>/raw", defaults={"rest": "choice"})
def raw(completion_id: str, rest: str, **place: Any) -> ResponseReturnValue:
    """Redirect to the JSON, which had this address before."""
    endpoint = f".{rest or 'completion'}"
    return redirect(url_for(endpoint, completion_id=completion_id, **place), 301)


def _find_piece(found: Message, place: int) -> Value:
    pieces = list_pieces(found)
    if place >= len(pieces):
        abort(404, "The message has no part there.")
    return pieces[place].json


def _name_pieces(found: Message) -> list[str]:
    """Name each content part and call, if there are several."""
    kinds = [part.kind.replace("_", " ") for part in found.parts]
    kinds += [getattr(call, "name", None) or "call" for call in found.calls]
    return kinds if len(kinds) > 1 else []


def _render(
    source: str,
    *,
    name: str,
    back: str,
    has_messages: bool = False,
    pieces: Sequence[str] = (),
) -> Response:
    """Render the page of a JSON text, its fragment, or its download."""
    form = request.args.get("form") or FORMS[0]
    if form not in FORMS:
        abort(400, "The parameter form takes indented or source.")
    text = source if form == "source" else indent_source(source)
    if request.args.get("download"):
        own_name = "transcript" if services().share else (request.view_args or {})["completion_id"]
        file_name = f"{own_name}-{name}.json"
        return send_file(iter([text]), name=file_name, mimetype="application/json")
    if wants_fragment():
        excerpt = Excerpt(text, 1, len(text), None, None)
    else:
        start = read_whole_number("from", default=0, low=0, high=10**10)
        excerpt = _cut(text, start, services().budgets.text_bytes)
    page = render_page_or_fragment(
        "json/show.html",
        "json/_fragment.html",
        excerpt=excerpt,
        form=form,
        forms=FORMS,
        name=name,
        back=back,
        has_messages=has_messages,
        pieces=pieces,
        shows_messages=bool(request.args.get("messages")),
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response


def _cut(text: str, start: int, most: int) -> Excerpt:
    """Cut about `most` characters from `start` on; end with a line if one is near."""
    starts = [0]
    while (end := _find_end(text, starts[-1], most)) <= start and end < len(text):
        starts.append(end)
    begin = starts[-1]
    return Excerpt(
        text[begin:end],
        line=text.count("\n", 0, begin) + 1,
        total=len(text),
        previous=starts[-2] if len(starts) > 1 else None,
        next=end if end < len(text) else None,
    )


def _find_end(text: str, start: int, most: int) -> int:
    if len(text) - start <= most:
        return len(text)
    return text.rfind("\n", start + most // 2, start + most) + 1 or start + most
