"""Measure the memory that Chromium takes for a long transcript, beside one plain page of it.

`python -m bench.renderer` loads transcripts of 5,000 and of 10,000 messages to their ends, each
twice: in the page that Readback serves, by "Load all", and in a plain page of the same HTML, where
no script of Readback runs and no section is left out of the layout. It prints the memory of the
process that renders after garbage collections (PSS), and the ratio; then both without the files
that it maps, which are Chromium's code and shared with its other processes. A page of one message
comes first: that is what the process takes by itself.

A script that is served beside the page loads the transcript: tools that drive a browser let it keep
all that it received, which would count.

`--messages N ...` changes the lengths, `--view` the view.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from werkzeug.wrappers import Response

from bench.browser import CHROMIUM, COMPLETION_ID, FLAGS, LOAD_ALL, serve
from tools.memory import find_children
from webapp.templating.context import VIEWS

MESSAGES: Final = (5_000, 10_000)
SECONDS: Final = 600
"""How long one transcript may take to be loaded."""

# The link of each answer is the place of the next one.
_LOAD_PLAINLY: Final = """async () => {
    for (let place; (place = document.getElementById("gap"));) {
        const url = new URL(place.querySelector(".button").href);
        url.searchParams.set("limit", 100);
        const answer = await fetch(url, { headers: { "HX-Request": "true" } });
        place.outerHTML = await answer.text();
    }
    const all = [...document.querySelectorAll(".bubble")];
    if (!all.every((one) => one.checkVisibility({ contentVisibilityAuto: true })))
        throw new Error("Something is not laid out.");
}"""
# At rest the page has done what it puts off, such as taking out what is far from the window.
_SCRIPT: Final = """(async () => {
    const wait = () => new Promise((done) => setTimeout(() => requestIdleCallback(done), 3000));
    const elements = document.getElementsByTagName("*");
    const rest = async () => {
        for (let before = -1; before !== elements.length; await wait()) before = elements.length;
    };
    await rest();
    if (document.getElementById("gap")) await (%s)();
    await rest();
    for (let times = 0; times < 3; times++) gc();
    await rest();
    fetch("/bench/loaded");
})()"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the memory of both pages for each length."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.renderer")
    parser.add_argument("--messages", type=int, nargs="+", default=MESSAGES)
    parser.add_argument("--view", choices=VIEWS, default="full")
    options = parser.parse_args(arguments)
    one = _measure(1, options.view)
    print(f"one message: {one.all:.0f} MB; without files {one.own:.0f} MB", flush=True)
    for messages in options.messages:
        served = _measure(messages, options.view)
        plain = _measure(messages, options.view, is_plain=True)
        print(
            f"{messages:,} messages: {_compare(served.all, plain.all)};"
            f" without files {_compare(served.own, plain.own)}",
            flush=True,
        )


def _compare(served: float, plain: float) -> str:
    return f"{served:.0f} MB, plain {plain:.0f} MB, ratio {served / plain:.2f}"


@dataclass(frozen=True)
class Memory:
    """The MB of a process, with its part of what it shares; `own` is without mapped files."""

    all: float
    own: float


def _measure(messages: int, view: str, *, is_plain: bool = False) -> Memory:
    """Return what the renderer of a new Chromium takes with a transcript in it."""
    loading = _Loading(is_plain)
    with (
        serve(messages, loading.wrap) as address,
        _open(f"{address}/completions/{COMPLETION_ID}?view={view}") as pid,
    ):
        if not loading.is_done.wait(SECONDS):
            raise TimeoutError(f"{messages} messages were not loaded.")
        return max(map(_read_memory, _find_renderers(pid)), key=lambda one: one.own)


@dataclass
class _Loading:
    """The loading of a transcript by the script of the bench, which says when it is done."""

    is_plain: bool
    is_done: threading.Event = field(default_factory=threading.Event)
    app: Any = None

    def wrap(self, app: Any) -> _Loading:
        """Serve `app` with the script; return the WSGI application."""
        self.app = app
        return self

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        return self._answer(environ)(environ, start)

    def _answer(self, environ: dict[str, Any]) -> Response:
        path = environ["PATH_INFO"]
        if path == "/bench/load.js":
            script = _SCRIPT % (_LOAD_PLAINLY if self.is_plain else LOAD_ALL)
            return Response(script, mimetype="text/javascript")
        if path == "/bench/loaded":
            self.is_done.set()
            return Response(status=204)
        if self.is_plain and path.endswith(".js"):
            return Response(status=404)
        environ.pop("HTTP_ACCEPT_ENCODING", None)
        answer = Response.from_app(self.app, environ)
        if answer.mimetype == "text/html" and "HTTP_HX_REQUEST" not in environ:
            answer.data += b'<script src="/bench/load.js" async></script>'
        if self.is_plain and answer.mimetype == "text/css":
            answer.data = answer.data.replace(
                b"content-visibility:auto", b"content-visibility:visible"
            )
        return answer


@contextmanager
def _open(address: str) -> Iterator[int]:
    """Open `address` in a Chromium of its own; yield the id of its first process."""
    assert CHROMIUM, "Chromium is not installed."
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ("--headless", f"--user-data-dir={profile}", "--window-size=1440,900")
        with subprocess.Popen(
            [CHROMIUM, *FLAGS, *options, "--remote-debugging-port=0", address],
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                yield process.pid
            finally:
                os.killpg(process.pid, signal.SIGKILL)


def _find_renderers(pid: int) -> Iterator[int]:
    for child in find_children(pid):
        if b"--type=renderer" in Path(f"/proc/{child}/cmdline").read_bytes():
            yield child
        yield from _find_renderers(child)


def _read_memory(pid: int) -> Memory:
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value, _ = line.split()
        found[name] = int(value) * 1024 / 1_000_000
    return Memory(found["Pss:"], found["Pss:"] - found["Pss_File:"])


if __name__ == "__main__":
    main()
