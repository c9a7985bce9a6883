"""One completion as a transcript: from its beginning, from or before a message, or by numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from flask import Blueprint, Response, abort, render_template, request, stream_template
from flask.typing import ResponseReturnValue

from webapp.analysis import Run
from webapp.caching.inputs import read_version, spoil_page
from webapp.caching.pages import keep_page
from webapp.formatting import count
from webapp.fragments import join_pieces, render_page_or_fragment, wants_fragment
from webapp.reading import MAX_LIMIT, TranscriptPage, TranscriptRequest
from webapp.reading.pasted import TranscriptPlace, parse_range
from webapp.services import services, start_deadline
from webapp.templating import RenderContext
from webapp.templating.addresses import place_url
from webapp.templating.runs import RunLinks
from webapp.upstream import UpstreamError
from webapp.views import make_context, read_transcript_request

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
        return _answer(_load_range(completion_id, span, read_transcript_request()))
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


def _load_range(completion_id: str, text: str, request: TranscriptRequest) -> RenderContext:
    """Load the page of the messages that `text` names, as in `9-15`, with their turn.

    Abort with 400 if it names none, with 404 if the transcript does not have them.
    """
    span = parse_range(text)
    if span is None:
        abort(400, "The parameter range takes two numbers, the lower one first, as in 9-15.")
    first, last = span
    length = last - first + 1
    if length > MAX_LIMIT:
        abort(400, f"A range has at most {MAX_LIMIT} messages.")
    start = services().loader.load_page(completion_id, TranscriptRequest(), start_deadline())
    message_id = _number_id(start, first)
    run = None
    if message_id is None:
        run = services().runs.read(start, start_deadline(), is_wanted=True)
        message = run.find_message(first)
        message_id = message.id if message else None
    known = start.total
    if run and run.is_whole:
        known = sum(message.number is not None for message in run.messages)
    if message_id is None or (known is not None and last > known):
        run = run or services().runs.read(start, start_deadline())
        missing = TranscriptPlace("message", first if message_id is None else last)
        abort(404, f"There is no {missing}: {_describe_extent(start, run)}.")
    request = replace(request, limit=max(request.limit, length))
    page = services().loader.load_page_from(completion_id, message_id, request, start_deadline())
    page = replace(page, total=page.total or start.total)
    return make_context(page, target=message_id, target_count=length)


def find_place_url(completion_id: str, place: TranscriptPlace) -> str:
    """Find the address of a place in a transcript. Abort with 404 if there is no such place."""
    page = services().loader.load_page(completion_id, TranscriptRequest(), start_deadline())
    if place.kind == "message":
        message_id = _number_id(page, place.number)
        if message_id is not None:
            return place_url(completion_id, message_id, f"m-{place.number}")
    run = services().runs.read(page, start_deadline(), is_wanted=True)
    links = RunLinks(completion_id, run)
    if place.kind == "message":
        message = run.find_message(place.number)
        if message:
            return links.to_message(message)
    else:
        call = run.find_call(place.number, place.position)
        if call:
            return links.to_call(call)
    abort(404, f"There is no {place}: {_describe_extent(page, run)}.")


def _number_id(page: TranscriptPage, number: int) -> str | None:
    """Find the id of message `number`, if the ids on the first page count the messages."""
    first_id = page.entries[0].message.id if page.entries else None
    forms = (f"{page.completion_id}-0", f"{page.completion_id}-msg-0")
    if first_id not in forms or not 0 < number <= (page.total or 0):
        return None
    return f"{first_id[:-1]}{number - 1}"


def _describe_extent(page: TranscriptPage, run: Run) -> str:
    """Describe how far the messages and calls of a transcript go, as far as it was read."""
    read = len([message for message in run.messages if message.number is not None])
    total = read if run.is_whole else page.total
    calls = count(len(run.calls), "call")
    if run.is_whole or total is None:
        has = "the transcript has" if run.is_whole else "what could be read of the transcript has"
        return f"{has} {count(read, 'message')} and {calls}"
    return (
        f"the transcript has {count(total, 'message')}, and {calls} in the first {read:,} of them"
    )
