"""Run a real Chromium, and watch that its pages keep their promises."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from playwright.sync_api import Browser, Locator, Page, Playwright, Request, expect, sync_playwright

from tests.support.command import PATIENCE

Open: TypeAlias = Callable[..., Page]
"""The fixture `open_page`."""

CHROMIUM = (
    os.environ.get("READBACK_CHROMIUM")
    or shutil.which("chromium-headless-shell")
    or shutil.which("chromium")
)
PATIENCE_MS: Final = 1000 * PATIENCE
"""Milliseconds after which what should be on a page counts as missing, however busy it is."""

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
    # One process for all pages of a context. Pages refuse to share theirs with others (COOP), so a
    # window would start one whenever it comes to an app, which takes longer than most pages.
    "--renderer-process-limit=1",
)


@dataclass
class Promises:
    """Forbidden events of a page: errors in the console, requests to other hosts."""

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

    def check_and_forget(self) -> None:
        """Check the events so far; the next check covers only later ones."""
        try:
            self.check()
        finally:
            self.complaints.clear()
            self.foreign.clear()


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """One for the package: while it runs, other tests could not use asyncio in this thread."""
    with sync_playwright() as started:
        expect.set_options(timeout=PATIENCE_MS)
        yield started


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with running_chromium(playwright) as started:
        yield started


@contextmanager
def running_chromium(playwright: Playwright, *flags: str) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.fail("no Chromium: run the tests by `make test`, which installs it")
    started = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
    yield started
    started.close()


def wait_for_scripts(page: Page) -> None:
    """Wait until the scripts run that the page has begun to load for its reader."""
    page.locator('script[src$="/acting.js"]').wait_for(state="detached")


def open_menu(head: Locator) -> None:
    """Open the first menu in `head`, a message or a call."""
    head.locator(".menu > summary, .menu-link").first.click()


def load_images(page: Page) -> None:
    """Start to load all images that the page would load when somebody scrolls to them."""
    page.evaluate("[...document.images].forEach((image) => (image.loading = 'eager'))")


def keep_screenshot(page: Page, name: str) -> None:
    """Save a picture of the page if READBACK_SCREENSHOTS names a folder for them."""
    folder = os.environ.get("READBACK_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
