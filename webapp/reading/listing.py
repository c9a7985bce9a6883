"""List completions of any size: those that are too large to be read are known by id alone."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from webapp.completions import Completion
from webapp.upstream import (
    CanonicalPage,
    Deadline,
    End,
    Fetch,
    TooLarge,
    UpstreamError,
    canonicalize,
    check_end,
    find_cut_completion,
)


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of the list.

    Of the completions whose ids are in `too_large` little more than the id is known. `end` says
    what comes after the last answer; there is more if the page has a `next_after`. `unreadable` is
    the error that ends the page early: the next completion is too large, and its id is not known.
    `is_partial` means that a bounded search for more goes on with the next page.
    """

    completions: tuple[Completion, ...] = ()
    too_large: frozenset[str] = frozenset()
    next_after: str | None = None
    end: End = End.UNKNOWN
    unreadable: TooLarge | None = None
    is_partial: bool = False


def list_what_fits(
    fetch: Fetch[Completion],
    *,
    after: str | None,
    limit: int,
    max_held: int,
    deadline: Deadline,
    order: str,
) -> ListPage:
    """Request `limit` completions, and fewer as long as the answer is too large to be read.

    If one alone is too large, its id is taken from the beginning of the answer, and the page
    goes on after it. A page of several answers ends after more than `max_held` characters, or
    with half of the deadline: the next page continues. Raises any other `UpstreamError` that comes
    before the first completion.
    """
    page = ListPage(next_after=after)
    size, held, cursors = limit, 0, {after}
    while True:
        wanted = limit - len(page.completions)
        size = min(size, wanted)
        try:
            listed = fetch(after=page.next_after, limit=size, order=order)
        except TooLarge as problem:
            if size > 1:
                size = max(1, size // 4)
                continue
            page = _add_too_large(page, problem, cursors)
            if page.unreadable:
                return page
        except UpstreamError:
            if not page.completions:
                raise
            return page
        else:
            fresh = canonicalize(listed, after=page.next_after, limit=size)
            fresh = check_end(fresh, fetch, limit=size, order=order)
            page = _add_answer(page, fresh, cursors)
            held += listed.json.length
            if page.next_after is None or size == wanted or held > max_held:
                return page
            size *= 4
        cursors.add(page.next_after)
        if len(page.completions) >= limit or not deadline.leaves(deadline.seconds / 2):
            return page


def _add_too_large(page: ListPage, problem: TooLarge, cursors: Container[str | None]) -> ListPage:
    """Add the one completion that is too large to be read, by its id, to `page`.

    It ends there if the id is not at the beginning of the answer, or is that of a completion
    which was listed: a server that ignores the cursor sends the same one again.
    """
    completion = find_cut_completion(problem.beginning)
    if completion is None or completion.id is None or completion.id in cursors:
        return replace(page, next_after=None, unreadable=problem)
    return replace(
        page,
        completions=(*page.completions, completion),
        too_large=page.too_large | {completion.id},
        next_after=completion.id,
    )


def _add_answer(
    page: ListPage, answer: CanonicalPage[Completion], cursors: Container[str | None]
) -> ListPage:
    """Add the completions of an answer to `page`; it ends there if the cursor is not new."""
    has_next = answer.next_after is not None and answer.next_after not in cursors
    return replace(
        page,
        completions=page.completions + answer.items,
        next_after=answer.next_after if has_next else None,
        end=End.CUT_OFF if answer.end is End.MORE and not has_next else answer.end,
        is_partial=answer.is_partial,
    )
