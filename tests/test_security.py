"""What every answer carries, whatever it is, and what no request may do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.fake_upstream import FakeUpstream, error, stored
from tests.pages import AS_FRAGMENT
from webapp import create_app
from webapp.config import Config

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"
MESSAGES = f"/chat/completions/{ID}/messages"

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "media-src": "'self'",
    "connect-src": "'self'",
    "font-src": "'self'",
    "frame-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


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
    ("GET", f"{HERE}/raw", 200),
    ("GET", f"{HERE}/messages/{ID}-3", 200),
    ("GET", f"{HERE}/messages/{ID}-3/earlier", 200),
    ("GET", f"{HERE}/messages/{ID}-3/raw", 200),
    ("GET", f"{HERE}/choices/0/raw", 200),
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
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    assert "camera=()" in response.headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in response.headers
    assert response.headers["Cache-Control"] in ("private, no-cache", "no-store")
    assert {"HX-Request", "HX-History-Restore-Request"} <= set(response.vary)
    assert "Server-Timing" not in response.headers


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_an_answer_about_a_failure_carries_them_too(
    fake: FakeUpstream, fake_client: FlaskClient, status: int
) -> None:
    fake.script("/chat/completions", error(status, "no"))
    response = fake_client.get("/completions")
    assert response.status_code >= 400
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "HX-Request" in response.vary


def test_an_unexpected_failure_carries_them_too(fake_client: FlaskClient) -> None:
    @fake_client.application.get("/breaks")
    def breaks() -> str:
        raise RuntimeError

    response = fake_client.get("/breaks")
    assert response.status_code == 500
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_raw_json_is_not_kept_by_browsers(fake_client: FlaskClient) -> None:
    for path in (f"{HERE}/raw", f"{HERE}/messages/{ID}-3/raw", f"{HERE}/choices/0/raw"):
        assert fake_client.get(path).headers["Cache-Control"] == "no-store"


def test_under_https_browsers_are_told_to_stay_there(fake_client: FlaskClient) -> None:
    response = fake_client.get("/completions", base_url="https://localhost")
    assert response.headers["Strict-Transport-Security"] == "max-age=31536000"


# Hosts


def viewer(fake: FakeUpstream, *allowed: str) -> FlaskClient:
    config = Config(openai_base_url="http://127.0.0.1:9/v1", allowed_hosts=allowed)
    return create_app(config).test_client()


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
    ("", False),
    ("0x7f.1", False),
]


@pytest.mark.parametrize(("host", "allowed"), HOSTS)
@pytest.mark.parametrize("path", ["/healthz", "/nothing", "/open", "/static/x/y"])
def test_only_hosts_of_ours_are_answered_for(
    fake: FakeUpstream, host: str, allowed: bool, path: str
) -> None:
    client = viewer(fake, "readback.example", "ported.example:8000")
    response = client.get(path, environ_overrides={"HTTP_HOST": host})
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
