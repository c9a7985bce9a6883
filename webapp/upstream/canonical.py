"""Turn the pages of any server into canonical ones, and iterate from page to page.

Servers may ignore the cursor, the limit or the order, repeat a page for ever, promise more and
send nothing, or not say whether more follows. Clients that trust them loop without end or show
items twice. Only this module and `neighbors` know those habits: no item that is new is dropped, and
iterations always end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Generic, Protocol, TypeVar

from webapp.exact_json import Value
from webapp.ids import is_valid_id, parse_message_index
from webapp.messages import Message
from webapp.upstream.decoding import Page
from webapp.upstream.errors import (
    BadAnswer,
    BadRequest,
    InvalidId,
    NotFound,
    TooLarge,
    UpstreamError,
)

MAX_PAGES: Final = 10_000
"""More than a walk can need: a million messages in pages of 100."""

MAX_ITEMS: Final = 1_000
"""Items in a canonical page; only a server that ignores the limit sends more."""

_USUAL_LIMITS: Final = frozenset({10, 20, 25, 30, 50, 100})
"""Of servers that send fewer items than requested, whatever the limit is."""


class Listed(Protocol):
    """An item of a page: a completion or a message."""

    @property
    def id(self) -> str | None: ...

    @property
    def json(self) -> Value: ...


T = TypeVar("T", bound=Listed)


class Fetch(Protocol[T]):
    """Request one page, as the list operations of the API do."""

    def __call__(self, *, after: str | None, limit: int, order: str) -> Page[T]: ...


class End(StrEnum):
    """What is known to come after a page of a list."""

    MORE = "more"
    """More follows, and a cursor or a count leads there."""

    CUT_OFF = "cut off"
    """The server says that more follows, but nothing leads there."""

    UNKNOWN = "unknown"
    """The server does not say whether more follows."""

    CLAIMED = "claimed"
    """The server calls a full page the last one. Some servers say so of every page."""

    PROVED = "proved"
    """Nothing follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalPage(Generic[T]):
    """A page without items seen before, and the way to the next one.

    `after` and `skip` say where the page begins: the item before it, and the number of items
    before it where ids are not cursors. The next page begins after the cursor `next_after`, or
    after `next_skip` items from the start; nothing is known to follow if both are None. If the
    `end` is unknown, the next page may be empty. `total` is None if the server does not say.
    `is_repeated` means that the server sent only items from before `after` again. `is_partial`
    means that our own server ended a bounded search before the page was full.
    """

    items: tuple[T, ...]
    after: str | None = None
    skip: int = 0
    end: End = End.UNKNOWN
    next_after: str | None = None
    next_skip: int | None = None
    total: int | None = None
    is_repeated: bool = False
    is_partial: bool = False

    @property
    def claimed_after(self) -> str | None:
        """The cursor after the last item, to ask for more after a claimed end."""
        last_id = self.items[-1].id if self.end is End.CLAIMED and self.items else None
        return last_id if last_id is not None and is_valid_id(last_id) else None

    @property
    def goes_on(self) -> bool:
        """Whether the next page can be requested."""
        return self.next_after is not None or self.next_skip is not None

    def trust_end(self) -> CanonicalPage[T]:
        """Take a claimed end as proved."""
        return replace(self, end=End.PROVED) if self.end is End.CLAIMED else self

    def with_total(self, total: int, *, seen: int) -> CanonicalPage[T]:
        """Add the `total` of a list, `seen` items of which come up to the end of this page."""
        if seen < total:
            return replace(self, end=End.MORE if self.goes_on else End.CUT_OFF, total=total)
        return replace(self, total=total).prove_end()

    def prove_end(self) -> CanonicalPage[T]:
        """Return this page as the last one."""
        return replace(self, end=End.PROVED, next_after=None, next_skip=None)


def canonicalize(
    page: Page[T], *, after: str | None = None, skip: int = 0, limit: int | None = None
) -> CanonicalPage[T]:
    """Select the new items of `page`, at most `MAX_ITEMS`, and find the way to the next page.

    `after` and `limit` were sent with the request. `skip` counts the items before the page: a
    server that ignores the limit sends them again, and if its ids are not cursors either, they
    are recognized by their number alone.
    """
    items = page.data
    if after is not None:
        items = items_after(after, items)
    elif limit is not None and len(items) > limit:
        items = items[skip:]
    is_repeated = bool(page.data) and not items
    # A server that repeats itself without promising more has sent everything: nothing follows.
    has_more = page.has_more is True if is_repeated else page.has_more
    is_capped = len(items) > MAX_ITEMS
    if is_capped:
        items, has_more = items[:MAX_ITEMS], True
    last_id = None if is_capped else page.last_id
    cursor = next_cursor(replace(page, data=items, has_more=has_more, last_id=last_id), after=after)
    next_after = cursor if cursor is not None and is_valid_id(cursor) else None
    next_skip = skip + len(items) if is_capped and next_after is None and after is None else None
    if has_more is None:
        end = End.UNKNOWN
    elif next_after is not None or next_skip is not None:
        end = End.MORE
    elif has_more:
        end = End.CUT_OFF
    else:
        end = End.CLAIMED if items and is_full(page, limit) else End.PROVED
    return CanonicalPage(
        items=items,
        after=after,
        skip=skip,
        end=end,
        next_after=next_after,
        next_skip=next_skip,
        total=page.total,
        is_repeated=is_repeated,
        is_partial=page.resume_after is not None,
    )


def is_full(page: Page[T], limit: int | None) -> bool:
    """Return whether more may follow `page`: it is as long as requested, or as such pages are."""
    return limit is not None and (len(page.data) >= limit or len(page.data) in _USUAL_LIMITS)


def check_end(
    page: CanonicalPage[T], fetch: Fetch[T], *, limit: int, order: str
) -> CanonicalPage[T]:
    """Check the end of `page` by one small request for more, if it is only claimed.

    `page` was requested with `limit` and `order`. If the request fails, the claim is all that is
    known. So it is of a server that only repeats its items, and so ignores the cursor, unless
    it ignored the limit as well: that was everything.
    """
    after = page.claimed_after
    if after is None:
        return page
    onward = replace(page, end=End.MORE, next_after=after)
    try:
        following = fetch(after=after, limit=1, order=order)
    except TooLarge:
        return onward
    except UpstreamError:
        return page
    known = {item.id for item in page.items}
    if any(item.id not in known for item in items_after(after, following.data)):
        return onward
    is_everything = len(page.items) > limit and bool(following.data)
    is_end = is_everything or (not following.data and following.has_more is not True)
    return page.trust_end() if is_end else page


def last_items(page: Page[T], count: int) -> tuple[T, ...]:
    """Select the last `count` items in request order; `page` was requested backwards.

    A server that ignores the limit is taken to ignore the order as well.
    """
    ordered = page.data[::-1] if len(page.data) <= count else page.data
    return ordered[-count:]


def count_from_newest(completion_id: str, page: Page[Message], *, limit: int = 1) -> int | None:
    """Count the messages, from the page of the newest ones; None if it is not known.

    `limit` was sent with the request. The number is the `total`, or that in the newest id. A
    server that ignores the order sends the oldest messages in place of the newest: their indexes
    count upwards, or contradict `has_more`. One that ignores the limit sends all messages, or as
    many as it always does.
    """
    if page.total is not None:
        return page.total
    if len(page.data) != limit:
        may_have_more = page.has_more or (page.has_more is None and len(page.data) in _USUAL_LIMITS)
        return None if may_have_more else len(page.data)
    indexes = [parse_message_index(completion_id, message.id) for message in page.data]
    newest = indexes[0]
    if newest is None or indexes != list(range(newest, newest - len(indexes), -1)):
        return None
    if page.has_more is not None and page.has_more != (newest >= limit):
        return None
    return newest + 1


def next_cursor(page: Page[T], *, after: str | None = None) -> str | None:
    """Find the `after` of the page that follows `page`; None if nothing can follow.

    `after` is the cursor that `page` was requested with: a server that returns the same one
    ignores it. The cursor is the last item's id, as the official clients take it, else
    `last_id`. After a bounded search, our own server names it.
    """
    if page.resume_after is not None:
        return page.resume_after if page.resume_after != after else None
    if page.has_more is False or not page.data:
        return None
    cursor = page.data[-1].id or page.last_id
    return cursor if cursor != after else None


def items_after(item_id: str, items: tuple[T, ...]) -> tuple[T, ...]:
    """Select the items after `item_id`, all of them if it is not among them."""
    places = [at for at, item in enumerate(items) if item.id == item_id]
    return items[places[-1] + 1 :] if places else items


def walk(
    fetch: Callable[[str | None], Page[T]], *, limit: int | None = None, max_pages: int = MAX_PAGES
) -> Iterator[Page[T]]:
    """Yield the pages that `fetch(after)` returns, from the first on, each item once.

    After a full page the walk goes on, also if the server calls that page the last one: some
    servers say so of every page.

    Raises `BadAnswer`, after everything that is new, if the server says that there is more but
    only repeats itself. If it does not say so, a repetition is simply the end: such servers
    ignore the cursor and send all they have at once.
    """
    guard = CursorGuard()
    after: str | None = None
    is_end_claimed = False
    for _ in range(max_pages):
        try:
            page = fetch(after)
        except (BadRequest, InvalidId, NotFound):
            if is_end_claimed:
                return
            raise
        is_end_claimed = page.has_more is False and is_full(page, limit)
        if is_end_claimed:
            page = replace(page, has_more=None)
        fresh = guard.drop_seen(page)
        if fresh.data or after is None:
            yield fresh
        after = guard.advance(page)
        if after is None:
            return
    raise BadAnswer(f"The server's list goes on after {max_pages:,} pages.")


class CursorGuard:
    """The cursors and items that a walk has seen so far."""

    def __init__(self) -> None:
        self._cursors: set[str] = set()
        self._items: set[int] = set()

    def drop_seen(self, page: Page[T]) -> Page[T]:
        """Drop the items of `page` that were, character for character, on an earlier one.

        An item without an id, or with an earlier one's id but other content, is new.
        """
        digests = [hash((item.id, item.json.digest())) if item.id else None for item in page.data]
        data = tuple(
            item
            for item, digest in zip(page.data, digests, strict=True)
            if digest is None or digest not in self._items
        )
        self._items.update(digest for digest in digests if digest is not None)
        return page if len(data) == len(page.data) else replace(page, data=data)

    def advance(self, page: Page[T]) -> str | None:
        """Advance to the cursor after `page`; None at the end.

        Raises `BadAnswer` if the server promises more, but no new cursor leads there.
        """
        cursor = next_cursor(page)
        if cursor is not None and cursor not in self._cursors:
            self._cursors.add(cursor)
            return cursor
        if page.has_more is True:
            raise BadAnswer(
                "The server says there is more, but repeats itself or sends nothing new.",
                advice="Everything it sent is shown; the list may be incomplete.",
            )
        return None
