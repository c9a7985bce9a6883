"""Open pages in Chromium, none of which may break a promise while a test reads it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from typing import TypeAlias

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.gallery.app import create_gallery
from tests.support.browser.chromium import (
    PATIENCE_MS,
    Open,
    Promises,
    browser,
    playwright,
    running_chromium,
)
from tests.support.command import PATIENCE
from tests.support.long_transcripts import LONG
from tests.support.serving import Place, serve, serve_in_turn
from tools.store_rows import database_url
from webapp import create_app
from webapp.config import Budgets, Config, Limits
from webapp.embedded import Store, import_files, load_samples
from webapp.factories import find_database_url

__all__ = ["browser", "playwright"]


Contexts: TypeAlias = dict[tuple[Browser, bool], BrowserContext]


@pytest.fixture(scope="package")
def contexts() -> Contexts:
    """Contexts that hold the windows of one test after the other, by browser and JavaScript.

    A new context starts a process, which takes longer than most pages. It runs as long as a page is
    open: `open_page` opens one in each context that no test sees.
    """
    return {}


@pytest.fixture
def open_page(browser: Browser, contexts: Contexts) -> Iterator[Open]:
    """Return a function that opens an app in a new window; check its promises at the end.

    Nothing is left of other tests. Windows of one test share cookies if both have JavaScript, or
    neither. `expected` names console messages that belong to the test, such as a failed load.
    """
    opened: list[tuple[BrowserContext, Promises]] = []

    def open_one(
        base_url: str,
        path: str = "/",
        *,
        expected: tuple[str, ...] = (),
        javascript: bool = True,
        width: int = 1280,
    ) -> Page:
        context = contexts.get((browser, javascript))
        if context is None:
            context = browser.new_context(color_scheme="light", java_script_enabled=javascript)
            context.set_default_timeout(PATIENCE_MS)
            context.new_page().goto(f"{base_url}/healthz")
            contexts[browser, javascript] = context
        page = context.new_page()
        promises = Promises(base_url, expected=expected)
        promises.watch(page)
        opened.append((context, promises))
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{base_url}{path}")
        return page

    yield open_one
    for context, promises in opened:
        leave(context, promises.own)
    for _, promises in opened:
        promises.check()


def leave(context: BrowserContext, base_url: str) -> None:
    """Close the windows of a test in `context`; clear what pages of `base_url` keep there."""
    unseen, *windows = context.pages
    for window in windows:
        window.close()
    session = context.new_cdp_session(unseen)
    session.send(
        "Storage.clearDataForOrigin", {"origin": base_url, "storageTypes": "local_storage"}
    )
    session.detach()
    context.clear_cookies()
    context.clear_permissions()


@pytest.fixture(scope="package")
def still_browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser that lays pages out and never draws them, which spares half of its time.

    Clicks, scrolling and pictures wait for a drawing: pages are only looked at here. It draws
    where READBACK_SCREENSHOTS asks for pictures.
    """
    pictures = "READBACK_SCREENSHOTS" in os.environ
    flags = () if pictures else ("--disable-threaded-compositing",)
    with running_chromium(playwright, *flags) as started:
        yield started


@pytest.fixture(scope="package")
def still_window(still_browser: Browser) -> Iterator[tuple[Page, Promises]]:
    """A window for all tests that only look at pages, and what was seen of its promises."""
    page = still_browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    promises = Promises("about:blank")
    promises.watch(page)
    yield page, promises
    page.close()


@pytest.fixture
def look_at(still_window: tuple[Page, Promises]) -> Iterator[Open]:
    """Return a function that opens an app's page in the window that others have used.

    The page keeps what `open_page` starts with: its width and light colours. It is checked at the
    end, when the window leaves the app.
    """
    page, promises = still_window

    def look(base_url: str, path: str, *, expected: tuple[str, ...] = ()) -> Page:
        promises.own, promises.expected = base_url, expected
        page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(f"{base_url}{path}")
        return page

    yield look
    # What pages remember: what is open, and in a cookie the view.
    page.evaluate("() => [localStorage, sessionStorage].forEach((storage) => storage.clear())")
    page.context.clear_cookies()
    page.goto("about:blank")
    promises.check_and_forget()


@pytest.fixture(scope="package")
def sample_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The application with every sample, and with the gallery of bubbles."""
    folder = tmp_path_factory.mktemp("samples")
    config = Config(database_url=f"sqlite:///{folder / 'readback.sqlite3'}")
    store = Store(find_database_url(config))
    load_samples(store)
    store.close()
    with serve(create_gallery(config)) as base_url:
        yield base_url


@pytest.fixture(scope="package")
def long_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The application with the longest real transcript, whose bubbles it renders once."""
    url = database_url(tmp_path_factory.mktemp("long"))
    with closing(Store(url)) as store:
        assert not import_files(store, [LONG]).problems
    limits, budgets = Limits(page_timeout=PATIENCE), Budgets(seconds=PATIENCE)
    with serve(create_app(Config(database_url=url, limits=limits, budgets=budgets))) as base_url:
        yield base_url


@pytest.fixture(scope="package")
def place() -> Iterator[Place]:
    with serve_in_turn() as found:
        yield found


@pytest.fixture(scope="package")
def fake_place() -> Iterator[Place]:
    with serve_in_turn() as found:
        yield found


def serve_at(
    place: Place, app: Flask, request: pytest.FixtureRequest
) -> AbstractContextManager[str]:
    """Serve `app` at `place` for the window that tests share, or else at a port of its own.

    The shared window has left an app before the next one comes. What another window still asks for
    when it is closed must not reach the app of another test.
    """
    return place.lend(app) if "look_at" in request.fixturenames else serve(app)


@pytest.fixture
def address(app: Flask, place: Place, request: pytest.FixtureRequest) -> Iterator[str]:
    """The application on its embedded server, on a real port."""
    with serve_at(place, app, request) as base_url:
        yield base_url


@pytest.fixture
def fake_address(
    fake_app: Flask, fake_place: Place, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The application on the fake upstream, on a real port."""
    with serve_at(fake_place, fake_app, request) as base_url:
        yield base_url
