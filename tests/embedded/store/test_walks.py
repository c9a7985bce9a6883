"""Walking from page to page returns every id once, for every page size and order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.serving import serve
from tools.store_rows import add, completion
from webapp.embedded import Store, create_server
from webapp.embedded.store.pages import PageRequest

LIMITS: Final = st.integers(1, 7) | st.integers(1, 100)
ORDERS: Final = st.sampled_from([None, "asc", "desc"])
MOST: Final = 30

walks = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Walker:
    """A client that follows `last_id` while there is more."""

    def __init__(self, root: str, session: requests.Session) -> None:
        self._url = f"{root}/chat/completions"
        self._session = session

    def walk(self, path: str = "", **query: object) -> Iterator[list[str]]:
        """Yield the ids of each page."""
        while True:
            answer = self._session.get(f"{self._url}{path}", params=query)  # type: ignore[arg-type]
            page: dict[str, Any] = answer.json()
            ids = [one["id"] for one in page["data"]]
            assert (page["first_id"], page["last_id"]) == ends(ids)
            yield ids
            if not page["has_more"]:
                return
            query["after"] = page["last_id"]


@pytest.fixture
def walker(store: Store) -> Iterator[Walker]:
    with serve(create_server(store)) as root, requests.Session() as session:
        session.trust_env = False
        yield Walker(root, session)


@walks
@given(count=st.integers(0, MOST), limit=LIMITS, order=ORDERS)
def test_every_message_is_met_once(
    store: Store, walker: Walker, count: int, limit: int, order: str | None
) -> None:
    empty(store)
    add(store, completion("c", messages=count))

    pages = list(walker.walk("/c/messages", limit=limit, order=order))

    expected = [f"c-{at}" for at in range(count)]
    assert pages == in_pages(expected[::-1] if order == "desc" else expected, limit)


@walks
@given(
    created=st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab")), max_size=MOST),
    limit=LIMITS,
    order=ORDERS,
    run=st.sampled_from([None, "a", "b"]),
)
def test_every_completion_is_met_once_also_among_those_of_one_second(
    store: Store,
    walker: Walker,
    created: list[tuple[int, str]],
    limit: int,
    order: str | None,
    run: str | None,
) -> None:
    stored = [
        completion(f"c{at}", created=second, metadata={"run": name})
        for at, (second, name) in enumerate(created)
    ]
    empty(store)
    add(store, *stored)

    filtered: dict[str, Any] = {"metadata[run]": run}
    pages = list(walker.walk(limit=limit, order=order, **filtered))

    oldest_first = sorted(range(len(created)), key=lambda at: created[at][0])
    expected = [f"c{at}" for at in oldest_first if run in (None, created[at][1])]
    assert pages == in_pages(expected if order == "asc" else expected[::-1], limit)


def empty(store: Store) -> None:
    for completion_id in store.list_completions(PageRequest(None, 100, "asc")).ids:
        store.delete_completion(completion_id)


def in_pages(ids: Sequence[str], limit: int) -> list[list[str]]:
    """Return `ids` in pages of `limit`; no page is empty unless it is the only one."""
    return [list(ids[at : at + limit]) for at in range(0, max(len(ids), 1), limit)]


def ends(ids: Sequence[str]) -> tuple[str | None, str | None]:
    return (ids[0], ids[-1]) if ids else (None, None)
