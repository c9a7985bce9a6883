"""A real Chromium, and pages that must not break a promise while a test reads them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from tests.support.gallery import FOLDER as GALLERY
from tests.support.serving import serve
from webapp import create_app
from webapp.config import Config
from webapp.embedded import Store, load_samples
from webapp.factories import find_database_url

CHROMIUM = (
    os.environ.get("READBACK_CHROMIUM")
    or shutil.which("chromium-headless-shell")
    or shutil.which("chromium")
)
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)


@dataclass
class Promises:
    """What a page did that it must not: complaints in the console, foreign requests."""

    own: str
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def watch(self, page: Page) -> None:
        page.on("console", lambda message: self._console(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._request)

    def _console(self, kind: str, text: str) -> None:
        known = any(part in text for part in self.expected)
        if kind in ("error", "warning") and not known:
            self.complaints.append(text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.own, "data:", "blob:", "about:")):
            self.foreign.append(request.url)

    def check(self) -> None:
        assert self.complaints == []
        assert self.foreign == []


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One for the package: while it runs, other tests could not use asyncio in this thread."""
    if CHROMIUM is None:
        pytest.fail("no Chromium: run the tests by `make test`, which installs it")
    with sync_playwright() as tools:
        started = tools.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield started
        started.close()


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens an app in a window of its own; afterwards its promises must have held.

    `expected` names console messages that belong to the test, such as a failed load.
    """
    contexts: list[BrowserContext] = []
    watched: list[Promises] = []

    def open_one(
        base_url: str,
        path: str = "/",
        *,
        expected: tuple[str, ...] = (),
        javascript: bool = True,
        scheme: str = "light",
        width: int = 1280,
    ) -> Page:
        context = browser.new_context(
            base_url=base_url,
            java_script_enabled=javascript,
            color_scheme="dark" if scheme == "dark" else "light",
            viewport={"width": width, "height": 900},
        )
        contexts.append(context)
        page = context.new_page()
        promises = Promises(base_url, expected=expected)
        promises.watch(page)
        watched.append(promises)
        page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    for promises in watched:
        promises.check()


@pytest.fixture(scope="package")
def sample_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The application with every sample, and with the gallery of bubbles."""
    folder = tmp_path_factory.mktemp("samples")
    config = Config(database_url=f"sqlite:///{folder / 'readback.sqlite3'}", gallery=str(GALLERY))
    store = Store(find_database_url(config))
    load_samples(store)
    store.close()
    with serve(create_app(config)) as base_url:
        yield base_url


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The application on its embedded server, on a real port."""
    with serve(app) as base_url:
        yield base_url


@pytest.fixture
def fake_address(fake_app: Flask) -> Iterator[str]:
    """The application on the fake upstream, on a real port."""
    with serve(fake_app) as base_url:
        yield base_url


def screenshots() -> Path | None:
    """Where to keep pictures of the pages, when somebody wants to look at them."""
    folder = os.environ.get("READBACK_SCREENSHOTS")
    return Path(folder) if folder else None
