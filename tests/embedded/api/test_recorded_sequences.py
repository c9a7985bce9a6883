"""Recorded exchanges with the real API, repeated from create to delete over real ports.

The model server sends the recorded answers, so the completions are the recorded ones. Every later
request must be answered in the recorded bytes, with these exceptions:

- The real API does not find a new completion for some seconds; ours does at once. A recorded 404
  in that time is compared with the later answer to the same request.
- The real API draws a seed and does not return it to a create request; ours is null.
- The real API fetches a remote image and returns its data; ours returns its address.
- A list covers the whole account. The completions of others are stored here beforehand, and one
  more if the recorded page has `has_more`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

import pytest
import requests

from tests.support.model_server import FakeModel, whole
from tests.support.recordings import ALL, CREATED, SEQUENCES, Exchange, is_create, request_body
from tests.support.serving import serve
from tools.store_rows import add, compact
from webapp.embedded import ModelServer, Store, create_server

pytestmark = [
    pytest.mark.skipif(not ALL, reason="the recorded exchanges are not here"),
    pytest.mark.one_database,
]

Steps: TypeAlias = list[Exchange]


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def root(store: Store, model: FakeModel) -> Iterator[str]:
    with model.serve() as url, serve(create_server(store, model=ModelServer(url))) as root:
        yield root


@pytest.mark.parametrize("test", SEQUENCES)
def test_a_recorded_sequence_goes_the_same_way(
    store: Store, model: FakeModel, root: str, test: str
) -> None:
    sequence = SEQUENCES[test]
    add(store, *others_of_the_account(sequence))

    with requests.Session() as session:
        session.trust_env = False
        for at, exchange in enumerate(sequence):
            if is_create(exchange):
                create(session, root, model, exchange, request_id_of(exchange, sequence))
            else:
                assert_answered(ask(session, root, exchange), answer_to(sequence, at))


def create(
    session: requests.Session, root: str, model: FakeModel, exchange: Exchange, request_id: str
) -> None:
    """Create a completion; fail unless it comes back as the model server sent it."""
    answer = whole(exchange["response_body"], headers=(("x-request-id", request_id),))
    model.script(answer)

    created = session.post(f"{root}/chat/completions", json=exchange["request_body"])

    assert (created.status_code, created.content) == (200, answer.body)
    assert created.headers["x-request-id"] == request_id


def ask(session: requests.Session, root: str, exchange: Exchange) -> requests.Response:
    url = root + exchange["path"].removeprefix("/v1")
    return session.request(
        exchange["method"], url, params=exchange["query"], data=request_body(exchange)
    )


def assert_answered(answer: requests.Response, expected: Exchange) -> None:
    body = expected["response_body"]
    assert answer.status_code == expected["status"]
    assert answer.headers["content-type"] == expected["headers"].get(
        "content-type", "application/json"
    )
    if answer.status_code == 404:
        assert answer.text == json.dumps(body, indent=2)
    else:
        assert answer.content.decode() == compact(as_here(body))


def others_of_the_account(sequence: Steps) -> list[dict[str, Any]]:
    """Return the listed completions that no recording created, the oldest first."""
    pages = [one for one in sequence if "first_id" in one["response_body"]]
    lists = [one for one in pages if one["path"].endswith("/completions")]
    ascending = [one for one in lists if "order=asc" in one["query"]]
    descending = [one for one in lists if one not in ascending]
    oldest_first = listed(ascending) + listed(descending)[::-1]
    if descending and descending[-1]["response_body"]["has_more"] and not ascending:
        last = descending[-1]["response_body"]["data"][-1]
        oldest_first.insert(0, last | {"id": "beyond", "created": last["created"] - 1})
    return [one | {"messages": []} for one in oldest_first if one["id"] not in CREATED]


def listed(lists: Steps) -> list[dict[str, Any]]:
    """Return the completions on these pages, each once."""
    by_id = {item["id"]: item for one in lists for item in one["response_body"]["data"]}
    return list(by_id.values())


def request_id_of(create: Exchange, sequence: Steps) -> str:
    """Return the stored completion's request id, which the recorded create leaves out."""
    completion_id = create["response_body"]["id"]
    bodies = [one["response_body"] for one in sequence]
    items = [item for body in bodies for item in body.get("data", [body])]
    ids = (item["request_id"] for item in items if is_stored(item, completion_id))
    return next(ids, "req_of_no_recording")


def is_stored(item: dict[str, Any], completion_id: str) -> bool:
    return item.get("id") == completion_id and "request_id" in item


def answer_to(sequence: Steps, at: int) -> Exchange:
    """Return the exchange to compare with: a later one if the first came too early."""
    early = sequence[at]
    deleted = any(one["method"] == "DELETE" for one in sequence[:at])
    if early["status"] != 404 or deleted:
        return early
    same = (one for one in sequence[at:] if key(one) == key(early) and one["status"] == 200)
    return next(same, early)


def remote_image() -> str:
    """Return the URL of the one image among the messages sent."""
    (url,) = (
        part["image_url"]["url"]
        for one in CREATED.values()
        for message in one["request_body"]["messages"]
        for part in (message["content"] if isinstance(message["content"], list) else ())
        if "image_url" in part
    )
    return str(url)


def key(exchange: Exchange) -> tuple[str, str, str]:
    return exchange["method"], exchange["path"], exchange["query"]


def as_here(body: Any) -> Any:
    """Return a recorded body with this server's seed and image URL."""
    if isinstance(body, list):
        return [as_here(one) for one in body]
    if not isinstance(body, dict):
        return body
    if body.get("object") == "chat.completion" and body["id"] in CREATED:
        return body | {"seed": None}
    if "image_url" in body and body["image_url"] is not None:
        return body | {"image_url": body["image_url"] | {"url": remote_image()}}
    return {name: as_here(value) for name, value in body.items()}
