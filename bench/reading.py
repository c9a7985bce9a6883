"""Measure what a reader of a long transcript has before them: height, controls, tab stops, size.

`python -m bench.reading` shows the long samples in Chromium, whole and in each view, and prints a
line for each. `--import FILE` adds completions of a JSONL file; those of 200 messages and more
are measured too. The page is 1,440 pixels wide, with menus closed. The seconds are those until the
whole transcript is loaded and laid out: its messages are rendered for the first view, and known in
the others.

For the five longest transcripts a second table counts what a reader does to answer six questions,
on the page as it opens: clicks and keys, where filling a field is one and Enter another. A number
with `+` means that the answer is then outside the window, and has to be scrolled to.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Locator, Page, sync_playwright
from sqlalchemy import text
from werkzeug.serving import make_server

from webapp.app import create_app
from webapp.config import Config
from webapp.embedded import Store, import_files, load_samples
from webapp.factories import find_database_url
from webapp.templating.context import VIEWS

FROM: Final = 200
"""Messages from which a completion is measured."""

LONGEST: Final = 5
"""Transcripts whose tasks are counted."""

_CHROMIUM: Final = os.environ.get("READBACK_CHROMIUM") or shutil.which("chromium-headless-shell")
_LONGEST_MS: Final = 600_000
_FLAGS: Final = ("--no-sandbox", "--disable-gpu")

# What is off the screen has no layout until it is needed.
_LAY_OUT: Final = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(".page { content-visibility: visible !important; }");
    document.adoptedStyleSheets = [sheet];
}"""

_COUNT: Final = """() => {
    const shown = (one) => one.checkVisibility({ visibilityProperty: true });
    const controls = "a[href], button, input, select, summary, audio[controls], iframe";
    const stops = [...document.querySelectorAll(`${controls}, [tabindex]`)];
    return {
        height: document.documentElement.scrollHeight,
        controls: [...document.querySelectorAll(controls)].filter(shown).length,
        stops: stops.filter((one) => one.tabIndex >= 0 && shown(one)).length,
        nodes: document.querySelectorAll("*").length,
    };
}"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each long completion and view."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.reading")
    parser.add_argument("--import", dest="files", type=Path, action="append", default=[])
    parser.add_argument("--tasks", action="store_true", help="count the tasks alone")
    options = parser.parse_args(arguments)
    with _served(options.files) as (address, longest), sync_playwright() as tools:
        known = [one for one in longest if one[1] >= FROM and not options.tasks]
        browser = tools.chromium.launch(executable_path=_CHROMIUM, args=list(_FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900}, base_url=address)
        page.set_default_timeout(_LONGEST_MS)
        head = f"{'view':>8}{'height px':>11}{'controls':>10}{'tab stops':>11}{'nodes':>9}"
        head += f"{'kB':>8}{'s':>7}"
        if known:
            print(f"{'completion':48}{head}")
        for completion_id, messages in known:
            for view in VIEWS:
                found = _measure(page, completion_id, view)
                numbers = (
                    f"{found['height']:11,}{found['controls']:10,}{found['stops']:11,}"
                    f"{found['nodes']:9,}{found['bytes'] / 1000:8,.0f}{found['seconds']:7.1f}"
                )
                print(f"{completion_id[:36]:36}{messages:6,} msgs{view:>9}{numbers}", flush=True)
        # Without the cookie of the view that was measured last.
        page = browser.new_page(viewport={"width": 1440, "height": 900}, base_url=address)
        _print_tasks(page, [completion_id for completion_id, _ in longest])
        browser.close()


def _print_tasks(page: Page, completion_ids: Sequence[str]) -> None:
    print(f"\n{'completion':48}" + "".join(f"{name:>16}" for name in _TASKS))
    for completion_id in completion_ids:
        cells = []
        for do in _TASKS.values():
            page.goto(f"/completions/{completion_id}")
            actions, answer = do(page)
            if answer is None:
                cells.append("none")
                continue
            box = answer.first.bounding_box()
            is_seen = box is not None and 0 <= box["y"] < 900 and box["height"] > 0
            cells.append(f"{actions}{'' if is_seen else '+'}")
        print(f"{completion_id[:48]:48}" + "".join(f"{cell:>16}" for cell in cells), flush=True)


def _follow(page: Page, link: Locator, answer: str) -> tuple[int, Locator | None]:
    """Click a link, if there is one."""
    if not link.count():
        return 0, None
    with page.expect_navigation():
        link.first.click()
    return 1, page.locator(answer)


def _rank_tools(page: Page) -> tuple[int, Locator | None]:
    fold = page.locator(".run-details > summary")
    if not fold.count():
        return 0, None
    fold.click()
    return 1, page.locator(".run-table tbody tr")


def _go_to_call(page: Page) -> tuple[int, Locator | None]:
    calls = page.locator(".role-chip", has_text=re.compile(r"^\s*calls"))
    if not calls.count():
        return 0, None
    number = min(57, int(calls.inner_text().split()[-1].replace(",", "")))
    box = page.locator("#pasted")
    box.fill(f"call {number}")
    with page.expect_navigation():
        box.press("Enter")
    return 2, page.locator(":target")


def _copy_arguments(page: Page) -> tuple[int, Locator | None]:
    call = page.locator(".page .call").first
    if not call.count():
        return 0, None
    opened = call.get_attribute("open") is None and call.evaluate("one => one.matches('details')")
    if opened:
        call.locator("summary").first.click()
    copy = call.locator("[data-copy-arguments]")
    copy.first.click()
    return 1 + opened, copy


_TASKS: Final[dict[str, Callable[[Page], tuple[int, Locator | None]]]] = {
    "answer": lambda page: _follow(
        page, page.get_by_role("link", name="Answer", exact=True), ".output, .choice"
    ),
    "first failure": lambda page: _follow(
        page, page.locator(".bar .failed-link, .bar-tools .failed-link"), ":target"
    ),
    "call 57": _go_to_call,
    "tools ranked": _rank_tools,
    "user turns": lambda page: _follow(
        page, page.locator(".role-chip", has_text="user"), '.bubble[data-role="user"]'
    ),
    "copy arguments": _copy_arguments,
}


def _measure(page: Page, completion_id: str, view: str) -> dict[str, Any]:
    began = time.perf_counter()
    response = page.goto(f"/completions/{completion_id}?all=1&view={view}")
    assert response is not None
    page.evaluate(_LAY_OUT)
    found: dict[str, Any] = page.evaluate(_COUNT)
    seconds = time.perf_counter() - began
    return {**found, "bytes": len(response.body()), "seconds": seconds}


@contextmanager
def _served(files: Sequence[Path]) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Serve the samples and `files`; yield the address and the longest completions."""
    with tempfile.TemporaryDirectory() as folder:
        config = Config(database_url=f"sqlite:///{folder}/readback.sqlite3")
        store = Store(find_database_url(config))
        load_samples(store)
        import_files(store, files)
        known = _find_long(store)
        store.close()
        server = make_server("127.0.0.1", 0, create_app(config), threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", known
        server.shutdown()
        thread.join()
        server.server_close()


def _find_long(store: Store) -> list[tuple[str, int]]:
    query = (
        "SELECT completions.id, count(*) FROM messages JOIN completions ON completion = seq"
        " GROUP BY completions.id ORDER BY 2 DESC LIMIT :most"
    )
    with store.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(text(query), {"most": LONGEST})]


if __name__ == "__main__":
    main()
