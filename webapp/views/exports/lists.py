"""The list with its filters as a file, from the newest completion to the oldest."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from flask import Blueprint
from flask.typing import ResponseReturnValue

from webapp.completions import Completion
from webapp.exports import Transcript, iter_csv, iter_json_line
from webapp.ids import is_valid_id
from webapp.reading import MAX_LIMIT
from webapp.reading.listing import list_what_fits
from webapp.reading.streaming import stream_transcript
from webapp.services import services, start_deadline
from webapp.templating.finding.filters import Filters, read_filters
from webapp.templating.listing import is_of_kind
from webapp.upstream import BadAnswer, End
from webapp.views import read_picked
from webapp.views.exports import send_file

bp = Blueprint("list_exports", __name__)


@bp.get("/completions.csv")
def table() -> ResponseReturnValue:
    """Send a row for each completion."""
    pieces = iter_csv(_iter_completions(read_filters()))
    return send_file(pieces, name="completions.csv", mimetype="text/csv")


@bp.get("/completions.jsonl")
def lines() -> ResponseReturnValue:
    """Send each completion with its messages on a line, exactly, as `readback import` reads it."""
    pieces = _iter_lines(_iter_completions(read_filters()))
    return send_file(pieces, name="completions.jsonl", mimetype="application/jsonl")


@bp.post("/completions.csv")
def picked_table() -> ResponseReturnValue:
    """Send a row for each completion of the form, in its order."""
    pieces = iter_csv(_retrieve_each(read_picked()))
    return send_file(pieces, name="completions.csv", mimetype="text/csv")


@bp.post("/completions.jsonl")
def picked_lines() -> ResponseReturnValue:
    """Send each completion of the form with its messages on a line."""
    pieces = _iter_lines(_retrieve_each(read_picked()))
    return send_file(pieces, name="completions.jsonl", mimetype="application/jsonl")


def _retrieve_each(ids: list[str]) -> Iterator[Completion]:
    upstream = services().upstream
    return (upstream.retrieve_completion(one, deadline=start_deadline()) for one in ids)


def _iter_lines(completions: Iterator[Completion]) -> Iterator[str]:
    for listed in completions:
        if listed.id is None or not is_valid_id(listed.id):
            raise BadAnswer("The server lists a completion without an id that can be requested.")
        found = stream_transcript(services().loader, listed.id, start_deadline)
        yield from iter_json_line(Transcript(listed.id, found.completion, found.messages))


def _iter_completions(filters: Filters) -> Iterator[Completion]:
    """Yield the completions that pass the filters, page by page.

    Raises `UpstreamError` if the server does not send all of them.
    """
    upstream = services().upstream
    after: str | None = None
    seen: set[str | None] = set()
    while after not in seen:
        seen.add(after)
        deadline = start_deadline()
        page = list_what_fits(
            partial(
                upstream.list_completions,
                model=filters.model,
                metadata=dict(filters.metadata),
                own=filters.own_query(),
                deadline=deadline,
            ),
            after=after,
            limit=MAX_LIMIT,
            order=filters.order,
            max_held=upstream.max_bytes // 4,
            deadline=deadline,
        )
        if filters.kind is None:
            yield from page.completions
        else:
            rows = services().previews.build_rows(page.completions, deadline)
            yield from (row.completion for row in rows if is_of_kind(row, filters.kind))
        if page.unreadable:
            raise page.unreadable
        if page.end is End.CUT_OFF:
            raise BadAnswer("The server does not send the whole list.")
        if page.next_after is None:
            return
        after = page.next_after
