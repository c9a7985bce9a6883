"""Headers of every answer, and requests that are always refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from requests.adapters import BaseAdapter

from tests.support.answer_headers import POLICY, find_header_faults
from tests.support.fake_upstream import FakeUpstream, error, stored
from tests.support.pages import AS_FRAGMENT
from webapp import create_app
from webapp.config import Config

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"
MESSAGES = f"/chat/completions/{ID}/messages"


@pytest.fixture(autouse=True)
def thirty(fake: FakeUpstream) -> None:
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(30)))


# Headers

ANSWERS = [
    ("GET", "/completions", 200),
    ("GET", "/completions?model=none", 200),
    ("GET", HERE, 200),
    ("HEAD", HERE, 200),
    ("GET", f"{HERE}?all=1", 200),
    ("GET", f"{HERE}/json", 200),
    ("GET", f"{HERE}/messages/{ID}-3", 200),
    ("GET", f"{HERE}/messages/{ID}-3/earlier", 200),
    ("GET", f"{HERE}/messages/{ID}-3/json", 200),
    ("GET", f"{HERE}/choices/0/json", 200),
    ("GET", f"{HERE}?limit=0", 400),
    ("GET", "/completions/none", 404),
    ("GET", "/nothing", 404),
    ("HEAD", "/nothing", 404),
    ("GET", f"{HERE}/media/{'0' * 32}", 404),
    ("PUT", "/completions", 405),
    ("POST", "/open", 400),
    ("GET", "/", 303),
]


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
@pytest.mark.parametrize("headers", [{}, AS_FRAGMENT], ids=["page", "fragment"])
def test_every_answer_in_html_carries_the_headers(
    fake_client: FlaskClient, method: str, path: str, status: int, headers: dict[str, str]
) -> None:
    response = fake_client.open(path, method=method, headers=headers)
    assert response.status_code == status
    assert response.mimetype == "text/html"
    directives = response.headers["Content-Security-Policy"].split("; ")
    assert dict(one.split(" ", 1) for one in directives) == POLICY
    assert find_header_faults(response.headers) == []
    assert "Server-Timing" not in response.headers


METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW")
FAILURES: dict[str, dict[str, str]] = {
    "well": {},
    "as a fragment": {"HTTP_HX_REQUEST": "true"},
    "for another host": {"HTTP_HOST": "evil.example"},
    "without a host": {"HTTP_HOST": ""},
    "from another site": {"HTTP_SEC_FETCH_SITE": "cross-site"},
    "from an origin that is none": {"HTTP_ORIGIN": "http://["},
    "with a query that is no UTF-8": {"QUERY_STRING": "x=\xff"},
    "with a broken form": {
        "CONTENT_TYPE": "multipart/form-data; boundary=x",
        "CONTENT_LENGTH": "99999999999",
    },
    "over https": {"wsgi.url_scheme": "https"},
}


def static_url(app: Flask, name: str) -> str:
    return app.jinja_env.from_string("{{ static_url(name) }}").render(name=name)


def addresses(app: Flask) -> list[str]:
    """One for each rule of the app and of the API beside it, and some that no rule is for."""
    given = {"completion_id": ID, "message_id": f"{ID}-3", "place": 0, "digest": "0" * 12}
    given |= {"name": "readback.css", "choice": 0, "part": 0, "form": "md"}
    with app.test_request_context():
        urls = app.url_map.bind("localhost")
        rules = list(app.url_map.iter_rules())
        values = [
            {name: given.get(name, "0") for name in rule.arguments} | dict(rule.defaults or {})
            for rule in rules
        ]
        built = [urls.build(rule.endpoint, one) for rule, one in zip(rules, values, strict=True)]
        static = static_url(app, "readback.css")
    api = ["/v1/chat/completions", f"/v1/chat/completions/{ID}", "/v1/nothing", "/v1", "/v1/"]
    return [*built, static, *api, "/nothing", "//evil.example", "/%00", "/completions/..%2f", "*"]


@pytest.fixture(scope="module")
def asked(
    empty_store: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[FlaskClient, list[str]]:
    """Return a client of an application whose store stays empty, and its addresses."""
    database = shutil.copy(empty_store, tmp_path_factory.mktemp("asked") / "readback.sqlite3")
    app = create_app(Config(database_url=f"sqlite:///{database}"))
    return app.test_client(use_cookies=False), addresses(app)


@pytest.mark.parametrize("circumstance", FAILURES)
@pytest.mark.parametrize("method", METHODS)
def test_no_answer_of_any_address_lacks_the_headers(
    asked: tuple[FlaskClient, list[str]], method: str, circumstance: str
) -> None:
    client, all_addresses = asked
    for address in all_addresses:
        environ = FAILURES[circumstance]
        response = client.open(address, method=method, environ_overrides=environ, buffered=True)
        secure = circumstance == "over https"
        assert find_header_faults(response.headers, secure=secure) == [], (address, response.status)
        assert "Traceback" not in response.get_data(as_text=True)


@pytest.mark.parametrize("status", [302, 401, 404, 429, 500, 999])
@pytest.mark.parametrize("headers", [{}, AS_FRAGMENT], ids=["page", "fragment"])
def test_an_answer_about_a_failure_carries_them_too(
    fake: FakeUpstream, fake_client: FlaskClient, status: int, headers: dict[str, str]
) -> None:
    for address in addresses(fake_client.application):
        for path in ("/chat/completions", f"/chat/completions/{ID}", MESSAGES):
            fake.script(path, error(status, "no", Cache_Control="public", Vary="*"))
        response = fake_client.get(address, headers=headers, buffered=True)
        assert find_header_faults(response.headers) == [], (address, response.status)


class Breaks(BaseAdapter):
    """A transport with an error of its own in it."""

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        raise RuntimeError("a secret")

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("headers", [{}, AS_FRAGMENT], ids=["page", "fragment"])
def test_an_unexpected_failure_carries_them_too(headers: dict[str, str]) -> None:
    app = create_app(Config(openai_base_url="http://127.0.0.1:9/v1"), transport=Breaks())
    for address in addresses(app):
        response = app.test_client().get(address, headers=headers, buffered=True)
        assert find_header_faults(response.headers) == [], (address, response.status)
        assert "a secret" not in response.get_data(as_text=True)
    assert app.test_client().get(HERE).status_code == 500


def test_so_does_the_answer_when_even_the_page_about_the_failure_fails(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    @app.errorhandler(404)
    def fails_as_well(error: Exception) -> str:
        raise RuntimeError(f"a secret: {error}")

    @app.errorhandler(500)
    def fails_again(error: Exception) -> str:
        raise error

    response = app.test_client().get("/nothing")
    assert response.status_code == 500
    assert find_header_faults(response.headers) == []
    assert response.text == "Readback failed at this. The log of the server has the details.\n"
    assert "a secret" in caplog.text


def test_answers_of_the_api_are_not_kept_and_not_for_other_sites(client: FlaskClient) -> None:
    for path in ("/v1/chat/completions", "/v1/chat/completions/none", "/v1/x"):
        headers = client.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["x-request-id"]


def test_files_that_are_not_sent_again_keep_their_headers(client: FlaskClient) -> None:
    app = client.application
    with app.test_request_context():
        address = static_url(app, "readback.css")
    etag = client.get(address, buffered=True).headers["ETag"]
    response = client.get(address, headers={"If-None-Match": etag}, buffered=True)
    assert response.status_code == 304
    assert find_header_faults(response.headers) == []


def test_raw_json_is_not_kept_by_browsers(fake_client: FlaskClient) -> None:
    for path in (f"{HERE}/json", f"{HERE}/messages/{ID}-3/json", f"{HERE}/choices/0/json"):
        assert fake_client.get(path).headers["Cache-Control"] == "no-store"


def test_under_https_browsers_are_told_to_stay_there(fake_client: FlaskClient) -> None:
    response = fake_client.get("/completions", base_url="https://localhost")
    assert response.headers["Strict-Transport-Security"] == "max-age=31536000"


# Hosts


@pytest.fixture(scope="module")
def viewer() -> FlaskClient:
    """Return a client of an application that answers for two more hosts and keeps nothing."""
    config = Config(
        openai_base_url="http://127.0.0.1:9/v1",
        allowed_hosts=("readback.example", "ported.example:8000"),
        open=True,
    )
    return create_app(config).test_client(use_cookies=False)


HOSTS = [
    ("localhost", True),
    ("LOCALHOST:8000", True),
    ("127.0.0.1", True),
    ("127.0.0.1:8000", True),
    ("[::1]", True),
    ("[::1]:8000", True),
    ("192.168.1.20:8000", True),
    ("readback.example", True),
    ("Readback.Example:443", True),
    ("ported.example:8000", True),
    ("evil.example", False),
    ("evil.example:8000", False),
    ("ported.example", False),
    ("sub.readback.example", False),
    ("readback.example.evil.example", False),
    ("127.0.0.1.evil.example", False),
    ("localhost.evil.example", False),
    ("127.0.0.1@evil.example", False),
    ("evil.example/localhost", False),
    ("localhost:notaport", False),
    ("localhost:99999", False),
    ("localhost#.evil.example", False),
    ("localhost;", False),
    ("[::1]evil.example", False),
    ("[::1", False),
    ("localhost:", True),
    ("[fe80::1%25eth0]:8000", True),
    ("", False),
    ("0x7f.1", False),
]


@pytest.mark.parametrize(("host", "allowed"), HOSTS)
@pytest.mark.parametrize("path", ["/healthz", "/nothing", "/open", "/static/x/y"])
def test_only_hosts_of_ours_are_answered_for(
    viewer: FlaskClient, host: str, allowed: bool, path: str
) -> None:
    response = viewer.get(path, environ_overrides={"HTTP_HOST": host})
    assert (response.status_code != 421) is allowed
    if not allowed:
        assert host not in response.get_data(as_text=True) or host == ""
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_the_api_is_behind_the_same_check(client: FlaskClient) -> None:
    response = client.get("/v1/chat/completions", environ_overrides={"HTTP_HOST": "evil.example"})
    assert response.status_code == 421
    assert client.get("/v1/chat/completions").status_code == 200


# Writes

FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:1234"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://["},
]
OWN = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", ["/open", "/nothing", "/v1/chat/completions/chatcmpl-1"])
def test_writes_from_other_sites_are_refused(
    client: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        response = client.open(path, method=method, data={"pasted": ID}, headers=headers)
        assert response.status_code == 403


@pytest.mark.parametrize("headers", OWN)
def test_our_own_forms_are_taken(client: FlaskClient, headers: dict[str, str]) -> None:
    response = client.post("/open", data={"pasted": ID}, headers=headers)
    assert (response.status_code, response.location) == (303, HERE)


@pytest.mark.parametrize("headers", FOREIGN)
def test_links_from_other_sites_are_followed(
    fake_client: FlaskClient, headers: dict[str, str]
) -> None:
    assert fake_client.get(HERE, headers=headers).status_code == 200


def test_a_foreign_site_cannot_change_a_stored_completion(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps({"id": ID, "messages": [], "choices": [], "metadata": {"a": "b"}}))
    load(file)
    path = f"/v1/chat/completions/{ID}"
    headers = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
    client.post(path, data='{"metadata": {"a": "changed"}}', headers=headers)
    client.delete(path, headers=headers)
    metadata = json.loads(client.get(path).data)["metadata"]
    assert metadata == {"a": "b"}


# Reads by other sites

FOLLOWED = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
USED = [
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "object"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Purpose": "prefetch"} | FOLLOWED,
    {"Sec-Fetch-Site": "nonsense", "Sec-Fetch-Mode": "websocket"},
    {"Origin": "https://elsewhere.example", "Sec-Fetch-Mode": "cors"},
]


@pytest.mark.parametrize("headers", USED)
@pytest.mark.parametrize("path", ["/completions", HERE, f"{HERE}/media/{'0' * 32}", "/healthz"])
def test_a_page_of_another_site_makes_no_work(
    fake: FakeUpstream, fake_client: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    answers = [fake_client.get(path, headers=headers), fake_client.head(path, headers=headers)]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert find_header_faults(answers[0].headers.to_wsgi_list()) == []
    assert fake.requests == []


@pytest.mark.parametrize("headers", USED)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/nothing"])
def test_nor_does_it_reach_the_api(client: FlaskClient, path: str, headers: dict[str, str]) -> None:
    assert client.get(path, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"} | FOLLOWED,
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "none"} | FOLLOWED,
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Purpose": "prefetch"},
        {"Origin": "http://localhost"},
    ],
)
def test_links_from_other_sites_and_our_own_pages_work(
    fake_client: FlaskClient, headers: dict[str, str]
) -> None:
    assert fake_client.get(HERE, headers=headers).status_code == 200
