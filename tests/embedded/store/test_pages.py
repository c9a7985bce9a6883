"""Pages walk every item once, in order, whatever their size and direction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.api_answers import ids
from tools.store_rows import add, compact, completion
from webapp.embedded import Store

MESSAGES = "/chat/completions/c1/messages"
NOTHING: dict[str, Any] = {
    "object": "list",
    "data": [],
    "first_id": None,
    "last_id": None,
    "has_more": False,
}


def pages(client: FlaskClient, path: str, **query: str) -> Iterator[dict[str, Any]]:
    while True:
        page = client.get(path, query_string=query).get_json()
        yield page
        if not page["has_more"]:
            return
        query["after"] = page["last_id"]


def walked(client: FlaskClient, path: str, **query: str) -> list[str]:
    return [one for page in pages(client, path, **query) for one in ids(page["data"])]


@pytest.mark.parametrize("limit", ["1", "2", "3", "7", "8", "100"])
def test_pages_of_messages_walk_each_once(store: Store, client: FlaskClient, limit: str) -> None:
    add(store, completion("c1", messages=7), completion("c2", messages=3))
    expected = [f"c1-{at}" for at in range(7)]

    assert walked(client, MESSAGES, limit=limit) == expected
    assert walked(client, MESSAGES, limit=limit, order="asc") == expected
    assert walked(client, MESSAGES, limit=limit, order="desc") == expected[::-1]


@pytest.mark.parametrize("limit", ["1", "2", "3", "7", "8", "100"])
def test_pages_of_completions_walk_each_once(store: Store, client: FlaskClient, limit: str) -> None:
    add(store, *(completion(f"c{at}", created=100 + at // 3) for at in range(7)))
    expected = [f"c{at}" for at in range(7)]

    assert walked(client, "/chat/completions", limit=limit) == expected[::-1]
    assert walked(client, "/chat/completions", limit=limit, order="desc") == expected[::-1]
    assert walked(client, "/chat/completions", limit=limit, order="asc") == expected


def test_completions_are_sorted_by_time_and_not_by_insertion(
    store: Store, client: FlaskClient
) -> None:
    add(store, *(completion(f"c{at}", created=at) for at in (2, -5, 3, 0)), completion("none"))

    assert walked(client, "/chat/completions", limit="2") == ["c3", "c2", "none", "c0", "c-5"]


def test_times_beyond_all_bounds_are_walked_too(store: Store, client: FlaskClient) -> None:
    add(store, completion("old", created=-(10**40)), completion("new", created=10**40))

    assert walked(client, "/chat/completions", limit="1") == ["new", "old"]


def test_a_page_has_twenty_items_by_default(store: Store, client: FlaskClient) -> None:
    add(store, completion("c1", messages=45))

    sizes = [len(page["data"]) for page in pages(client, MESSAGES)]
    assert sizes == [20, 20, 5]


def test_a_page_names_its_first_and_last_id(store: Store, client: FlaskClient) -> None:
    add(store, completion("c1", messages=4))

    page = client.get(f"{MESSAGES}?limit=2&after=c1-0").get_json()
    assert list(page) == ["object", "data", "first_id", "last_id", "has_more"]
    assert (page["first_id"], page["last_id"], page["has_more"]) == ("c1-1", "c1-2", True)


def test_the_predecessor_of_a_message_is_one_call_away(store: Store, client: FlaskClient) -> None:
    add(store, completion("c1", messages=9))

    assert ids(client.get(f"{MESSAGES}?order=desc&after=c1-5&limit=1").get_json()["data"]) == [
        "c1-4"
    ]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_after_the_last_item_comes_the_empty_page(
    store: Store, client: FlaskClient, order: str
) -> None:
    add(store, completion("c1", messages=2))
    last = "c1-1" if order == "asc" else "c1-0"

    for path, after in ((MESSAGES, last), ("/chat/completions", "c1")):
        answer = client.get(path, query_string={"after": after, "order": order})
        assert answer.status_code == 200
        assert answer.text == compact(NOTHING)


def test_an_empty_store_has_an_empty_page(client: FlaskClient) -> None:
    assert client.get("/chat/completions").text == compact(NOTHING)


def test_limit_zero_is_an_empty_page_with_has_more(store: Store, client: FlaskClient) -> None:
    add(store, completion("c1"), completion("bare", messages=0))

    assert client.get(f"{MESSAGES}?limit=0").get_json() == NOTHING | {"has_more": True}
    assert client.get("/chat/completions?limit=0").get_json() == NOTHING | {"has_more": True}
    assert client.get("/chat/completions/bare/messages?limit=0").get_json() == NOTHING


def filtered(client: FlaskClient, query: str) -> list[str]:
    return ids(client.get(f"/chat/completions?{query}").get_json()["data"])


def test_completions_are_filtered_by_model(store: Store, client: FlaskClient) -> None:
    add(store, *(completion(f"c{at}", created=at, model=f"m{at % 2}") for at in range(6)))

    assert filtered(client, "model=m1") == ["c5", "c3", "c1"]
    assert filtered(client, "model=m1&order=asc&limit=2&after=c1") == ["c3", "c5"]
    assert filtered(client, "model=m2") == []
    assert filtered(client, "model=") == []


def test_completions_are_filtered_by_every_metadata_pair(store: Store, client: FlaskClient) -> None:
    tags = ({"a": "1", "b": "1"}, {"a": "1", "b": "2"}, {"b": "1"}, {"a": "1", "b": "1"})
    add(store, *(completion(f"c{at}", metadata=tag, model=f"m{at}") for at, tag in enumerate(tags)))

    assert filtered(client, "metadata[a]=1") == ["c3", "c1", "c0"]
    assert filtered(client, "metadata[a]=1&metadata[b]=1") == ["c3", "c0"]
    assert filtered(client, "metadata[b]=1&metadata[a]=1&order=asc") == ["c0", "c3"]
    assert filtered(client, "metadata[b]=1&metadata[a]=1&model=m0") == ["c0"]
    assert filtered(client, "metadata[a]=1&metadata[a]=2") == []
    assert filtered(client, "metadata[a]=") == []


@pytest.mark.parametrize(
    "query",
    [
        "metadata%5Bc+d%5D=%C3%A9%5B1%5D",
        "metadata%5Bc%20d%5D=%C3%A9%5B1%5D",
        "metadata[c%20d]=%C3%A9[1]",
    ],
)
def test_a_metadata_filter_is_read_in_every_encoding(
    store: Store, client: FlaskClient, query: str
) -> None:
    add(store, completion("c1", metadata={"c d": "é[1]"}), completion("c2", metadata={"c d": "é"}))

    assert filtered(client, query) == ["c1"]


def test_filtered_pages_walk_each_match_once(store: Store, client: FlaskClient) -> None:
    add(
        store,
        *(completion(f"c{at}", created=at // 4, metadata={"odd": str(at % 2)}) for at in range(13)),
    )
    odd = [f"c{at}" for at in range(1, 13, 2)]
    query = {"metadata[odd]": "1", "limit": "2"}

    assert walked(client, "/chat/completions", **query) == odd[::-1]
    assert walked(client, "/chat/completions", **query, order="asc") == odd


def test_a_filter_follows_an_update(store: Store, client: FlaskClient) -> None:
    add(store, completion("c1", metadata={"a": "old", "b": "1"}))

    client.post("/chat/completions/c1", json={"metadata": {"a": "new"}})

    assert filtered(client, "metadata[a]=new") == ["c1"]
    assert filtered(client, "metadata[a]=old") == []
    assert filtered(client, "metadata[b]=1") == []
