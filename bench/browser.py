"""Measure in Chromium what it costs to load a long transcript to its end.

`python -m bench.browser` serves a transcript of 10,000 messages and prints two measurements:

- "Load more", 500 times: the main thread's time for one append (swap, scripts, style and layout),
  the first ones against the last ones. Linear loading has a ratio near 1.
- "Load all": the time in all, what the main thread did in it, and the frames while scrolling
  through what was loaded.

`--messages N` changes the length, `--view` the view.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from werkzeug.serving import make_server

from webapp.app import create_app
from webapp.config import Config
from webapp.embedded import Store, import_files
from webapp.factories import find_database_url
from webapp.templating.context import VIEWS

MESSAGES: Final = 10_000
WARM_UP: Final = 10
"""Appends that are not counted: scripts are compiled, caches are filled."""
SAMPLE: Final = 20
"""Appends after these, and at the end, that are compared."""

COMPLETION_ID: Final = "chatcmpl-bench-long"
ANSWER: Final = "That was the last module."

CHROMIUM: Final = os.environ.get("READBACK_CHROMIUM") or shutil.which("chromium-headless-shell")
FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--js-flags=--expose-gc")
_PATIENCE: Final = 600_000
_SPENT: Final = {
    "all": "TaskDuration",
    "scripts": "ScriptDuration",
    "style": "RecalcStyleDuration",
    "layout": "LayoutDuration",
}

# One append after the other, each with its frame. The link is found from its neighbour, since a
# look-up would walk through the whole page.
_APPEND: Final = """async (most) => {
    let place = window.benchPlace ?? document.getElementById("gap");
    for (let at = 0; at < most; at++) {
        const before = place.previousElementSibling;
        const swapped = new Promise((done) =>
            document.addEventListener("htmx:finally:request", done, { once: true }));
        place.querySelector(".button").click();
        await swapped;
        for (place = before.nextElementSibling; place && place.id !== "gap";)
            place = place.nextElementSibling;
        if (!place) return at;
        await new Promise(requestAnimationFrame);
        await new Promise((done) => setTimeout(done));
    }
    window.benchPlace = place;
    return most;
}"""

# A wait of Playwright would look for elements again and again, which costs more than the loading.
LOAD_ALL: Final = """() => new Promise((done) => {
    const bar = document.getElementById("loading-all");
    new MutationObserver(() => bar.hidden && done()).observe(bar, { attributeFilter: ["hidden"] });
    document.querySelector("[data-load-all]").click();
})"""

_SCROLL: Final = """async (steps) => {
    const frames = [];
    const height = document.documentElement.scrollHeight;
    let last = await new Promise(requestAnimationFrame);
    for (let at = 0; at < steps; at++) {
        scrollBy(0, Math.min(600, height / steps));
        const now = await new Promise(requestAnimationFrame);
        frames.push(now - last);
        last = now;
    }
    return frames;
}"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both measurements."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.browser")
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--view", choices=VIEWS, default="full")
    options = parser.parse_args(arguments)
    with serve(options.messages) as address, sync_playwright() as tools:
        browser = launch(tools)
        for measure in (_measure_appends, _measure_load_all):
            page = browser.new_page(viewport={"width": 1440, "height": 900}, base_url=address)
            page.set_default_timeout(_PATIENCE)
            page.goto(f"/completions/{COMPLETION_ID}?view={options.view}")
            measure(page, options.messages)
            page.close()
        browser.close()


def _measure_appends(page: Page, messages: int) -> None:
    session = start_metrics(page)
    page.evaluate(_APPEND, WARM_UP)
    rest = messages // 20 - WARM_UP - 2 * SAMPLE - 2
    counts, found = (SAMPLE, rest, SAMPLE), [read_spent(session)]
    for count in counts:
        assert page.evaluate(_APPEND, count) == count
        found.append(read_spent(session))
    spent = [_subtract(after, before) for before, after in pairwise(found)]
    print(
        f"appends of 20 messages, {sum(counts) + WARM_UP} in all;"
        " CPU ms of the main thread for each:"
    )
    for name, key in _SPENT.items():
        first, last = (spent[at][key] / SAMPLE * 1000 for at in (0, -1))
        print(
            f"  {name:8} first {first:6.2f}, last {last:6.2f}, ratio {last / first:.2f}", flush=True
        )


def _measure_load_all(page: Page, messages: int) -> None:
    session = start_metrics(page)
    before = read_spent(session)
    started = time.monotonic()
    page.evaluate(LOAD_ALL)
    seconds = time.monotonic() - started
    spent = _subtract(read_spent(session), before)
    bubbles = page.locator(".bubble").count()
    print(
        f"Load all: {bubbles:,} bubbles of {messages:,} messages in {seconds:.1f} s;"
        " CPU s of the main thread: "
        + ", ".join(f"{name} {spent[key]:.2f}" for name, key in _SPENT.items()),
        flush=True,
    )
    page.evaluate("scrollTo(0, 0)")
    frames = page.evaluate(_SCROLL, 300)
    p95 = statistics.quantiles(frames, n=20)[-1]
    print(f"scrolling: frames {statistics.median(frames):.1f} ms, p95 {p95:.1f} ms", flush=True)


def launch(tools: Playwright) -> Browser:
    """Launch the Chromium that all measurements share."""
    return tools.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))


def start_metrics(page: Page) -> Any:
    """Return a session whose times are CPU times, so that other work does not count."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    return session


def _subtract(after: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    return {name: value - before[name] for name, value in after.items()}


def read_spent(session: Any) -> dict[str, float]:
    """Read the metrics of a session of `start_metrics` by their names in Chromium."""
    found = session.send("Performance.getMetrics")["metrics"]
    return {metric["name"]: metric["value"] for metric in found}


@contextmanager
def serve(messages: int, wrap: Callable[[Any], Any] | None = None) -> Iterator[str]:
    """Serve one transcript of `messages` messages; yield the address.

    `wrap` returns the WSGI application to serve in place of Readback's.
    """
    with tempfile.TemporaryDirectory() as folder:
        config = Config(database_url=f"sqlite:///{folder}/readback.sqlite3")
        path = Path(folder, "long.jsonl")
        path.write_text(json.dumps(make_completion(messages)) + "\n", encoding="utf-8")
        store = Store(find_database_url(config))
        report = import_files(store, [path])
        assert report.added == 1, report.problems
        store.close()
        app = create_app(config)
        server = make_server("127.0.0.1", 0, wrap(app) if wrap else app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()


def make_completion(messages: int, completion_id: str = COMPLETION_ID) -> dict[str, Any]:
    """Return a run of an agent: words, calls with their results, a user's turn now and then."""
    made: list[dict[str, Any]] = []
    for at in range(0, messages, 5):
        call = f"call_{at}"
        arguments = json.dumps({"path": f"src/module_{at}.py", "lines": [at, at + 40]})
        function = {"name": "read_file", "arguments": arguments}
        made += [
            {"role": "user", "content": f"Please look at module {at} and say what it does."},
            {
                "role": "assistant",
                "content": f"I will read **module {at}** first:\n\n- its names\n- its tests",
                "tool_calls": [{"id": call, "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": call, "content": "def main():\n    return 0\n" * 5},
            {"role": "assistant", "content": f"It returns `0`, whatever it is given ({at})."},
            {"role": "user", "content": "Thank you. Go on with the next one."},
        ]
    answer = {"role": "assistant", "content": ANSWER}
    return {
        "id": completion_id,
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "bench",
        "messages": made[:messages],
        "choices": [{"index": 0, "finish_reason": "stop", "message": answer}],
    }


if __name__ == "__main__":
    main()
