"""Search one transcript: every hit with the words around it and a link to its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any, Final
from urllib.parse import quote

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.analysis.searching import (
    KINDS,
    LONGEST_QUERY,
    BadPattern,
    Hit,
    Kind,
    Searched,
    TextSearch,
)
from webapp.formatting import count
from webapp.reading import MAX_LIMIT, TranscriptPage, TranscriptRequest
from webapp.services import services, start_deadline
from webapp.templating.addresses import changed_url, is_linkable
from webapp.templating.finding.searching import read_options
from webapp.upstream import Deadline, End, UpstreamError
from webapp.views import read_whole_number

bp = Blueprint("search", __name__, url_prefix="/completions/<completion_id>")

MAX_HITS: Final = 200
"""Hits on one page; the search goes on from the message after them."""

_MAX_COUNTED: Final = 10_000
"""Hits that are counted to say of how many one is."""

ROLES: Final = ("user", "assistant", "tool", "system", "developer")


@dataclass(slots=True)
class Results:
    """The hits on one page, and how far it searched.

    `count` counts the hits of the messages searched, shown or not; `searched` the messages up to
    there, and `before` the hits that earlier pages show. The search ends when it has `most` hits.
    If messages follow, the search `goes_on` after `next_after`, or if the ids are no cursors, after
    as many as were `searched`; `last_id` is the last message searched in any case.
    `problem` is the error that ended the search early.
    """

    searched: int
    before: int = 0
    most: int = MAX_HITS
    hits: list[Hit] = field(default_factory=list)
    count: int = 0
    total: int | None = None
    last_id: str | None = None
    next_after: str | None = None
    goes_on: bool = False
    problem: UpstreamError | None = None

    def add_pages(
        self, query: TextSearch, pages: Iterator[TranscriptPage], deadline: Deadline
    ) -> None:
        """Search `pages` until there are enough hits, or `deadline` has passed.

        An error keeps the hits before it.
        """
        try:
            for page in pages:
                self.total = page.total or self.total
                for entry in page.entries:
                    for one in entry.pieces or (entry,):
                        self._add(query.search(one))
                self.searched = page.seen or self.searched + len(page.entries)
                self.last_id = page.entries[-1].message.id if page.entries else self.last_id
                for output in page.outputs:
                    self._add(query.search(output))
                self.next_after, self.goes_on = page.next_after, page.end is End.MORE
                if len(self.hits) >= self.most or deadline.has_passed:
                    return
        except UpstreamError as problem:
            self.problem = problem

    @property
    def listed(self) -> int | None:
        """The number of hits on all pages; None if the search did not reach the end."""
        is_whole = not self.goes_on and self.problem is None
        return self.before + len(self.hits) if is_whole else None

    def _add(self, found: Searched) -> None:
        self.hits += found.hits
        self.count += found.count


@bp.get("/search")
def show(completion_id: str) -> ResponseReturnValue:
    """Show the hits of `q` in the transcript, whether or not it is loaded.

    After enough hits, as many pages as "load all" reads or the time of a page, it links to the
    rest.
    """
    words = request.args.get("q", "")
    if len(words) > LONGEST_QUERY:
        abort(400, f"A search takes up to {LONGEST_QUERY:,} characters.")
    query, fault = _read_query(words)
    results = None
    if query is not None:
        before = read_whole_number("before", default=0, low=0, high=10**9)
        results = _search(completion_id, query, before=before, most=MAX_HITS)
    onward: dict[str, Any] = {}
    if results is not None:
        onward = {
            "after": results.next_after,
            "searched": results.searched,
            "before": results.before + len(results.hits),
        }
    page = render_template(
        "completions/search.html",
        completion_id=completion_id,
        words=words,
        fault=fault,
        results=results,
        kinds=KINDS,
        roles=ROLES,
        hit_url=partial(_hit_url, completion_id, words, results) if results else None,
        next_url=changed_url(**onward),
    )
    return page, 400 if fault else 200


@bp.get("/search/<int:number>")
def go(completion_id: str, number: int) -> ResponseReturnValue:
    """Redirect to the place of a hit, counted from 1 through the transcript.

    `hits` is the number of all, if the page that linked here knows it: the search then stops at the
    one that is wanted.
    """
    words = request.args.get("q", "")
    query, fault = _read_query(words[:LONGEST_QUERY])
    if query is None:
        abort(400, fault or "The parameter q takes the words to find.")
    known = read_whole_number("hits", default=0, low=0, high=10**9)
    results = _search(completion_id, query, before=0, most=number if known else _MAX_COUNTED)
    if not 0 < number <= len(results.hits):
        if results.problem is not None:
            raise results.problem
        if results.goes_on:
            found, searched = count(len(results.hits), "hit"), count(results.searched, "message")
            abort(503, f"The search stopped before hit {number:,}: {found} in {searched}.")
        abort(404, f"There is no hit {number:,}: {len(results.hits):,} were found.")
    url = _hit_url(completion_id, words, results, results.hits[number - 1], number, known or None)
    return redirect(url or url_for("search.show", completion_id=completion_id, q=words), 303)


def _search(completion_id: str, query: TextSearch, *, before: int, most: int) -> Results:
    """Search for hits after the message `after` of this request, until there are `most`."""
    searched = read_whole_number("searched", default=0, low=0, high=10**9)
    after = request.args.get("after") or None
    results = Results(searched, before, most)
    asked = TranscriptRequest(after=after, limit=MAX_LIMIT, shown=searched)
    deadline = start_deadline()
    first = services().loader.load_page(completion_id, asked, start_deadline())
    if after is None and not searched and first.completion is not None:
        results.hits += query.search_metadata(first.completion.metadata)
        results.count = len(results.hits)
    following = services().loader.iter_following(
        first, start_deadline, most=services().max_pages - 1
    )
    results.add_pages(query, chain([first], following), deadline)
    results.problem = results.problem or next(iter(first.problems), None)
    return results


def _hit_url(
    completion_id: str,
    words: str,
    results: Results,
    hit: Hit,
    number: int,
    known: int | None = None,
) -> str | None:
    """Return the address of a hit; its text fragment has the browser mark the match.

    The page there says at which hit the reader is.
    """
    is_metadata = hit.kind == "metadata"
    anchor = "about" if is_metadata else hit.anchor
    if anchor is None:
        return None
    query: dict[str, Any] = {"find": words, "hit": number, "hits": known or results.listed}
    query |= {"completion_id": completion_id, **read_options()}
    message_id = None if is_metadata else hit.message_id or results.last_id
    if message_id is not None and is_linkable(message_id):
        page = url_for("completions.show_from", message_id=message_id, **query)
    else:
        page = url_for("completions.show", **query)
    marked = quote(hit.match[:100], safe="").replace("-", "%2D")
    return f"{page}#{anchor}:~:text={marked}"


def _read_query(words: str) -> tuple[TextSearch | None, str | None]:
    """Read the query of the form, or None with the reason why it cannot be used."""
    if not words:
        return None, None
    kinds = [kind for kind in KINDS if kind in request.args.getlist("kind")]
    chosen: list[Kind] = kinds or list(KINDS)
    role = request.args.get("role") or None
    if role is not None and role not in ROLES:
        abort(400, f"The parameter role takes {', '.join(ROLES[:-1])} or {ROLES[-1]}.")
    try:
        query = TextSearch(
            words,
            is_pattern=bool(request.args.get("pattern")),
            is_exact=bool(request.args.get("case")),
            kinds=chosen,
            role=role,
        )
    except BadPattern as problem:
        return None, str(problem)
    return query, None
