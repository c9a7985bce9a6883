"""Walking from page to page, on servers that page badly too.

A server may repeat a page for ever, say there is more and give nothing, or not say whether
there is more. Clients that trust it loop without end; these functions do not, and they never
drop a message that is new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final, Protocol, TypeVar

from webapp.completions import Page
from webapp.exact_json import Value
from webapp.upstream.errors import BadAnswer
from webapp.upstream.paths import is_valid_id

MAX_PAGES: Final = 10_000
"""More than a walk can need: a million messages in pages of 100."""

MOST_SHOWN: Final = 1_000
"""Items that a reader is shown at once; only a server that ignores the limit gives more."""


class Listed(Protocol):
    """What stands in a page: a completion or a message."""

    @property
    def id(self) -> str | None: ...

    @property
    def json(self) -> Value: ...


T = TypeVar("T", bound=Listed)


def next_cursor(page: Page[T], *, after: str | None = None) -> str | None:
    """The `after` of the page that follows `page`, None when nothing can follow.

    `after` is the cursor that `page` was asked for with: a server that gives the same one
    again ignores it. The cursor is the last item's id, as the official clients take it, else
    `last_id`.
    """
    if page.has_more is False or not page.data:
        return None
    cursor = page.data[-1].id or page.last_id
    return cursor if cursor != after else None


def usable_cursor(page: Page[T], *, after: str | None = None) -> str | None:
    """`next_cursor` when it can be sent; the ids of some servers cannot."""
    cursor = next_cursor(page, after=after)
    return cursor if cursor is not None and is_valid_id(cursor) else None


def capped(page: Page[T]) -> Page[T]:
    """The first items of `page`, as many as are shown at once."""
    if len(page.data) <= MOST_SHOWN:
        return page
    return replace(page, data=page.data[:MOST_SHOWN], has_more=True)


def behind(after: str, page: Page[T]) -> tuple[T, ...] | None:
    """The items behind `after`, of a server that ignores cursors and gives it too; else None."""
    places = [at for at, item in enumerate(page.data) if item.id == after]
    return page.data[places[-1] + 1 :] if places else None


def walk(
    fetch: Callable[[str | None], Page[T]], *, max_pages: int = MAX_PAGES
) -> Iterator[Page[T]]:
    """The pages that `fetch(after)` gives, from the first on, each item once.

    Raises `BadAnswer`, after everything that is new, when the server says there is more but
    only repeats itself. When it did not say so, a repetition is simply the end: such servers
    ignore the cursor and give all they have at once.
    """
    guard = CursorGuard()
    after: str | None = None
    for _ in range(max_pages):
        page = fetch(after)
        fresh = guard.fresh(page)
        if fresh.data or after is None:
            yield fresh
        after = guard.cursor_after(page)
        if after is None:
            return
    raise BadAnswer(f"The server's list goes on after {max_pages:,} pages.")


class CursorGuard:
    """What a walk has seen so far: its cursors and items."""

    def __init__(self) -> None:
        self._cursors: set[str] = set()
        self._items: set[int] = set()

    def fresh(self, page: Page[T]) -> Page[T]:
        """`page` without the items that stood, character for character, on an earlier one.

        An item without an id, or with an earlier one's id but other content, is new.
        """
        marks = [hash((item.id, item.json.source)) if item.id else None for item in page.data]
        data = tuple(
            item
            for item, mark in zip(page.data, marks, strict=True)
            if mark is None or mark not in self._items
        )
        self._items.update(mark for mark in marks if mark is not None)
        return page if len(data) == len(page.data) else replace(page, data=data)

    def cursor_after(self, page: Page[T]) -> str | None:
        """Where to go on, None at the end; raises `BadAnswer` when more is promised in vain."""
        cursor = next_cursor(page)
        if cursor is not None and cursor not in self._cursors:
            self._cursors.add(cursor)
            return cursor
        if page.has_more is True:
            raise BadAnswer(
                "The server says there is more, but repeats itself or gives nothing new.",
                advice="Everything it gave is shown; the list may be incomplete.",
            )
        return None
