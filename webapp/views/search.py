"""Search one transcript: every hit with the words around it and a link to its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final
from urllib.parse import quote

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.analysis.searching import KINDS, LONGEST_QUERY, BadPattern, Hit, Kind, Query, Searched
from webapp.reading import MAX_LIMIT, PageRequest, TranscriptPage
from webapp.services import deadline, services
from webapp.templating.addresses import place_url
from webapp.upstream import UpstreamError
from webapp.views import read_whole_number

bp = Blueprint("search", __name__, url_prefix="/completions/<completion_id>")

MOST_HITS: Final = 200
"""Hits on one page; the search goes on from the message after them."""

ROLES: Final = ("user", "assistant", "tool", "system", "developer")


@dataclass(slots=True)
class Results:
    """The hits on one page, and how far it searched.

    `count` counts the hits of the messages searched, shown or not; `searched` the messages up to
    there. `next_after` is the id of the last of them if others follow, `last_id` in any case.
    `problem` is the error that ended the search early.
    """

    searched: int
    hits: list[Hit] = field(default_factory=list)
    count: int = 0
    total: int | None = None
    last_id: str | None = None
    next_after: str | None = None
    problem: UpstreamError | None = None

    def add_pages(self, query: Query, pages: Iterator[TranscriptPage]) -> None:
        """Search `pages` until there are enough hits; an error keeps the hits before it."""
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
                self.next_after = page.next_after
                if len(self.hits) >= MOST_HITS:
                    return
        except UpstreamError as problem:
            self.problem = problem

    def _add(self, found: Searched) -> None:
        self.hits += found.hits
        self.count += found.count


@bp.get("/search")
def show(completion_id: str) -> ResponseReturnValue:
    """Show the hits of `q` in the transcript, whether or not it is loaded.

    After enough hits, or as many pages as "load all" reads, the page links to the rest.
    """
    words = request.args.get("q", "")
    if len(words) > LONGEST_QUERY:
        abort(400, f"A search takes up to {LONGEST_QUERY:,} characters.")
    query, fault = _read_query(words)
    results = Results(read_whole_number("searched", default=0, low=0, high=10**9))
    if query is not None:
        after = request.args.get("after") or None
        asked = PageRequest(after=after, limit=MAX_LIMIT, shown=results.searched)
        first = services().loader.load_page(completion_id, asked, deadline())
        if after is None and first.completion is not None:
            results.hits += query.search_metadata(first.completion.metadata)
            results.count = len(results.hits)
        following = services().loader.iter_following(first, deadline, most=services().max_pages - 1)
        results.add_pages(query, chain([first], following))
        results.problem = results.problem or next(iter(first.problems), None)

    def hit_url(hit: Hit) -> str | None:
        """Return the address of a hit; its text fragment has the browser mark the match."""
        if hit.anchor is None:
            return None
        marked = quote(hit.match[:100], safe="").replace("-", "%2D")
        place = place_url(completion_id, hit.message_id or results.last_id, hit.anchor)
        return f"{place}:~:text={marked}"

    onward: dict[str, Any] = request.args.to_dict(flat=False)
    onward |= {"after": results.next_after, "searched": results.searched}
    page = render_template(
        "completions/search.html",
        completion_id=completion_id,
        words=words,
        fault=fault,
        results=None if query is None else results,
        kinds=KINDS,
        roles=ROLES,
        hit_url=hit_url,
        next_url=url_for("search.show", completion_id=completion_id, **onward),
    )
    return page, 400 if fault else 200


def _read_query(words: str) -> tuple[Query | None, str | None]:
    """Return the query of the form, or None with the reason why it cannot be used."""
    if not words:
        return None, None
    kinds = [kind for kind in KINDS if kind in request.args.getlist("kind")]
    chosen: list[Kind] = kinds or list(KINDS)
    role = request.args.get("role") or None
    if role is not None and role not in ROLES:
        abort(400, f"The parameter role takes {', '.join(ROLES[:-1])} or {ROLES[-1]}.")
    try:
        query = Query(
            words,
            is_pattern=bool(request.args.get("pattern")),
            is_exact=bool(request.args.get("case")),
            kinds=chosen,
            role=role,
        )
    except BadPattern as problem:
        return None, str(problem)
    return query, None
