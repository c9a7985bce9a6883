"""Pages, one module an area; this one has parameters and contexts for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Final

from flask import abort, request

from webapp.analysis.checks import CHECKS_VERSION
from webapp.caching.inputs import read_input
from webapp.config import MEBIBYTE
from webapp.exact_json import Value
from webapp.formatting import parse_whole_number, size
from webapp.fragments import wants_fragment
from webapp.messages import Message
from webapp.reading import MAX_LIMIT, TranscriptPage, TranscriptRequest
from webapp.reading.kept import digest_answer
from webapp.reading.previews import Row
from webapp.reading.streaming import stream_transcript
from webapp.reading.whole import analyze_page
from webapp.services import services, start_deadline
from webapp.templating import RenderContext
from webapp.templating.context import wants_outline
from webapp.templating.finding.conversations import find_conversation_place
from webapp.templating.notes import find_notes
from webapp.templating.runs import read_filter
from webapp.upstream import Deadline, NotFound, TimedOut, TooLarge, check_id

MAX_PICKED: Final = 1000
"""Rows of a list that a form may name."""
_WHOLE_PAGES: Final = 3
"""How many times as long as a page the reading of a whole transcript may take."""
_WHOLE_BYTES: Final = 256 * MEBIBYTE
"""The most bytes of messages that are held at once."""


def make_context(
    page: TranscriptPage, *, target: str | None = None, target_count: int = 1
) -> RenderContext:
    """Create the context of a page of a transcript, with its run.

    A fragment adds to a page that shows the run, so the part read before is enough for it.
    """
    only = read_filter()
    faults = None
    if wants_fragment():
        run = services().runs.find_kept(page)
        if run is None and only:
            run = analyze_page(page, is_whole=False)
    else:
        is_wanted = request.args.get("whole") == "1"
        if finder := services().finder:
            count = partial(finder.count_faults, page.completion_id, rules=CHECKS_VERSION)
            faults = read_input(count)
        checks = faults is None and services().share is None
        run = services().runs.read(page, start_deadline(), is_wanted=is_wanted, checks=checks)
        if checks and run.report:
            faults = run.report.faults
    if page.completion is not None:
        digest = digest_answer(page.completion)
        read_input(partial(services().runs.find_state, page.completion_id, digest))
    return replace(
        RenderContext.for_request(page),
        target=target,
        target_count=target_count,
        run=run,
        faults=faults,
        only=only,
        conversation=find_conversation_place(page.completion_id),
        notes=find_notes(page.completion_id, page.completion),
    )


def read_transcript_request() -> TranscriptRequest:
    """Read the messages that the query asks for. Abort with 400 if it is malformed.

    Raises `InvalidId` for an invalid cursor, before any of a page's requests is made.
    """
    order = request.args.get("order") or "asc"
    if order not in ("asc", "desc"):
        abort(400, "The parameter order takes asc or desc.")
    after = request.args.get("after")
    return TranscriptRequest(
        after=check_id(after) if after else None,
        # A line of the outline is small, and long runs are scanned by it.
        limit=read_whole_number(
            "limit", default=MAX_LIMIT if wants_outline() else 20, low=1, high=MAX_LIMIT
        ),
        order="asc" if order == "asc" else "desc",
        shown=read_whole_number("shown", default=0, low=0, high=10**9),
        # Only a page that is there has the messages from this one on.
        until=(request.args.get("until") or None) if wants_fragment() else None,
    )


def read_picked(*, most: int = MAX_PICKED) -> list[str]:
    """Read the ids that were ticked in a list, without duplicates, in its order.

    Abort with 400 if none was, or more than `most`. Raises `InvalidId`.
    """
    ids = [check_id(one) for one in dict.fromkeys(request.values.getlist("pick"))]
    if not ids:
        abort(400, "Tick at least one completion in the list first.")
    if len(ids) > most:
        abort(400, f"Up to {most:,} completions can be taken at once; {len(ids):,} were ticked.")
    return ids


def read_rows(ids: Iterable[str]) -> tuple[tuple[Row, ...], list[str]]:
    """Read rows of the completions that are still stored, and the ids of the others."""
    deadline = start_deadline()
    found, missing = [], []
    for one in ids:
        try:
            found.append(services().upstream.retrieve_completion(one, deadline=deadline))
        except NotFound:
            missing.append(one)
    return services().previews.build_rows(found, deadline), missing


def read_whole_number(name: str, *, default: int, low: int, high: int) -> int:
    """Read a query parameter as a number. Abort with 400 unless it is from `low` to `high`."""
    raw = request.args.get(name) or str(default)
    number = parse_whole_number(raw, low=low, high=high)
    if number is None:
        abort(400, f"The parameter {name} takes a whole number from {low:,} to {high:,}.")
    return number


def read_whole(completion_id: str) -> tuple[Value, list[Message]]:
    """Read a completion and all its input messages, within the settings' number of pages.

    Raises `TimedOut` if that takes `_WHOLE_PAGES` times as long as a page may take, and `TooLarge`
    if the messages have more than `_WHOLE_BYTES`: a server that invents messages has no end.
    """
    found = services()
    deadline = Deadline.after(_WHOLE_PAGES * found.page_timeout, clock=found.upstream.clock)
    read = stream_transcript(found.loader, completion_id, start_deadline, most=found.max_pages)
    messages = []
    length = 0
    for message in read.messages:
        messages.append(message)
        length += message.json.length
        if length > _WHOLE_BYTES:
            raise TooLarge(f"The transcript has more than {size(_WHOLE_BYTES)}.")
        if deadline.has_passed:
            raise TimedOut(f"The server did not send all messages in {deadline.seconds:g} seconds.")
    return read.completion.json, messages
