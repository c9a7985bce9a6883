"""Readback under a path of a real nginx with TLS: nothing leaves the path, and all works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser.chromium import Promises
from tests.support.nginx import run_nginx
from tests.support.serving import serve
from webapp import create_app
from webapp.config import Config
from webapp.embedded import Store, load_samples
from webapp.factories import find_database_url


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[str]:
    environ = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'readback.sqlite3'}",
        "READBACK_OPEN": "1",
        "READBACK_TRUSTED_PROXIES": "127.0.0.1",
    }
    config = Config.from_environ(environ)
    store = Store(find_database_url(config))
    load_samples(store)
    store.close()
    with (
        serve(create_app(config)) as address,
        run_nginx(address, "/tools/readback", tmp_path) as proxied_address,
    ):
        yield proxied_address


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def page(request: pytest.FixtureRequest, browser: Browser, proxied: str) -> Iterator[Page]:
    context = browser.new_context(ignore_https_errors=True, java_script_enabled=request.param)
    opened = context.new_page()
    promises = Promises(f"{proxied}/")
    promises.watch(opened)
    yield opened
    context.close()
    promises.check()


def test_nothing_leaves_the_path_of_the_proxy(page: Page, proxied: str) -> None:
    """`page` complains of each request and redirect outside of the path."""
    answer = page.goto(f"{proxied}/")
    assert answer is not None and answer.status == 200
    assert answer.headers["strict-transport-security"]
    assert page.url == f"{proxied}/completions"

    page.locator(".row-link").first.click()
    page.wait_for_url(f"{proxied}/completions/*")
    transcript = page.url
    hrefs = page.eval_on_selector_all(
        "[href], [src], form[action]", "all => all.map(one => one.href || one.src || one.action)"
    )
    assert len(hrefs) > 10
    assert [one for one in hrefs if "127.0.0.1" in one and not one.startswith(proxied)] == []

    page.locator("#pasted").fill(transcript)
    page.locator(".open-box button").click()
    page.wait_for_url(transcript)
    for path in ("?limit=5&all=1", "/json", "?limit=2"):
        answer = page.goto(transcript + path)
        assert answer is not None and answer.status == 200
    page.get_by_role("link", name="Readback").click()
    page.wait_for_url(f"{proxied}/completions")


def test_more_is_loaded_under_the_path(page: Page, proxied: str) -> None:
    page.goto(f"{proxied}/completions?limit=5")
    page.locator("#more a.button").first.click()
    page.wait_for_function("() => document.querySelectorAll('.row').length >= 5")

    assert page.url.startswith(f"{proxied}/")
