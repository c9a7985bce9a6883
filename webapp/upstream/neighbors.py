"""Find the page that begins with an item, or ends before it, on any server.

The API has no request for one item, and servers that ignore the cursor or the order are asked in
other ways.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final, TypeAlias

from webapp.ids import is_valid_id, split_message_id
from webapp.upstream.canonical import CanonicalPage, Fetch, T, canonicalize, walk
from webapp.upstream.decoding import Page
from webapp.upstream.errors import BadAnswer, BadRequest, NotFound, UpstreamError

CountLead: TypeAlias = Callable[[Sequence[T], T], int]
"""Return how many of the items before an item, the nearest first, are shown with it."""

_MAX_LEADING: Final = 99
"""Items before one that can be asked for with the cursor of their page."""

_WALKED_AT_ONCE: Final = 100
_MAX_WALKED: Final = 50
"""Pages that are read from the start to find an item on a server that ignores the order."""


def find_page_before(item_id: str, fetch: Fetch[T], *, limit: int) -> CanonicalPage[T]:
    """Find the items before `item_id`, the nearest first, for one request.

    A server that may ignore the order is asked for more. Raises `NotFound` if there is no such
    item.
    """
    page = _fetch_before(item_id, fetch, limit)
    # A server that ignores the cursor is taken to ignore the order as well.
    place = next((at for at, item in enumerate(page.data) if item.id == item_id), None)
    if place is not None:
        nearest = page.data[max(0, place - limit) : place][::-1]
        page = replace(page, data=nearest, has_more=place > limit)
    elif _is_after(item_id, page, fetch):
        walked = _walk_to(item_id, fetch, limit + 1)
        page = replace(page, data=tuple(walked[:limit]), has_more=len(walked) > limit)
        return canonicalize(page, after=item_id)
    return canonicalize(page, after=item_id, limit=limit if place is None else None)


def find_page_from(
    item_id: str, fetch: Fetch[T], *, limit: int, count_lead: CountLead[T] | None = None
) -> CanonicalPage[T]:
    """Find the page that begins with the item `item_id`, at any depth, for two requests.

    `count_lead` returns how many of the items before it, at most `limit`, begin the page.

    The API has no request for one item. But the page after it in descending order begins with
    its predecessor, and that one is the cursor of the page wanted. Raises `NotFound` if there
    is no such item.
    """
    most = min(limit, _MAX_LEADING) if count_lead else 0
    before = _fetch_before(item_id, fetch, most + 1)
    ids = [item.id for item in before.data]
    if item_id in ids:
        # A server that ignores the cursor has sent everything.
        place = ids.index(item_id)
        rest = replace(before, data=before.data[place:])
        page = canonicalize(rest, after=ids[place - 1] if place else None, skip=place)
        # It is taken to ignore the order as well, and nothing comes before the first item.
        nearest, is_start = before.data[:place][::-1], True
    else:
        nearest, is_start = before.data, before.has_more is not True
        after = ids[0] if ids else None
        found = fetch(after=after, limit=limit, order="asc")
        page = canonicalize(found, after=after, limit=limit)
        if before.has_more:
            # This server says where more follows, so its end is one.
            page = page.trust_end()
        if not page.items or page.items[0].id != item_id:
            # These were not the items before it: the server ignores the order.
            nearest = tuple(_walk_to(item_id, fetch, most + 1))
            is_start = len(nearest) <= most
            after = nearest[0].id if nearest else None
            page = canonicalize(fetch(after=after, limit=limit, order="asc"), after=after)
    if not page.items or page.items[0].id != item_id:
        raise _no_such_message()
    lead = count_lead(nearest[:most], page.items[0]) if count_lead else 0
    return _begin_earlier(page, nearest, lead, is_start=is_start)


def _begin_earlier(
    page: CanonicalPage[T], nearest: Sequence[T], count: int, *, is_start: bool
) -> CanonicalPage[T]:
    """Put `count` of the `nearest` items before those of `page`, if a cursor leads there.

    `is_start` means that nothing comes before the last of `nearest`.
    """
    after = nearest[count].id if count < len(nearest) else None
    is_reachable = is_valid_id(after) if after else is_start and count == len(nearest)
    if not count or not is_reachable:
        return page
    items = (*reversed(nearest[:count]), *page.items)
    return replace(page, items=items, after=after, skip=max(0, page.skip - count))


def _is_after(item_id: str, page: Page[T], fetch: Fetch[T]) -> bool:
    """Return whether `page`, which was requested backwards, comes after `item_id` all the same.

    The ids say so if they are numbered. Of others, the item after the nearest one is requested.
    """
    nearest_id = page.data[0].id if page.data else None
    if page.data and (nearest_id is None or not is_valid_id(nearest_id)):
        return False
    here, there = split_message_id(item_id), split_message_id(nearest_id)
    if here is not None and nearest_id is None:
        return here[1] > 0
    if here is not None and there is not None and here[0] == there[0]:
        return there[1] > here[1]
    try:
        # Two, since the first may be the cursor itself.
        following = fetch(after=nearest_id, limit=2, order="asc")
    except UpstreamError:
        return False
    return all(item.id != item_id for item in following.data)


def _walk_to(item_id: str, fetch: Fetch[T], most: int) -> list[T]:
    """Read from the start to `item_id`, and return up to `most` items before it, the nearest first.

    Raises `NotFound` if it is not within the pages that are read.
    """
    before: deque[T] = deque(maxlen=most)
    pages = walk(
        lambda after: fetch(after=after, limit=_WALKED_AT_ONCE, order="asc"), limit=_WALKED_AT_ONCE
    )
    try:
        for page in islice(pages, _MAX_WALKED):
            for item in page.data:
                if item.id == item_id:
                    return list(reversed(before))
                before.append(item)
    except BadAnswer as error:
        raise _no_such_message() from error
    raise _no_such_message()


def _fetch_before(item_id: str, fetch: Fetch[T], limit: int) -> Page[T]:
    try:
        return fetch(after=item_id, limit=limit, order="desc")
    except BadRequest as error:
        raise _no_such_message(error.server_message) from error


def _no_such_message(server_message: str | None = None) -> NotFound:
    return NotFound(
        "There is no such message in this completion.",
        server_message=server_message,
        advice="Open the transcript from its start.",
    )
