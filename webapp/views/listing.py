"""The list of completions, its neighbours, and the box that opens a pasted id.

A shared transcript has none of these.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.caching.inputs import read_input, read_large_input
from webapp.caching.pages import keep_page
from webapp.finding import MAX_QUERY, BadQuery, parse_query
from webapp.fragments import render_page_or_fragment, wants_fragment
from webapp.ids import is_valid_id
from webapp.reading.listing import ListPage, list_what_fits
from webapp.reading.pasted import CompletionRef, parse_pasted, parse_place, parse_range
from webapp.reading.previews import Row
from webapp.redaction import find
from webapp.services import current_pins, services, start_deadline
from webapp.templating.addresses import range_url
from webapp.templating.finding.filters import Filters, read_filters
from webapp.templating.finding.searching import count_unchecked
from webapp.templating.listing import Listing
from webapp.upstream import (
    BadRequest,
    Deadline,
    NotFound,
    NotSupported,
    UpstreamError,
    canonicalize,
)
from webapp.views import read_whole_number
from webapp.views.actions.changing import forget_deleted, read_deleted
from webapp.views.completions import find_place_url

bp = Blueprint("listing", __name__)

MAX_PASTED = 64 * 1024
MAX_NEWER = 99
"""Completions that are counted while a list is open."""
MAX_UNFOLDED = 50
"""Requests of a conversation that its row in the list unfolds to."""


@bp.get("/")
def home() -> ResponseReturnValue:
    """Redirect to the list, with the filters of the query."""
    query = request.query_string.decode("latin-1")
    return redirect(url_for("listing.index") + (f"?{query}" if query else ""), 303)


@bp.get("/completions")
@keep_page
def index() -> ResponseReturnValue:
    """Show stored completions, newest first, with filters whose state is the URL."""
    if "key" in request.args or "value" in request.args:
        return _with_new_filter()
    filters = read_filters()
    if "newer" in request.args and wants_fragment():
        return _count_newer(filters, request.args["newer"])
    after = request.args.get("after") or None
    deadline = start_deadline()
    source = services().conversations
    query = parse_query(filters.text)
    if query.terms:
        return redirect(url_for("finding.search", q=filters.all_words), 303)
    folds = source is not None and not filters.is_flat
    try:
        page = _read_page(filters, after, deadline, folds=folds)
    except NotSupported as problem:
        return _page(Listing(filters=filters, problem=problem))
    rows = services().previews.build_rows(page.completions, deadline)
    pins = read_input(current_pins().list)
    pinned = () if filters or after or wants_fragment() else read_pinned(pins, deadline)
    ids = [row.completion.id for row in rows if row.completion.id]
    finder = services().finder
    listing = Listing(
        rows,
        filters,
        page,
        after,
        limit=request.args.get("limit"),
        day=request.args.get("day") if wants_fragment() else None,
        conversations=(
            read_large_input(partial(source.find_continued, ids, most=MAX_UNFOLDED))
            if source and folds
            else {}
        ),
        numbers=read_input(partial(finder.find_numbers, [*ids, *pins])) if finder else {},
        can_fold=source is not None,
        pinned=pinned,
        pins=frozenset(pins),
        unchecked=read_input(partial(count_unchecked, query)),
    )
    response = _page(listing)
    if page.unreadable and not rows:
        response.status_code = page.unreadable.http_status
    return response


def _read_page(filters: Filters, after: str | None, deadline: Deadline, *, folds: bool) -> ListPage:
    """Read a page of the list, as far as it fits. Raises `NotSupported`, among other errors."""
    upstream = services().upstream
    return list_what_fits(
        partial(
            upstream.list_completions,
            model=filters.model,
            metadata=dict(filters.metadata),
            own=filters.own_query() | ({"conversations": "folded"} if folds else {}),
            deadline=deadline,
        ),
        after=after,
        limit=read_whole_number("limit", default=20, low=1, high=100),
        order=filters.order,
        # The pages held are in memory beside the next answer.
        max_held=upstream.max_bytes // 4,
        deadline=deadline,
    )


def read_pinned(pins: Iterable[str], deadline: Deadline) -> tuple[Row, ...]:
    """Read the rows of pinned completions, on another server from copies, in their order.

    Deleted ones are left out.
    """
    found = services()
    reads = found.copies.services if found.copies is not None else found
    completions = []
    for one in pins:
        try:
            completions.append(reads.upstream.retrieve_completion(one, deadline=deadline))
        except UpstreamError:
            # The list itself does not fail for one of them.
            continue
    return reads.previews.build_rows(completions, deadline)


@bp.post("/open")
def open_pasted() -> ResponseReturnValue:
    """Redirect to the pasted completion or place; by POST, since a curl command holds a key.

    While a transcript is open, the form names its completion: a number is a place in it, two are a
    range, and words are searched for in it. Elsewhere the embedded server searches all completions
    for them; filters such as `tool:shell` lead to the list.
    """
    pasted = request.form.get("pasted", "")[:MAX_PASTED]
    open_id = request.form.get("completion", "")
    if is_valid_id(open_id):
        if span := parse_range(pasted):
            return redirect(range_url(open_id, *span), 303)
        if place := parse_place(pasted):
            return redirect(find_place_url(open_id, place), 303)
    ref = parse_pasted(pasted)
    finds_all = services().finder is not None
    if (finds_all or is_valid_id(open_id)) and _is_search(pasted, ref):
        words = pasted.strip()
        if finds_all and _has_only_filters(words):
            return redirect(url_for("listing.index", filter=words), 303)
        if is_valid_id(open_id):
            return redirect(url_for("search.show", completion_id=open_id, q=words), 303)
        return redirect(url_for("finding.search", q=words), 303)
    if ref is None:
        abort(400, "There is no completion id in what was pasted.")
    if ref.message_id is not None:
        address = url_for(
            "completions.show_from", completion_id=ref.completion_id, message_id=ref.message_id
        )
        return redirect(address, 303)
    return redirect(url_for("completions.show", completion_id=ref.completion_id), 303)


@bp.get("/completions/<completion_id>/newer", defaults={"direction": "newer"})
@bp.get("/completions/<completion_id>/older", defaults={"direction": "older"})
def neighbor(completion_id: str, direction: str) -> ResponseReturnValue:
    """Redirect to the next newer or older completion in the list with these filters.

    At the end of the list, that is the completion itself, with a notice.

    Asked for only when a reader follows the link, so that no transcript waits for it.
    """
    filters = read_filters()
    created = read_whole_number("created", default=0, low=0, high=10**11 - 1)
    found = find_neighbor(completion_id, direction, filters, created=created)
    if found is not None:
        return redirect(filters.completion_url(found), 303)
    return redirect(filters.completion_url(completion_id, end=direction), 303)


def find_neighbor(
    completion_id: str, direction: str, filters: Filters, *, created: int = 0
) -> str | None:
    """Find the id of the next `newer` or `older` completion in the list; None at its end.

    `created` is when the completion was created, in unix seconds, if that is known. Abort with 404
    if its place in the list is not.
    """
    deadline = start_deadline()
    cursor = completion_id
    try:
        while True:
            found = services().upstream.list_completions(
                after=cursor,
                limit=1,
                order="asc" if direction == "newer" else "desc",
                model=filters.model,
                metadata=dict(filters.metadata),
                own=filters.own_query(is_sorted=False),
                deadline=deadline,
            )
            if found.data or found.resume_after in (None, cursor):
                break
            cursor = found.resume_after or ""
    except (BadRequest, NotFound):
        abort(404, "This completion is no longer stored, and its place in the list is not known.")
    ids = [completion.id for completion in found.data]
    if completion_id in ids:
        # A server that ignores the cursor has sent the list from its newest on.
        place = ids.index(completion_id) + (-1 if direction == "newer" else 1)
        candidates = found.data[place : place + 1] if place >= 0 else ()
    else:
        candidates = canonicalize(found, after=completion_id).items[:1]
    for one in candidates:
        is_other_way = one.created is not None and (
            one.created < created if direction == "newer" else one.created > created > 0
        )
        if one.id is not None and is_valid_id(one.id) and not is_other_way:
            return one.id
    return None


def _count_newer(filters: Filters, first: str) -> ResponseReturnValue:
    """Answer with the number of completions that are newer than the first one of the list."""
    finder = services().finder
    count = 0
    if finder is not None and is_valid_id(first):
        count = finder.count_newer(
            first,
            parse_query(filters.text),
            model=filters.model,
            metadata=filters.metadata,
            most=MAX_NEWER + 1,
        )
    return render_template(
        "completions/_newer.html",
        url=filters.url(newer=first),
        list_url=filters.url(),
        count=count,
        most=MAX_NEWER,
    )


def _is_search(pasted: str, ref: CompletionRef | None) -> bool:
    """Return whether words were pasted, or one word that is the id of nothing.

    A text with a secret, such as a curl command, must not become an address, and neither must
    anything that is not text.
    """
    text = pasted.strip()
    is_text = 0 < len(text) <= MAX_QUERY and "\ufffd" not in text
    if not is_text or "://" in text or find(text):
        return False
    if ref is None:
        return True
    if ref.message_id is not None or ref.completion_id != text or text.startswith("chatcmpl-"):
        return False
    try:
        services().upstream.retrieve_completion(text, deadline=start_deadline())
    except NotFound:
        return True
    return False


def _has_only_filters(words: str) -> bool:
    try:
        return not parse_query(words).terms
    except BadQuery:
        return False


def _page(listing: Listing) -> Response:
    deleted = None if wants_fragment() else read_deleted()
    response = render_page_or_fragment(
        "completions/index.html", "completions/_list.html", listing=listing, deleted=deleted
    )
    if deleted:
        forget_deleted(response)
    return response


def _with_new_filter() -> ResponseReturnValue:
    """Redirect to the list with the form's key and value as a filter."""
    filters = read_filters()
    key, value = request.args.get("key", "").strip(), request.args.get("value", "")
    if bool(key) != bool(value):
        abort(400, "A metadata filter needs a key and a value.")
    if key:
        filters = replace(filters, metadata=(*filters.metadata, (key, value)))
    return redirect(filters.url(), 303)
