"""Measure the memory that Chromium takes for a long transcript, beside one plain page of it.

`python -m bench.renderer` loads transcripts of 5,000 and of 10,000 messages to their ends, each
twice: in the page that Readback serves, by "Load all", and in a plain page of the same HTML, where
no script of Readback runs and no section is left out of the layout. It prints the memory of the
process that renders after garbage collections (PSS), and the ratio; then both without the files
that it maps, which are Chromium's code and shared with its other processes. A page of one message
comes first: that is what the process takes by itself.

`--messages N ...` changes the lengths, `--view` the view.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, Playwright, Route, sync_playwright

from bench.browser import COMPLETION_ID, LOAD_ALL, PATIENCE, launch, serve
from webapp.templating.context import VIEWS

MESSAGES: Final = (5_000, 10_000)


@dataclass(frozen=True)
class Memory:
    """The MB of a process, with its part of what it shares; `own` is without mapped files."""

    all: float
    own: float


# Each answer takes the place of the link, and brings the next one.
_LOAD_PLAINLY: Final = """async () => {
    for (let place; (place = document.getElementById("gap"));) {
        const url = new URL(place.querySelector(".button").href);
        url.searchParams.set("limit", 100);
        const answer = await fetch(url, { headers: { "HX-Request": "true" } });
        place.outerHTML = await answer.text();
    }
    return [...document.querySelectorAll(".page > .bubble, .result > .bubble")]
        .filter((one) => one.checkVisibility({ contentVisibilityAuto: true })).length;
}"""
# What is done when nothing else is to be done, such as taking out what is far from the window.
_REST: Final = """() => new Promise((done) =>
    requestAnimationFrame(() => setTimeout(() => requestIdleCallback(done), 1000)))"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the memory of both pages for each length."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.renderer")
    parser.add_argument("--messages", type=int, nargs="+", default=MESSAGES)
    parser.add_argument("--view", choices=VIEWS, default="full")
    options = parser.parse_args(arguments)
    with sync_playwright() as tools:
        one = _measure(tools, 1, options.view)
        print(f"one message: {one.all:.0f} MB; without files {one.own:.0f} MB", flush=True)
        for messages in options.messages:
            served = _measure(tools, messages, options.view)
            plain = _measure(tools, messages, options.view, is_plain=True)
            print(
                f"{messages:,} messages: {_compare(served.all, plain.all)};"
                f" without files {_compare(served.own, plain.own)}",
                flush=True,
            )


def _compare(served: float, plain: float) -> str:
    return f"{served:.0f} MB, plain {plain:.0f} MB, ratio {served / plain:.2f}"


def _measure(tools: Playwright, messages: int, view: str, *, is_plain: bool = False) -> Memory:
    """Return what a new browser's renderer takes with a transcript in it."""
    with serve(messages) as address, launch(tools) as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900}, base_url=address)
        page.set_default_timeout(PATIENCE)
        if is_plain:
            page.route("**/*.js", lambda route: route.abort())
            page.route("**/*.css", _lay_out_all)
        page.goto(f"/completions/{COMPLETION_ID}?view={view}")
        if is_plain:
            assert page.evaluate(_LOAD_PLAINLY) == messages + 1, "Something is not laid out."
        elif page.locator("#gap").count():
            page.evaluate(LOAD_ALL)
        assert not page.locator("#gap").count()
        return _read_memory(browser, page)


def _lay_out_all(route: Route) -> None:
    answer = route.fetch()
    text = answer.text().replace("content-visibility:auto", "content-visibility:visible")
    route.fulfill(response=answer, body=text)


def _read_memory(browser: Browser, page: Page) -> Memory:
    page.evaluate(_REST)
    session = page.context.new_cdp_session(page)
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    page.evaluate(_REST)
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    renderers = [_read_pss(one["id"]) for one in processes if one["type"] == "renderer"]
    return max(renderers, key=lambda one: one.own)


def _read_pss(pid: int) -> Memory:
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value, _ = line.split()
        found[name] = int(value) * 1024 / 1_000_000
    return Memory(found["Pss:"], found["Pss:"] - found["Pss_File:"])


if __name__ == "__main__":
    main()
