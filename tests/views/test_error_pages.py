"""What a reader sees when the upstream fails: what happened, what it said, what to do; no key."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, Reply, error, stored
from tests.support.pages import AS_FRAGMENT, Page
from tests.support.raw_server import Connection, RawServer
from tools.paths import REAL_DATA
from webapp import create_app
from webapp.config import Config
from webapp.http.loopback import LoopbackAdapter

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"
COMPLETION = f"/chat/completions/{ID}"
MESSAGES = f"{COMPLETION}/messages"
KEY = "sk-test-4f9a"
RECORDED = REAL_DATA / "errors.json"


@pytest.fixture(autouse=True)
def thirty(fake: FakeUpstream) -> None:
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(30)))


def fail(fake: FakeUpstream, reply: Reply) -> None:
    """Both calls of the next transcript get `reply`."""
    fake.script(MESSAGES, reply)
    fake.script(COMPLETION, reply)


def details(page: Page) -> dict[str, str]:
    names = [node.text() for node in page.all(".error-details dt")]
    values = [" ".join(node.text().split()) for node in page.all(".error-details dd")]
    return dict(zip(names, values, strict=True))


def assert_harmless(text: str) -> None:
    """Nothing of our insides, and no key."""
    assert KEY not in text
    for inside in ("Traceback", "site-packages", "webapp/", ".py", "requests.exceptions"):
        assert inside not in text


STATUSES = [
    (error(400, "bad cursor"), 400, "did not accept the request"),
    (error(401, "Incorrect API key provided"), 502, "did not accept the API key"),
    (error(403, "You lack a permission"), 502, "refuses access"),
    (error(404, "Completion not found", code="not_found"), 404, "nothing stored under this id"),
    (Reply(404, "404 page not found"), 501, "does not offer stored completions"),
    (error(405, "no such method"), 501, "does not offer stored completions"),
    (error(408, "too slow"), 504, "gave up waiting"),
    (error(422, "unprocessable"), 400, "did not accept the request"),
    (error(429, "Rate limit reached"), 429, "asks for fewer requests"),
    (error(500, "The server had an error"), 502, "failed to answer"),
    (error(501, "not implemented"), 501, "does not offer stored completions"),
    (Reply(502, "<html><title>502 Bad Gateway</title></html>"), 502, "failed to answer"),
    (Reply(503, "overloaded"), 502, "failed to answer"),
    (Reply(529, ""), 502, "failed to answer"),
    (Reply(302, "", (("Location", "https://elsewhere.example/x?k=1"),)), 502, "elsewhere.example"),
    (Reply(304, ""), 502, "redirect"),
    (Reply(200, "<html><body>Please log in</body></html>"), 502, "a web page in place of JSON"),
    (Reply(200, "so far so good"), 502, "is not JSON"),
    (Reply(200, '{"data": [{"id": "x"'), 502, "is not JSON"),
    (Reply(200, ""), 502, "answered with nothing"),
    (Reply(200, b"\xff\xfe{}"), 502, "is not UTF-8"),
    (Reply(200, [1, 2]), 502, "but not a list as the API has it"),
    (Reply(200, {"error": {"message": "not this way"}}), 502, "the status of a success"),
    (Reply(299, "?"), 502, "is not JSON"),
    (Reply(999, "?"), 502, "unknown status"),
]


@pytest.mark.parametrize(
    ("reply", "status", "sentence"), STATUSES, ids=lambda one: getattr(one, "status", None)
)
@pytest.mark.parametrize("fragment", [False, True], ids=["page", "fragment"])
def test_every_failure_says_what_happened(
    fake: FakeUpstream,
    fake_client: FlaskClient,
    reply: Reply,
    status: int,
    sentence: str,
    fragment: bool,
) -> None:
    fail(fake, reply)
    headers = AS_FRAGMENT if fragment else {}
    page = Page.of(fake_client.get(f"{HERE}?after={ID}-19", headers=headers), status)
    assert sentence in page.text
    assert page.is_whole is not fragment
    assert_harmless(page.html)


def test_an_error_page_shows_all_that_the_server_said(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    said = {"message": "It <b>broke</b>", "type": "server_error", "code": "E7", "param": "after"}
    fail(fake, Reply(500, {"error": said}, (("x-request-id", "req_123"),)))
    answer = fake_client.get(HERE)
    page = Page.of(answer, 502)
    shown = details(page)
    assert shown.pop("request id").startswith("req_123")
    assert shown.pop("in the log").startswith(answer.headers["X-Request-ID"])
    assert shown == {
        "status": "500",
        "message": "It <b>broke</b>",
        "type": "server_error",
        "code": "E7",
        "param": "after",
    }
    copied = [button.attributes["data-copy"] for button in page.all(".error-details button")]
    assert copied == ["req_123", answer.headers["X-Request-ID"]]
    assert page.link("Try again") == HERE
    assert page.link("All completions") == "/completions"


def test_invisible_characters_of_a_server_are_shown_by_name(
    fake_client: FlaskClient, fake: FakeUpstream
) -> None:
    fail(fake, error(400, "bad \x1b[31mcursor\u202e"))

    page = Page.of(fake_client.get(f"/completions/{ID}"), 400)

    marks = [node.attributes["data-mark"] for node in page.all(".error-details [data-mark]")]
    assert marks == ["ESC", "U+202E RLO"]


def test_what_cannot_be_found_comes_with_its_likely_causes_in_order(
    fake_client: FlaskClient,
) -> None:
    page = Page.of(fake_client.get("/completions/chatcmpl-none"), 404)
    causes = [node.text() for node in page.all(".causes li")]
    assert [next(word for word in WORDS if word in cause) for cause in causes] == list(WORDS)
    assert details(page)["message"] == "Completion chatcmpl-none not found"


WORDS = ("store: true", "another project", "deleted", "a moment ago")


def test_the_store_of_ours_has_no_time_limit_and_no_projects(client: FlaskClient) -> None:
    page = Page.of(client.get("/completions/chatcmpl-none"), 404)
    causes = " ".join(node.text() for node in page.all(".causes li"))

    assert "30 days" not in causes and "project" not in causes and "expired" not in causes
    assert "READBACK_STORE_ALL=1" in causes and "DATABASE_URL" in causes


@pytest.mark.parametrize(
    ("settings", "told", "untold"),
    [
        ({"openai_api_key": "sk-1"}, "30 days", "AZURE"),
        (
            {
                "azure_openai_endpoint": "https://r.openai.azure.com",
                "azure_openai_api_key": "key-1",
            },
            "AZURE_OPENAI_ENDPOINT",
            "30 days",
        ),
        ({"openai_base_url": "https://gw.example/v1"}, "another server", "30 days"),
    ],
)
def test_the_causes_are_those_of_the_server(
    fake: FakeUpstream, settings: dict[str, Any], told: str, untold: str
) -> None:
    mount = "/openai/v1" if "azure_openai_endpoint" in settings else "/v1"
    app = create_app(Config(**settings), transport=LoopbackAdapter(fake, mount=mount))
    page = Page.of(app.test_client().get("/completions/chatcmpl-none"), 404)

    assert told in page.text and untold not in page.text


def test_a_list_that_is_not_there_is_told_as_that(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    body = {"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}}
    fake.script("/chat/completions", Reply(404, body))
    page = Page.of(fake_client.get("/completions"), 200)

    assert "does not list its completions" in page.text
    assert "File Not Found" in page.text
    assert "under this id" not in page.text


def test_a_rate_limit_passes_on_how_long_to_wait(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fail(fake, error(429, "slow down", Retry_After="6.2"))
    response = fake_client.get(HERE)
    assert response.headers["Retry-After"] == "7"
    assert "wait 7 seconds" in Page.of(response, 429).text


@pytest.mark.parametrize("wait", ["0", "-1", "soon", "nan", "inf", "1e308", "1" + "0" * 400])
def test_an_odd_time_to_wait_breaks_nothing(
    fake: FakeUpstream, fake_client: FlaskClient, wait: str
) -> None:
    fail(fake, error(429, "slow down", Retry_After=wait))
    Page.of(fake_client.get(HERE), 429)


def test_a_quota_used_up_is_not_a_matter_of_waiting(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fail(fake, error(429, "You exceeded your current quota", code="insufficient_quota"))
    assert "plan and billing" in Page.of(fake_client.get(HERE), 429).text


@pytest.mark.parametrize(
    "path",
    [
        f"{HERE}?after={ID}-19&limit=5",
        f"{HERE}/messages/{ID}-5",
        f"{HERE}/messages/{ID}-5/earlier",
        f"{HERE}/messages/{ID}-5/json",
        f"{HERE}/choices/0/json",
        f"{HERE}/json",
        "/completions?metadata[a%26b]=c%23",
    ],
)
def test_a_fragment_that_fails_is_a_notice_with_a_way_to_try_again(
    fake: FakeUpstream, fake_client: FlaskClient, path: str
) -> None:
    broken = error(500, "broken", x_request_id="req_9")
    fail(fake, broken)
    fake.script("/chat/completions", broken)
    response = fake_client.get(path, headers=AS_FRAGMENT)
    assert response.headers["HX-Reswap"] == "innerHTML"
    page = Page.of(response, 502)
    (notice,) = page.notices
    assert "failed to answer" in notice
    assert "req_9" in notice
    retry = page.one("a")
    assert retry.attributes["href"] == retry.attributes["hx-get"]
    again = fake_client.get(retry.attributes["href"] or "", headers=AS_FRAGMENT)
    assert again.status_code == 200
    before, after = (seen for seen in (first_of(fake, 0), first_of(fake, -1)))
    assert before == after


def first_of(fake: FakeUpstream, at: int) -> list[tuple[str, str]]:
    """The query of a list of completions that was asked for; empty when none was."""
    asked = [seen.query for seen in fake.requests if seen.path == "/chat/completions"]
    return asked[at] if asked else []


def test_a_retry_leads_to_the_same_address_however_it_is_written(
    fake_client: FlaskClient,
) -> None:
    path = "/completions/a%3Fb%25c%23d/json?limit=%26"
    page = Page.of(fake_client.get(path), 404)
    assert page.link("Try again") in (None, path)
    fragment = Page.of(fake_client.get(path, headers=AS_FRAGMENT), 404)
    assert fragment.link("Retry") == path


@pytest.mark.parametrize("path", ["//evil.example/x", "///evil.example", "/\\evil.example"])
def test_no_link_to_try_again_leaves_this_site(fake_client: FlaskClient, path: str) -> None:
    for headers in ({}, AS_FRAGMENT):
        response = fake_client.open(
            environ_overrides={"PATH_INFO": path, "REQUEST_URI": path}, headers=headers
        )
        for link in Page.of(response, 404).all("a[href], [hx-get]"):
            for name in ("href", "hx-get"):
                address = link.attributes.get(name) or "/"
                assert not address.replace("\\", "/").startswith("//")


# The key


@pytest.mark.parametrize(
    "reply",
    [
        error(401, f"Incorrect API key provided: {KEY}.", code=KEY, x_request_id=f"req_{KEY}"),
        Reply(500, f"no route for Bearer {KEY}"),
        Reply(500, f"<title>{KEY}</title>"),
        Reply(500, {"error": {"message": "x" * 1995 + KEY, "type": KEY, "param": KEY}}),
        Reply(302, "", (("Location", f"https://{KEY}.example/?key={KEY}"),)),
        Reply(200, {"error": {"message": f"bad key {KEY}"}}),
        Reply(200, f"bad key {KEY}"),
        Reply(400, {"error": {"message": f"Authorization: Bearer {KEY}"}}),
    ],
)
@pytest.mark.parametrize("headers", [{}, AS_FRAGMENT], ids=["page", "fragment"])
def test_the_key_is_never_shown_even_when_the_server_says_it(
    fake: FakeUpstream,
    fake_client: FlaskClient,
    caplog: pytest.LogCaptureFixture,
    reply: Reply,
    headers: dict[str, str],
) -> None:
    caplog.set_level(logging.DEBUG)
    fail(fake, reply)
    fake.script("/chat/completions", reply)
    for path in (HERE, "/completions"):
        response = fake_client.get(path, headers=headers)
        assert response.status_code >= 400
        assert KEY not in response.get_data(as_text=True)
        assert KEY not in str(response.headers)
    assert KEY not in caplog.text
    sent = {seen.headers.get("authorization") for seen in fake.requests}
    assert sent == {f"Bearer {KEY}"}


def test_the_key_does_not_follow_a_redirect_to_another_server(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    with RawServer(Connection.stay_silent) as other:
        fail(fake, Reply(307, "", (("Location", f"{other.base_url}/chat/completions/x"),)))
        page = Page.of(fake_client.get(HERE), 502)
        assert "Readback did not follow it" in page.text
        assert other.connections == 0


# Our own


@pytest.mark.parametrize(
    ("method", "path", "status", "sentence"),
    [
        ("GET", "/nothing", 404, "There is no such page."),
        ("GET", "/static/0/x.css", 404, "There is no such page."),
        ("DELETE", HERE, 405, "cannot be used that way"),
        ("POST", "/completions", 405, "cannot be used that way"),
        ("GET", f"{HERE}/choices/-1/json", 404, "There is no such page."),
        ("GET", f"{HERE}/choices/x/json", 404, "There is no such page."),
    ],
)
@pytest.mark.parametrize("headers", [{}, AS_FRAGMENT], ids=["page", "fragment"])
def test_our_own_errors_are_pages_too(
    fake_client: FlaskClient,
    method: str,
    path: str,
    status: int,
    sentence: str,
    headers: dict[str, str],
) -> None:
    response = fake_client.open(path, method=method, headers=headers)
    page = Page.of(response, status)
    assert sentence in page.text
    assert page.is_whole is not bool(headers)
    assert_harmless(page.html)
    if status == 405:
        assert "GET" in response.headers["Allow"]


def test_an_unexpected_error_is_a_page_without_its_reason_and_a_line_in_the_log(
    fake_client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    app = fake_client.application

    @app.get("/breaks")
    def breaks() -> str:
        raise RuntimeError(f"a secret: {KEY[:4]}")

    page = Page.of(fake_client.get("/breaks"), 500)
    assert "Readback failed at this page" in page.text
    assert "a secret" not in page.html
    assert "a secret" in caplog.text


def recorded() -> list[dict[str, Any]]:
    if not RECORDED.exists():
        return []
    exchanges: list[dict[str, Any]] = json.loads(Path(RECORDED).read_text())
    return exchanges


@pytest.mark.skipif(
    not RECORDED.exists(), reason="the recorded errors are not beside this checkout"
)
def test_recorded_errors_are_told_with_their_message(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    for exchange in recorded():
        body = exchange["body"]
        text = body if isinstance(body, str) else json.dumps(body)
        # One was recorded in a stream, where it has no status.
        status = exchange["status"] or 429
        fail(fake, Reply(status, text))
        response = fake_client.get(HERE)
        page = Page(response.get_data(as_text=True))
        assert response.status_code >= 400
        assert_harmless(page.html)
        assert details(page)["status"] == str(status)


def test_an_odd_query_is_asked_for_again_as_it_was(fake_client: FlaskClient) -> None:
    environ = {"PATH_INFO": HERE, "QUERY_STRING": 'limit=0&x=\xc3\xa9%ff%26"<>'}
    response = fake_client.open(environ_overrides=environ, headers=AS_FRAGMENT)
    retry = Page.of(response, 400).link("Retry")
    assert retry == f"{HERE}?limit=0&x=%C3%A9%ff%26%22%3C%3E"


@pytest.mark.parametrize("path", [HERE, "/completions", "/v1/chat/completions"])
def test_a_query_that_is_no_utf_8_is_a_bad_request(client: FlaskClient, path: str) -> None:
    environ = {"PATH_INFO": path, "QUERY_STRING": "x=\xff"}
    assert client.open(environ_overrides=environ).status_code == 400
