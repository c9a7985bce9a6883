"""Accounts at an OpenID Connect provider: a real one, and the rules for whom it lets in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from itertools import count, repeat
from pathlib import Path
from threading import Event, Semaphore
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask, Response, request
from werkzeug.test import TestResponse

from tests.access.conftest import Open
from tests.support.command import PATIENCE, find_free_port
from tests.support.provider import SECRET, run_provider
from tests.support.serving import serve
from tools.store_rows import database_url
from webapp import create_app
from webapp.access.openid import find_verified_address, is_allowed, merge_claims
from webapp.access.reader import is_administrator
from webapp.config import Config

Browser: TypeAlias = requests.Session


def settings(port: int) -> dict[str, str]:
    return {
        "READBACK_OIDC_ISSUER": f"http://127.0.0.1:{port}",
        "READBACK_OIDC_CLIENT_ID": "readback",
        "READBACK_OIDC_CLIENT_SECRET": SECRET,
        "READBACK_OIDC_ALLOWED": "example.com, guest@other.example",
        "READBACK_ADMINS": "groups=admins",
    }


@pytest.fixture(scope="module")
def readback(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an application and its provider, which is started after it."""
    port = find_free_port()
    folder = tmp_path_factory.mktemp("openid")
    environ = {"HOST": "0.0.0.0", "DATABASE_URL": database_url(folder), **settings(port)}
    with serve(create_app(Config.from_environ(environ))) as address:
        page = requests.get(f"{address}/login/openid", timeout=PATIENCE)
        assert page.status_code == 502 and "cannot be reached now" in page.text
        with run_provider(port, address):
            yield address


@pytest.fixture
def browser_like() -> Iterator[Browser]:
    with requests.Session() as client:
        client.trust_env = False
        yield client


def submit(client: Browser, page: requests.Response, **fields: str) -> requests.Response:
    """Send the one form of a page of the provider."""
    action = re.search(r'action="([^"]+)"', page.text)
    assert action is not None, page.text
    return client.post(action[1], data=fields, timeout=PATIENCE)


def log_in(client: Browser, start: str, account: str) -> requests.Response:
    """Return the page after the login of `account`, begun at the address `start`."""
    form = client.get(start, timeout=PATIENCE)
    consent = submit(client, form, prompt="login", login=account, password="any")
    return submit(client, consent, prompt="consent")


@pytest.mark.process
def test_a_login_leads_to_the_wanted_page_with_the_role_of_the_claim(
    readback: str, browser_like: Browser
) -> None:
    asked = browser_like.get(f"{readback}/completions?model=m", timeout=PATIENCE)
    link = re.search(r'href="(/login/openid[^"]*)"', asked.text)
    assert link is not None
    begun = browser_like.get(readback + link[1], timeout=PATIENCE, allow_redirects=False)
    query = parse_qs(urlsplit(begun.headers["Location"]).query)
    assert query["code_challenge_method"] == ["S256"] and query["state"] and query["nonce"]
    page = log_in(browser_like, readback + link[1], "ann@example.com")

    assert (page.status_code, page.url) == (200, f"{readback}/completions?model=m")
    assert "ann@example.com" in page.text
    record = browser_like.get(f"{readback}/record", timeout=PATIENCE)
    assert record.status_code == 200 and "ann@example.com" in record.text

    out = browser_like.post(f"{readback}/logout", timeout=PATIENCE)
    assert "/session/end?" in out.text and "client_id=readback" in out.text
    assert "/login?" in browser_like.get(f"{readback}/completions", timeout=PATIENCE).url


@pytest.mark.process
@pytest.mark.parametrize(
    "account", ["eve@evil.example", "unverified-ben@example.com", "ben@example.com@evil.example"]
)
def test_other_accounts_are_refused(readback: str, browser_like: Browser, account: str) -> None:
    page = log_in(browser_like, f"{readback}/login/openid", account)

    assert page.status_code == 403 and "may not read here" in page.text
    assert "readback" not in browser_like.cookies


@pytest.mark.process
def test_a_reader_of_the_provider_is_no_administrator(readback: str, browser_like: Browser) -> None:
    assert log_in(browser_like, f"{readback}/login/openid", "guest@other.example").ok
    assert browser_like.get(f"{readback}/record", timeout=PATIENCE).status_code == 403


@pytest.mark.process
def test_a_stale_or_foreign_callback_is_a_page_that_says_try_again(
    readback: str, browser_like: Browser
) -> None:
    page = log_in(browser_like, f"{readback}/login/openid", "ben@example.com")
    callback = next(
        one.headers["Location"] for one in page.history if "code=" in one.headers["Location"]
    )
    state = parse_qs(urlsplit(callback).query)["state"][0]
    browser_like.cookies.pop("readback")
    for query in (
        urlsplit(callback).query,
        "code=of-another&state=of-another",
        f"code=x&state={state}",
        "error=access_denied&state=x",
        "iss=https%3A%2F%2Fevil.example&code=x&state=x",
        "",
    ):
        answer = browser_like.get(f"{readback}/login/openid/callback?{query}", timeout=PATIENCE)
        assert answer.status_code == 400, query
        assert "Try again" in answer.text and "Log in with 127.0.0.1" in answer.text
        assert "readback" not in browser_like.cookies


@pytest.mark.process
@pytest.mark.parametrize("digests", [3, 7, 100])
def test_logins_begun_in_many_tabs_do_not_fill_the_cookie(
    readback: str, browser_like: Browser, digests: int
) -> None:
    for tab in range(6):
        words = "".join(sha256(b"%d %d" % (tab, at)).hexdigest() for at in range(digests))
        begun = browser_like.get(
            f"{readback}/login/openid?next=/completions?model={words}",
            timeout=PATIENCE,
            allow_redirects=False,
        )
        assert begun.status_code == 303
    assert len(browser_like.cookies["readback-login"]) < 4000
    assert log_in(browser_like, f"{readback}/login/openid", "ben@example.com").ok


def test_a_provider_with_another_issuer_is_refused(open_app: Open, tmp_path: Path) -> None:
    other = Flask("provider")

    @other.get("/.well-known/openid-configuration")
    def show() -> dict[str, str]:
        return {
            "issuer": "https://other.example",
            "authorization_endpoint": "https://other.example",
        }

    with serve(other) as address:
        app = open_app(**settings(1) | {"READBACK_OIDC_ISSUER": address})
        assert app.test_client().get("/login/openid").status_code == 502


def test_a_provider_whose_answer_never_ends_is_none(open_app: Open) -> None:
    endless = Flask("provider")

    @endless.get("/.well-known/openid-configuration")
    def show() -> Response:
        return Response(repeat(b" " * 65_536), content_type="application/json")

    with serve(endless) as address:
        app = open_app(**settings(1) | {"READBACK_OIDC_ISSUER": address})
        assert app.test_client().get("/login/openid").status_code == 502


def test_few_logins_wait_for_a_provider_that_does_not_answer(open_app: Open) -> None:
    hanging = Flask("provider")
    arrived, answers = Semaphore(0), Event()

    @hanging.get("/.well-known/openid-configuration")
    def wait() -> tuple[str, int]:
        arrived.release()
        answers.wait(PATIENCE)
        return "", 503

    with serve(hanging) as address, ThreadPoolExecutor(2) as pool:
        app = open_app(**settings(1) | {"READBACK_OIDC_ISSUER": address})

        def look_at(path: str) -> TestResponse:
            return app.test_client().get(path)

        waiting = [pool.submit(look_at, path) for path in ("/login/openid", "/logged-out")]
        assert all(arrived.acquire(timeout=PATIENCE) for _ in waiting)
        refused, logged_out = map(look_at, ("/login/openid", "/logged-out"))
        answers.set()
        others = [one.result().status_code for one in waiting]
        later = look_at("/login/openid")

    assert refused.status_code == 502 and "Try again in a moment" in refused.text
    assert logged_out.status_code == 200 and others == [502, 200]
    assert later.status_code == 502 and arrived.acquire(blocking=False), "it is asked again"


def test_an_answer_that_fails_late_takes_no_addresses_away(open_app: Open) -> None:
    late = Flask("provider")
    arrived, answers = Semaphore(0), Event()
    requested = count()

    @late.get("/.well-known/openid-configuration")
    def show() -> tuple[dict[str, str], int]:
        arrived.release()
        if next(requested) == 0:
            answers.wait(PATIENCE)
            return {}, 503
        root = request.host_url.rstrip("/")
        return {"issuer": root, "authorization_endpoint": f"{root}/authorize"}, 200

    with serve(late) as address, ThreadPoolExecutor(1) as pool:
        app = open_app(**settings(1) | {"READBACK_OIDC_ISSUER": address})

        def look_at(path: str) -> int:
            return app.test_client().get(path).status_code

        first = pool.submit(look_at, "/login/openid")
        assert arrived.acquire(timeout=PATIENCE)
        second = look_at("/login/openid")
        answers.set()

        assert (first.result(), second) == (502, 303)
        assert look_at("/login/openid/callback?state=unknown&code=1") == 400


VERIFIED = {"email_verified": True}


@pytest.mark.parametrize(
    ("claims", "is_let_in"),
    [
        ({"email": "ann@example.com", **VERIFIED}, True),
        ({"email": "Ann@Example.COM", "email_verified": "true"}, True),
        ({"email": "guest@other.example", **VERIFIED}, True),
        ({"email": "guest@other.example"}, False),
        ({"email": "ann@example.com"}, False),
        ({"email": "ann@example.com", "email_verified": False}, False),
        ({"email": "ann@example.com", "email_verified": "false"}, False),
        ({"email": "ann@example.com", "email_verified": 1.5}, False),
        ({"email": "ann@sub.example.com", **VERIFIED}, False),
        ({"email": "ann@example.com@evil.example", **VERIFIED}, False),
        ({"email": "ann@notexample.com", **VERIFIED}, False),
        ({"email": "example.com", **VERIFIED}, False),
        ({"email": "@example.com", **VERIFIED}, False),
        ({"email": ["ann@example.com"], **VERIFIED}, False),
        ({"email": "eve@evil.example,ann@example.com", **VERIFIED}, False),
        ({"email": "<eve@evil.example> ann@example.com", **VERIFIED}, False),
        ({"hd": "example.com"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_who_is_let_in(claims: dict[str, Any], is_let_in: bool) -> None:
    assert is_allowed(claims, ("example.com", "guest@other.example")) is is_let_in
    assert is_allowed(claims, ("everyone",))


ANN, EVE = {"email": "ann@example.com"}, {"email": "eve@example.com"}


@pytest.mark.parametrize(
    ("token", "more", "address"),
    [
        (ANN | VERIFIED, {}, "ann@example.com"),
        ({}, ANN | VERIFIED, "ann@example.com"),
        (ANN, ANN | VERIFIED, "ann@example.com"),
        (ANN | VERIFIED, EVE, "ann@example.com"),
        (ANN, EVE | VERIFIED, None),
        (VERIFIED, ANN, None),
        (VERIFIED, ANN | {"email_verified": False}, None),
        (ANN | {"email_verified": False}, ANN | VERIFIED, None),
    ],
)
def test_an_address_is_verified_by_the_claims_that_name_it(
    token: dict[str, Any], more: dict[str, Any], address: str | None
) -> None:
    assert find_verified_address(merge_claims(token, more)) == address


@pytest.mark.parametrize(
    ("admins", "name", "claims", "is_one"),
    [
        ((), "ann@example.com", {}, False),
        (("everyone",), None, {}, True),
        (("Ann@example.com",), "ann@example.com", {}, True),
        (("ann@example.com",), None, {"email": "ann@example.com"}, False),
        (("groups=admins",), "x", {"groups": ["a", "admins"]}, True),
        (("groups=admins",), "x", {"groups": "admins"}, True),
        (("groups=admins",), "x", {"groups": "admins-not"}, False),
        (("groups=admins",), "groups=admins", {}, False),
        (("admin=true",), "x", {"admin": True}, True),
        (("admin=true",), "x", {"admin": False}, False),
        (("level=5",), "x", {"level": [3, 5]}, True),
        (("admin=null",), "x", {"admin": None}, False),
        (("ann",), "x", {"ann": ""}, False),
    ],
)
def test_who_is_an_administrator(
    admins: tuple[str, ...], name: str | None, claims: dict[str, Any], is_one: bool
) -> None:
    assert is_administrator(admins, name, claims) is is_one
