"""Messages alone, with their menus, long texts and all their parts."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, abort, make_response, render_template
from flask.typing import ResponseReturnValue

from webapp.completions import Completion
from webapp.fragments import render_page_or_fragment, wants_fragment
from webapp.messages import ToolCall
from webapp.messages.message import Piece, get_text, list_pieces
from webapp.reading import TranscriptPage
from webapp.reading.building import build_choice_page, build_message_page
from webapp.rendering import find_previous_start
from webapp.security import SANDBOX_POLICY
from webapp.services import services, start_deadline
from webapp.templating import RenderContext
from webapp.templating.addresses import back_url
from webapp.templating.bubbles import slice_text, view_pieces
from webapp.transcript import Entry
from webapp.upstream import UpstreamError
from webapp.views import read_whole_number

bp = Blueprint("texts", __name__, url_prefix="/completions/<completion_id>")


@bp.get("/messages/<message_id>/text/<int:place>")
def show(completion_id: str, message_id: str, place: int) -> ResponseReturnValue:
    """Show the slice of a text from `from` on: content part or call number `place`, from 0."""
    return _show_slice(_load_message(completion_id, message_id), place)


@bp.get("/choices/<int:choice>/text/<int:place>")
def show_of_choice(completion_id: str, choice: int, place: int) -> ResponseReturnValue:
    """Show the slice of a text of an output choice."""
    return _show_slice(_load_choice(completion_id, choice), place)


@bp.get("/messages/<message_id>/text/<int:place>/whole")
def whole(completion_id: str, message_id: str, place: int) -> ResponseReturnValue:
    """Send a text as it is, of any length."""
    return _send_whole(_load_message(completion_id, message_id), place)


@bp.get("/choices/<int:choice>/text/<int:place>/whole")
def whole_of_choice(completion_id: str, choice: int, place: int) -> ResponseReturnValue:
    """Send a text of an output choice as it is."""
    return _send_whole(_load_choice(completion_id, choice), place)


@bp.get("/messages/<message_id>/parts")
def pieces(completion_id: str, message_id: str) -> ResponseReturnValue:
    """Show the content parts and calls of a message from `from` on.

    The page of the first ones has the items of its menu. A fragment of them would be in a page
    already: it is the items, or those of its call number `call`. `number` is the message's.
    """
    number = read_whole_number("number", default=0, low=0, high=10**9) or None
    return _show_pieces(_load_message(completion_id, message_id, number))


@bp.get("/choices/<int:choice>/parts")
def pieces_of_choice(completion_id: str, choice: int) -> ResponseReturnValue:
    """Show the content parts and calls of an output choice, or a menu, likewise."""
    return _show_pieces(_load_choice(completion_id, choice))


def _load_message(completion_id: str, message_id: str, number: int | None = None) -> TranscriptPage:
    message = services().upstream.retrieve_message(
        completion_id, message_id, deadline=start_deadline()
    )
    return build_message_page(completion_id, message, number)


def _load_choice(completion_id: str, choice: int) -> TranscriptPage:
    completion = services().upstream.retrieve_completion(completion_id, deadline=start_deadline())
    return build_choice_page(completion_id, completion, choice)


def _show_slice(page: TranscriptPage, place: int) -> Response:
    entry = _only_entry(page)
    piece = _find_piece(entry, place)
    start = _read_start()
    context = RenderContext.for_request(page)
    long = slice_text(piece, entry, context, start=start)
    if long is None:
        abort(404, "The message has no text there.")
    limit = context.budgets.text_bytes
    return render_page_or_fragment(
        "messages/text.html",
        "messages/_text_slice.html",
        context=context,
        entry=entry,
        long=long,
        previous=find_previous_start(get_text(piece) or "", start=long.slice.start, limit=limit),
        back=back_url(page, entry),
    )


def _send_whole(page: TranscriptPage, place: int) -> Response:
    """Send plain text that no browser runs or keeps; lone surrogates go out as they came."""
    text = get_text(_find_piece(_only_entry(page), place))
    if text is None:
        abort(404, "The message has no text there.")
    response = Response(text.encode("utf-8", "surrogatepass"), mimetype="text/plain")
    response.headers["Content-Security-Policy"] = SANDBOX_POLICY
    response.headers["Cache-Control"] = "no-store"
    return response


def _show_pieces(page: TranscriptPage) -> Response:
    entry = _only_entry(page)
    start = _read_start()
    is_whole = not wants_fragment()
    if start == 0 and entry.calls and page.completion is None:
        page = replace(page, completion=_find_completion(page.completion_id))
    context = replace(RenderContext.for_request(page), is_alone=is_whole)
    if start == 0 and not is_whole:
        return _show_menu(entry, context)
    view = view_pieces(entry, context, start)
    if start and start >= view.pieces.total:
        abort(404, "The message has no parts there.")
    return render_page_or_fragment(
        "messages/pieces.html",
        "messages/_further_pieces.html",
        context=context,
        entry=entry,
        view=view,
        previous=max(0, start - context.budgets.parts) if start else None,
        back=back_url(page, entry),
    )


def _show_menu(entry: Entry, context: RenderContext) -> Response:
    number = read_whole_number("call", default=0, low=0, high=10**9)
    call = next((one for one in entry.calls if one.position == number), None)
    if number and (call is None or not isinstance(call.call, ToolCall)):
        abort(404, "The message has no such call.")
    items = render_template("messages/_menu_items.html", context=context, entry=entry, call=call)
    return make_response(items)


def _find_completion(completion_id: str) -> Completion | None:
    """Find the completion with the tools that are called; calls are shown without it as well."""
    try:
        return services().upstream.retrieve_completion(completion_id, deadline=start_deadline())
    except UpstreamError:
        return None


def _only_entry(page: TranscriptPage) -> Entry:
    return (page.entries or page.outputs)[0]


def _find_piece(entry: Entry, place: int) -> Piece:
    found = list_pieces(entry.message)
    if place >= len(found):
        abort(404, "The message has no part there.")
    return found[place]


def _read_start() -> int:
    return read_whole_number("from", default=0, low=0, high=10**10)
