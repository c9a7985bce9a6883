"""One completion as a transcript: from its beginning, from a message on, or before one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from flask import Blueprint, Response, render_template, request, stream_template
from flask.typing import ResponseReturnValue

from webapp.caching.inputs import read_version, spoil_page
from webapp.caching.pages import keep_page
from webapp.fragments import join_pieces, render_page_or_fragment, wants_fragment
from webapp.reading import TranscriptPage
from webapp.services import services, start_deadline
from webapp.templating import RenderContext
from webapp.upstream import UpstreamError
from webapp.views import make_context, read_transcript_request
from webapp.views.places import load_range

bp = Blueprint("completions", __name__)


class FollowingPages:
    """The contexts of `pages` as they come; `problem` is the error that ended them early."""

    def __init__(self, first: RenderContext, pages: Iterator[TranscriptPage]) -> None:
        self._first = first
        self._pages = pages
        self.problem: UpstreamError | None = None

    def __iter__(self) -> Iterator[RenderContext]:
        try:
            yield from map(self._first.continue_with, self._pages)
        except UpstreamError as problem:
            self.problem = problem


@bp.get("/completions/<completion_id>")
@keep_page
def show(completion_id: str) -> ResponseReturnValue:
    """Show a page of the transcript, with the output choices after the last message.

    The first page of a long one shows the last turn as well; `until` ends a fragment before it.
    With `all=1` page after page, sent as they come: the browser shows the progress, and its
    stop button ends it. With `range=9-15` these messages are opened and highlighted.
    """
    if source := services().conversations:
        read_version(partial(source.find_version, completion_id))
    if span := request.args.get("range"):
        return _answer(load_range(completion_id, span, read_transcript_request()))
    shows_all = bool(request.args.get("all"))
    page = services().loader.load_page(
        completion_id,
        read_transcript_request(),
        start_deadline(),
        shows_end=not shows_all and not wants_fragment(),
    )
    context = make_context(page)
    if shows_all and not page.messages_error:
        most = services().max_pages
        pages = services().loader.iter_following(page, start_deadline, most=most - 1)
        rest = FollowingPages(context, pages)
        parts = stream_template("completions/all.html", context=context, rest=rest, most=most)
        broken_off = render_template("errors/_broken_off.html")
        return join_pieces(parts, broken_off=broken_off), {
            "Content-Type": "text/html; charset=utf-8"
        }
    response = _answer(context)
    if page.messages_error:
        response.status_code = page.messages_error.http_status
    return response


@bp.get("/completions/<completion_id>/messages/<message_id>")
def show_from(completion_id: str, message_id: str) -> ResponseReturnValue:
    """Show the transcript from this message on, with the message highlighted."""
    page = services().loader.load_page_from(
        completion_id, message_id, read_transcript_request(), start_deadline()
    )
    context = make_context(page, target=message_id)
    return render_page_or_fragment(
        "completions/show.html", "completions/_page.html", context=context
    )


@bp.get("/completions/<completion_id>/messages/<message_id>/earlier")
def show_earlier(completion_id: str, message_id: str) -> ResponseReturnValue:
    """Show the messages before this one."""
    page = services().loader.load_earlier(
        completion_id, message_id, read_transcript_request(), start_deadline()
    )
    context = make_context(page)
    return render_page_or_fragment(
        "completions/show.html", "completions/_earlier.html", context=context
    )


def _answer(context: RenderContext) -> Response:
    response = render_page_or_fragment(
        "completions/show.html", "completions/_page.html", context=context
    )
    if not context.can_spend():
        spoil_page()
    return response
