"""The API key: which requests are answered, and the recorded bytes of a refusal."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tools.paths import SHARED
from tools.store_rows import add, completion
from webapp.embedded import Store, create_server
from webapp.embedded.api.auth import redact_key

pytestmark = pytest.mark.one_database

KEY = "sk-of-this-server-0123456789"
ERRORS = SHARED / "data" / "errors.json"

ROUTES = [
    ("GET", "/chat/completions"),
    ("POST", "/chat/completions"),
    ("GET", "/chat/completions/c1"),
    ("POST", "/chat/completions/c1"),
    ("DELETE", "/chat/completions/c1"),
    ("GET", "/chat/completions/c1/messages"),
    ("PUT", "/chat/completions/c1"),
    ("OPTIONS", "/chat/completions"),
    ("GET", "/models"),
]

NO_KEY = b"""{
    "error": {
        "message": "You didn't provide an API key. You need to provide your API key in an \
Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password \
field (with blank username) if you're accessing the API from your browser and are prompted for a \
username and password. You can obtain an API key from \
https://platform.openai.com/account/api-keys.",
        "type": "invalid_request_error",
        "param": null,
        "code": null
    }
}
"""

WRONG_KEY = b"""{
    "error": {
        "message": "Incorrect API key provided: not-a-re**************************ized. You can \
find your API key at https://platform.openai.com/account/api-keys.",
        "type": "invalid_request_error",
        "param": null,
        "code": "invalid_api_key"
    }
}
"""


@pytest.fixture
def guarded(store: Store) -> FlaskClient:
    add(store, completion("c1"))
    return create_server(store, api_key=KEY).test_client()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_asks_for_the_key(guarded: FlaskClient, method: str, path: str) -> None:
    assert guarded.open(path, method=method).status_code == 401
    assert guarded.open(path, method=method, headers=bearer("wrong")).status_code == 401
    assert '"id":"c1"' in guarded.get("/chat/completions", headers=bearer(KEY)).text
    assert guarded.open(path, method=method, headers=bearer(KEY)).status_code != 401


@pytest.mark.parametrize(
    "headers",
    [{}, bearer(""), {"Authorization": KEY}, {"Authorization": "Basic eDp5"}, {"api-key": ""}],
)
def test_without_a_key_the_answer_is_the_recorded_one(
    guarded: FlaskClient, headers: dict[str, str]
) -> None:
    answer = guarded.get("/chat/completions", headers=headers)

    assert answer.status_code == 401
    assert answer.get_data() == NO_KEY


def test_a_wrong_key_is_repeated_redacted_as_recorded(guarded: FlaskClient) -> None:
    answer = guarded.get(
        "/chat/completions", headers=bearer("not-a-real-key-but-should-be-sanitized")
    )

    assert answer.status_code == 401
    assert answer.get_data() == WRONG_KEY
    assert_refused_headers(answer)


@pytest.mark.skipif(not ERRORS.exists(), reason="the recorded errors are not beside the checkout")
def test_a_wrong_key_agrees_with_the_recording(guarded: FlaskClient) -> None:
    (recorded,) = (one for one in json.loads(ERRORS.read_text()) if one["status"] == 401)
    answer = guarded.get(
        "/chat/completions", headers=bearer("not-a-real-key-but-should-be-sanitized")
    )

    assert answer.get_json() == recorded["body"]
    assert answer.content_type == recorded["headers"]["content-type"]
    assert "openai-version" not in recorded["headers"]


def assert_refused_headers(answer: TestResponse) -> None:
    assert answer.content_type == "application/json; charset=utf-8"
    assert answer.headers["Vary"] == "Origin"
    assert answer.headers["x-request-id"].startswith("req_")
    assert not {"openai-version", "openai-processing-ms"} & {name for name, _ in answer.headers}


@pytest.mark.parametrize(
    "headers",
    [
        bearer(KEY),
        {"Authorization": f"bearer {KEY}"},
        {"api-key": KEY},
        {"x-api-key": KEY},
        {"Authorization": f"Bearer  {KEY} "},
    ],
)
def test_the_key_is_taken_as_clients_send_it(guarded: FlaskClient, headers: dict[str, str]) -> None:
    answer = guarded.get("/chat/completions/c1", headers=headers)

    assert answer.status_code == 200
    assert answer.headers["openai-version"] == "2020-10-01"


@pytest.mark.parametrize(
    "key", [KEY[:-1], KEY + "x", KEY.upper(), "schl\u00fcssel", "x" * 5000, "*"]
)
def test_a_key_that_only_resembles_the_right_one_is_refused(guarded: FlaskClient, key: str) -> None:
    answer = guarded.get("/chat/completions", headers=bearer(key))

    assert answer.status_code == 401
    assert answer.get_json()["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("dummy", "dummy"),
        ("12345678", "12345678"),
        ("your_key_here", "your_key*here"),
        ("YOUR_API_KEY", "YOUR_API*KEY"),
        ("sk-not-a-real-key", "sk-not-a*****-key"),
    ],
)
def test_a_key_is_redacted_except_its_ends(key: str, shown: str) -> None:
    assert redact_key(key) == shown


def test_without_a_key_of_its_own_the_server_answers_everybody(client: FlaskClient) -> None:
    assert client.get("/chat/completions").status_code == 200
    assert client.get("/chat/completions", headers=bearer("anything")).status_code == 200
