"""A browser window in which everything that a page does or asks for is written down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from tests.hostile.exact_upstream import SENTINEL

PATIENCE: Final = 120_000
"""Milliseconds after which a page counts as stuck; large ones take a busy machine some time."""

_INSPECT: Final = Path(__file__).with_name("inspect_page.js").read_text(encoding="utf-8")
_LISTEN: Final = """
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) =>
        window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
_OURS: Final = re.compile(
    r"/(static/.+|favicon\.ico|completions|completions/(hostile|odd)-[0-9]+(/.*)?|remote-image(/frame)?)"
)
_BAD_MEDIA: Final = re.compile(r"/completions/(hostile|odd)-[0-9]+/media/[0-9a-f]+")


@dataclass
class Watched:
    """A page, and everything that it did without being asked."""

    page: Page
    own: str
    asked: set[str] = field(default_factory=set)
    deeds: list[str] = field(default_factory=list)
    foreign: list[Request] = field(default_factory=list)
    may_fail: bool = False

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Allow error pages within this context; the console reports them."""
        self.may_fail = True
        yield
        self.may_fail = False

    def begin(self) -> None:
        """Forget the requests and actions of other tests."""
        for seen in (self.asked, self.deeds, self.foreign):
            seen.clear()

    def open(self, path: str) -> None:
        self.asked.add(path.partition("#")[0])
        self.page.goto(path)

    def inspect(self, *, interacted: bool = False) -> dict[str, Any]:
        """Return properties of the page, and check that it is harmless."""
        found: dict[str, Any] = self.page.evaluate(
            _INSPECT, {"sentinel": SENTINEL, "interacted": interacted}
        )
        assert found["problems"] == []
        assert found["violations"] == []
        assert found["tooWide"] <= 0
        self.check()
        return found

    def check(self) -> None:
        """Nothing has happened that must not."""
        assert self.deeds == []
        assert [request.url for request in self.foreign] == []

    def watch(self, context: BrowserContext) -> None:
        context.expose_binding("pwn", lambda source, *said: self.deeds.append("a script ran"))
        context.on("page", lambda page: self.deeds.append(f"a window opened: {page.url}"))
        self.page.on("request", self._request)
        self.page.on("dialog", self._dialog)
        self.page.on("download", lambda download: self.deeds.append(f"download {download.url}"))
        self.page.on("pageerror", lambda error: self.deeds.append(f"error: {error}"))
        self.page.on("console", self._console)

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        path = f"{address.path}?{address.query}" if address.query else address.path
        if not request.url.startswith(self.own):
            self.foreign.append(request)
            return
        if path in self.asked:
            return
        if request.method != "GET" or not _OURS.fullmatch(address.path) or "pwned" in path:
            self.deeds.append(f"asked for {request.method} {path}")

    def _dialog(self, dialog: Any) -> None:
        self.deeds.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        """Allow refusals of media that do not decode, which the console reports."""
        refused = "Failed to load resource" in message.text and (
            self.may_fail or _BAD_MEDIA.search(message.location["url"])
        )
        if message.type in ("error", "warning") and not refused:
            self.deeds.append(f"console: {message.text}")


@contextmanager
def watched(browser: Browser, own: str, *, javascript: bool = True) -> Iterator[Watched]:
    """A narrow window of its own; requests to other machines go to a proxy that does not exist."""
    context = browser.new_context(
        base_url=own,
        java_script_enabled=javascript,
        viewport={"width": 390, "height": 844},
        proxy={"server": "http://127.0.0.1:9", "bypass": "127.0.0.1"},
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    window = Watched(page, own)
    window.watch(context)
    if javascript:
        context.add_init_script(_LISTEN)
    yield window
    window.check()
    context.close()
