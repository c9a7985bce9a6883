"""Each way in, in a real browser: password, provider, and a proxy that authenticates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.access.conftest import HASH, PASSWORD
from tests.access.test_openid import settings
from tests.support.command import find_free_port
from tests.support.provider import run_provider
from tests.support.serving import serve
from tools.store_rows import database_url
from webapp import create_app
from webapp.config import Config


@contextmanager
def readback(folder: Path, **more: str) -> Iterator[str]:
    environ = {"HOST": "0.0.0.0", "DATABASE_URL": database_url(folder), **more}
    with serve(create_app(Config.from_environ(environ))) as address:
        yield address


def test_a_link_with_its_place_survives_the_login_by_password(
    tmp_path: Path, browser: Browser
) -> None:
    with readback(tmp_path, READBACK_PASSWORD_HASH=HASH) as address:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{address}/completions?model=m#m-7")
        expect(page).to_have_title("Log in · Readback")
        expect(page.get_by_label("Team password")).to_be_focused()
        page.get_by_label("Team password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_have_text("That is not the password.")
        page.get_by_label("Team password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{address}/completions?model=m#m-7")
        (cookie,) = context.cookies()
        assert cookie["httpOnly"] and cookie["sameSite"] == "Lax"

        page.get_by_role("link", name="the team").click()
        expect(page.locator(".entry")).to_have_count(1)
        page.get_by_role("button", name="Log out", exact=True).click()
        page.wait_for_url(f"{address}/logged-out")
        page.goto(f"{address}/completions")
        expect(page).to_have_title("Log in · Readback")
        context.close()


def test_an_account_at_the_provider_logs_in_and_out_there_too(
    tmp_path: Path, browser: Browser
) -> None:
    port = find_free_port()
    with readback(tmp_path, **settings(port)) as address, run_provider(port, address):
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{address}/completions?model=m#m-7")
        page.get_by_role("link", name="Log in with 127.0.0.1").click()
        page.get_by_placeholder("Enter any login").fill("ann@example.com")
        page.get_by_placeholder("and password").fill("any")
        page.get_by_role("button").click()
        page.get_by_role("button", name="Continue").click()
        page.wait_for_url(f"{address}/completions?model=m#m-7")

        page.get_by_role("link", name="ann@example.com").click()
        page.get_by_role("button", name="Log out", exact=True).click()
        page.get_by_role("link", name="Log out at").click()
        page.get_by_role("button", name="Yes, sign me out").click()
        page.wait_for_url(f"{address}/login?*")
        context.close()


@pytest.mark.parametrize(
    ("trusted", "title"), [("127.0.0.1", "Sessions"), ("10.0.0.0/8", "Forbidden")]
)
def test_a_proxy_names_the_reader_if_it_is_trusted(
    tmp_path: Path, browser: Browser, trusted: str, title: str
) -> None:
    proxy = {"READBACK_PROXY_USER_HEADER": "X-User", "READBACK_TRUSTED_PROXIES": trusted}
    with readback(tmp_path, **proxy) as address:
        context = browser.new_context(extra_http_headers={"X-User": "ben"})
        page: Page = context.new_page()
        page.goto(f"{address}/sessions")
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        assert (page.get_by_text("You are logged in as ben").count() == 1) == (
            trusted == "127.0.0.1"
        )
        context.close()
