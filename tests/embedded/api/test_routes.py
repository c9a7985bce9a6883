"""The server's answers to the byte: bodies, status codes and headers."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from tests.support.api_answers import assert_error
from tools.store_rows import add, completion
from webapp.embedded import Store, create_server

ONE = "/chat/completions/c1"

NOT_FOUND = b"""{
  "error": {
    "message": "Completion chatcmpl-CGSZLBwN3ersx3QOcC4LAC3d8B2UQ not found",
    "type": "invalid_request_error",
    "param": "completion_id",
    "code": "not_found"
  }
}"""

BAD_QUERIES = {
    "limit=-1": (
        "Invalid 'limit': integer below minimum value. Expected a value >= 0, but got -1 instead.",
        "limit",
        "integer_below_min_value",
    ),
    "limit=101": (
        "Invalid 'limit': integer above maximum value. "
        "Expected a value <= 100, but got 101 instead.",
        "limit",
        "integer_above_max_value",
    ),
    "limit=ten": (
        "Invalid type for 'limit': expected an integer, but got 'ten' instead.",
        "limit",
        "invalid_type",
    ),
    "limit=": (
        "Invalid type for 'limit': expected an integer, but got '' instead.",
        "limit",
        "invalid_type",
    ),
    "order=newest": (
        "Invalid value: 'newest'. Supported values are: 'asc' and 'desc'.",
        "order",
        "invalid_value",
    ),
    "after=nothing": (
        "Invalid value for 'after': 'nothing' is not the id of an item in this list.",
        "after",
        "invalid_value",
    ),
}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_completion_is_not_found_in_the_recorded_bytes(
    client: FlaskClient, method: str
) -> None:
    path = "/chat/completions/chatcmpl-CGSZLBwN3ersx3QOcC4LAC3d8B2UQ"
    answer = client.open(path, method=method)

    assert answer.status_code == 404
    assert answer.get_data() == NOT_FOUND
    assert len(NOT_FOUND) == 189


def test_messages_and_an_update_of_an_unknown_completion_are_not_found(
    client: FlaskClient,
) -> None:
    for answer in (
        client.get("/chat/completions/x/messages"),
        client.get("/chat/completions/x/messages?after=x-0"),
        client.post("/chat/completions/x", json={"metadata": {}}),
    ):
        assert_error(answer, 404, "Completion x not found", "completion_id", "not_found")


@pytest.mark.parametrize("path", ["/chat/completions", f"{ONE}/messages"])
@pytest.mark.parametrize("query", BAD_QUERIES)
def test_a_bad_page_request_is_refused(
    store: Store, client: FlaskClient, path: str, query: str
) -> None:
    add(store, completion("c1"))
    message, param, code = BAD_QUERIES[query]

    assert_error(client.get(f"{path}?{query}"), 400, message, param, code)


def test_a_cursor_of_another_list_is_unknown(store: Store, client: FlaskClient) -> None:
    add(store, completion("c1"), completion("c2"))

    assert client.get(f"{ONE}/messages?after=c2-0").status_code == 400
    assert client.get("/chat/completions?after=c2-0").status_code == 400


@pytest.mark.parametrize("path", ["/chat/completions", f"{ONE}/messages"])
def test_an_empty_cursor_is_none(store: Store, client: FlaskClient, path: str) -> None:
    add(store, completion("c1"))

    assert client.get(f"{path}?after=").get_json() == client.get(path).get_json()


def test_more_filters_than_metadata_can_have_are_refused(client: FlaskClient) -> None:
    query = "&".join(f"metadata[{at}]=x" for at in range(17))

    assert client.get(f"/chat/completions?{query}").status_code == 400


def test_deleting_answers_once(store: Store, client: FlaskClient) -> None:
    add(store, completion("c1"), completion("c2"))

    assert client.delete(ONE).text == (
        '{"object":"chat.completion.deleted","id":"c1","deleted":true}'
    )
    assert client.delete(ONE).status_code == 404
    assert client.get(ONE).status_code == 404
    assert client.get(f"{ONE}/messages").status_code == 404
    assert client.get("/chat/completions/c2").status_code == 200


def test_what_else_is_kept_of_a_completion_is_deleted_with_it(store: Store) -> None:
    deleted: list[tuple[str, bool]] = []
    client = create_server(store, on_delete=lambda *one: deleted.append(one)).test_client()
    add(store, completion("c1"), completion("c2"))

    assert client.delete(ONE).status_code == 200
    assert deleted == [("c1", True)]
    # It may have been deleted from the store by another program.
    assert client.delete(ONE).status_code == 404
    assert deleted == [("c1", True), ("c1", False)]


def test_creating_is_refused_for_good(client: FlaskClient) -> None:
    answer = client.post("/chat/completions", json={"model": "m", "messages": []})

    message = (
        "This server stores and serves completions. It has no model and cannot create one. "
        "Set READBACK_MODEL_URL to the address of an OpenAI-compatible server that can."
    )
    assert_error(answer, 501, message, None, "not_supported")
    assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    "path", ["/", "/models", "/chat/completions/", "/chat/completions//messages", f"{ONE}/x"]
)
def test_the_error_for_an_unknown_url_names_it_as_requested(client: FlaskClient, path: str) -> None:
    message = (
        f"Unknown request URL: GET {path}. Please check the URL for typos, or see the docs at "
        "https://platform.openai.com/docs/api-reference/."
    )
    assert_error(client.get(path), 404, message, None, "unknown_url")


def test_the_error_for_an_unknown_url_includes_the_mount_point(store: Store) -> None:
    mounted = DispatcherMiddleware(NotFound(), {"/v1": create_server(store)})

    assert "Unknown request URL: GET /v1/x. " in Client(mounted).get("/v1/x").text


def test_the_error_for_a_wrong_method_lists_the_right_ones(client: FlaskClient) -> None:
    answer = client.put(f"{ONE}/messages")

    message = f"Invalid method for URL (PUT {ONE}/messages)"
    assert_error(answer, 405, message, None, "method_not_supported")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_every_answer_has_the_recorded_headers(store: Store, client: FlaskClient) -> None:
    add(store, completion("c1"))
    seen = set()
    for path in ("/chat/completions", ONE, f"{ONE}/messages", "/chat/completions/x", "/x"):
        headers = client.get(path).headers
        assert headers["Content-Type"] == "application/json"
        assert headers["openai-version"] == "2020-10-01"
        assert headers["openai-processing-ms"].isdecimal()
        assert re.fullmatch("req_[0-9a-f]{32}", headers["x-request-id"])
        seen.add(headers["x-request-id"])

    assert len(seen) == 5


def test_an_unexpected_failure_is_an_error_without_its_cause(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    server: Flask = create_server(store)

    @server.get("/broken")
    def broken() -> str:
        raise RuntimeError("the cause")

    answer = server.test_client().get("/broken")

    assert answer.status_code == 500
    assert answer.get_json()["error"]["type"] == "server_error"
    assert "the cause" not in answer.text
    assert "the cause" in caplog.text
