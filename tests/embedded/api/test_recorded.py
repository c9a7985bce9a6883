"""Recorded exchanges with the real API, repeated one by one on this server.

Each request finds a store with the completions that its answer contains, and must be answered in
the same bytes. The recordings are compact JSON, and errors are indented by two.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.recordings import ALL, CREATED, is_create, name, request_body
from tools.store_rows import add, compact, completion
from webapp.embedded import Store

ASKED = [one for one in ALL if not is_create(one)]

pytestmark = [
    pytest.mark.skipif(not ALL, reason="the recorded exchanges are not here"),
    pytest.mark.one_database,
]


def test_there_are_recordings_of_every_kind() -> None:
    kinds = {(one["method"], one["status"]) for one in ASKED}

    assert kinds == {("GET", 200), ("GET", 404), ("POST", 200), ("DELETE", 200)}


@pytest.mark.parametrize("exchange", ASKED, ids=name)
def test_a_recorded_request_gets_the_recorded_answer(
    store: Store, client: FlaskClient, exchange: dict[str, Any]
) -> None:
    add(store, *stored_before(exchange))
    answer = client.open(
        exchange["path"].removeprefix("/v1"),
        method=exchange["method"],
        query_string=exchange["query"],
        data=request_body(exchange),
    )

    body = exchange["response_body"]
    assert answer.status_code == exchange["status"]
    assert answer.content_type == exchange["headers"].get("content-type", "application/json")
    if answer.status_code == 404:
        assert answer.text == json.dumps(body, indent=2)
    else:
        assert answer.text == compact(body)


def stored_before(exchange: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the completions from which this server makes the recorded answer."""
    body = exchange["response_body"]
    completion_id = exchange["path"].split("/")[4:5]
    if exchange["status"] == 404:
        return []
    if body["object"] == "chat.completion.deleted":
        return [completion(body["id"])]
    if body["object"] == "chat.completion":
        before = {"metadata": {"before": "the update"}} if exchange["method"] == "POST" else {}
        return [body | before | {"messages": []}]
    if completion_id:
        return [with_input_messages(completion_id[0], body["data"])]
    return listed(exchange)


def with_input_messages(completion_id: str, answered: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the completion as created; the API replaces a remote image by its data."""
    messages = copy.deepcopy(CREATED[completion_id]["request_body"]["messages"])
    images = [
        part["image_url"]
        for one in answered
        for part in one["content_parts"] or ()
        if part["image_url"]
    ]
    for message in messages:
        for part in message["content"] if isinstance(message["content"], list) else ():
            if "image_url" in part and images:
                part["image_url"] = {"url": images[0]["url"]}
    return completion(completion_id) | {"messages": messages}


def listed(exchange: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the listed completions, one on either side, and one that no filter passes."""
    body = exchange["response_body"]
    items = body["data"]
    ascending = "order=asc" in exchange["query"]
    first, last = items[0], items[-1]
    step = 1 if ascending else -1
    stored = [item | {"messages": []} for item in items]
    if body["has_more"]:
        beyond = last | {"id": "beyond", "created": last["created"] + step, "messages": []}
        stored.append(beyond)
    after = [part for part in exchange["query"].split("&") if part.startswith("after=")]
    for cursor in after:
        cursor_id = cursor.removeprefix("after=")
        stored.append(completion(cursor_id, created=first["created"] - step))
    if "metadata" in exchange["query"] or "model" in exchange["query"]:
        stored.append(completion("filtered-out", created=first["created"]))
    return stored if ascending else stored[::-1]
