"""Find messages and calls of a transcript by their numbers."""

from __future__ import annotations

from dataclasses import replace

from flask import abort

from webapp.analysis import Run
from webapp.formatting import count
from webapp.reading import MAX_LIMIT, TranscriptPage, TranscriptRequest
from webapp.reading.pasted import TranscriptPlace, parse_range
from webapp.services import services, start_deadline
from webapp.templating import RenderContext
from webapp.templating.addresses import place_url
from webapp.templating.runs import RunLinks
from webapp.views import make_context


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


def load_range(completion_id: str, text: str, request: TranscriptRequest) -> RenderContext:
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
