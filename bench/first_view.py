"""Measure in Chromium the first view of a page of 20 messages, beside a page made with React.

`python -m bench.first_view` shows the same messages twice: as Readback's page, and as a page that
fetches them from `/v1` and renders them with React, react-markdown and highlight.js
(`bench/react`). Both are compressed and loaded with an empty cache. It prints the bytes that
Chromium received and the CPU time of its main thread until the answer is shown, as medians, with
their ratios. npm fetches the packages of the React page on the first run.
"""

from __future__ import annotations

import gzip
import shutil
import statistics
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, sync_playwright

from bench.browser import ANSWER, COMPLETION_ID, launch, read_spent, serve, start_metrics

TURNS: Final = 7
_SOURCE: Final = Path(__file__).parent / "react"
_BUILD: Final = Path(__file__).parents[1] / ".cache" / "react"
_PAGE: Final = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Transcript</title>
<link rel="stylesheet" href="/react/page.css">
<div id="root" data-id="{COMPLETION_ID}"></div>
<script type="module" src="/react/page.js"></script>
"""
# A busy machine may render only after the network is idle.
_WAIT: Final = """(answer) => new Promise((done, fail) => {
    const isShown = () => document.body.textContent.includes(answer);
    const finish = () => requestIdleCallback(done);
    if (isShown()) return finish();
    setTimeout(() => fail(new Error("The answer is not shown.")), 30_000);
    new MutationObserver((_, self) => isShown() && (self.disconnect(), finish()))
        .observe(document, { childList: true, subtree: true });
})"""
_TYPES: Final = {"page.css": "text/css", "page.js": "text/javascript"}

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def main() -> None:
    """Print the medians of both pages, which take turns."""
    _build_bundle()
    found: dict[str, list[tuple[float, float]]] = {}
    with serve(20, _add_react_page) as address, sync_playwright() as tools:
        browser = launch(tools)
        pages = {"Readback": f"/completions/{COMPLETION_ID}", "React": "/react/"}
        for path in pages.values():
            _view(browser, address + path)
        for _ in range(TURNS):
            for name, path in pages.items():
                found.setdefault(name, []).append(_view(browser, address + path))
        browser.close()
    medians = {
        name: [*map(statistics.median, zip(*views, strict=True))] for name, views in found.items()
    }
    for name, (size, seconds) in medians.items():
        print(f"{name:9} {size / 1000:6.1f} kB, {seconds * 1000:6.1f} ms of the main thread")
    size, seconds = (ours / theirs for ours, theirs in zip(*medians.values(), strict=True))
    print(f"ratios    {size:.2f} of the bytes, {seconds:.2f} of the CPU time")


def _view(browser: Browser, address: str) -> tuple[float, float]:
    """Open a page with an empty cache; return its bytes, and the seconds of its main thread."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        sizes: list[float] = []
        session = start_metrics(page)
        session.send("Network.enable")
        session.on(
            "Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"])
        )
        page.goto(address, wait_until="networkidle")
        page.evaluate(_WAIT, ANSWER)
        # Before anything else is looked for: a locator runs much more of the tools in the page.
        seconds = read_spent(session)["TaskDuration"]
        assert page.get_by_role("paragraph").filter(has_text=ANSWER).is_visible()
        return sum(sizes), seconds


def _build_bundle() -> None:
    """Install the packages of the React page, and build it as for production."""
    _BUILD.mkdir(parents=True, exist_ok=True)
    for file in _SOURCE.iterdir():
        shutil.copy(file, _BUILD)
    npm = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    subprocess.run(npm, cwd=_BUILD, check=True)
    build = ("node_modules/.bin/esbuild", "page.jsx", "--bundle", "--minify", "--jsx=automatic")
    options = ('--define:process.env.NODE_ENV="production"', "--outfile=page.js")
    subprocess.run((*build, *options, "--log-level=error"), cwd=_BUILD, check=True)


def _add_react_page(app: WSGI) -> WSGI:
    """Serve the React page at `/react/`, compressed, beside `app`."""
    files = {name: (_BUILD / name).read_bytes() for name in _TYPES} | {"": _PAGE.encode()}
    compressed = {f"/react/{name}": gzip.compress(body) for name, body in files.items()}

    def serve_either(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path not in compressed:
            return app(environ, start)
        kind = _TYPES.get(path.removeprefix("/react/"), "text/html; charset=utf-8")
        start("200 OK", [("Content-Type", kind), ("Content-Encoding", "gzip")])
        return [compressed[path]]

    return serve_either


if __name__ == "__main__":
    main()
