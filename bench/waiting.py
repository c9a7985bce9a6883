"""Measure how long one reader waits for a slow upstream.

`python -m bench.waiting` asks for each kind of page of a long transcript, behind an upstream that
answers at once and behind one that answers late. It prints the work of the page and, as a multiple
of the delay, what the late one adds to it: 1.0 is a page that waits for one answer alone, 2.0 one
that sends a request only after the answer to another.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Final

from werkzeug.serving import make_server

from webapp import create_app
from webapp.config import Config
from webapp.embedded import Store, load_samples
from webapp.factories import find_database_url

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

UPSTREAM_SECONDS: Final = 0.05
TIMES: Final = 20
ID: Final = "chatcmpl-FM550gfLFnr6y6c7nSmi09Xw1E61v"
"""The sample of 254 messages."""

PAGES: Final = {
    "start and end": "",
    "a page of the middle": f"?after={ID}-99",
    "newest first": "?order=desc",
    "a message": f"/messages/{ID}-136",
}


def main() -> None:
    """Print a line for each kind of page."""
    with _upstream(0.0) as fast, _upstream(UPSTREAM_SECONDS) as slow:
        clients = [
            create_app(Config(openai_base_url=url, message_cache_bytes=0)).test_client()
            for url in (fast, slow)
        ]
        for name, path in PAGES.items():
            at_once, late = (
                _time(partial(client.get, f"/completions/{ID}{path}")) for client in clients
            )
            waits = (late - at_once) / UPSTREAM_SECONDS
            print(f"{name:24}{1000 * at_once:7.0f} ms of work{waits:7.2f} times the upstream")


def _time(act: Callable[[], object]) -> float:
    """Return the shortest of several times: what else runs on the machine only adds to it."""
    act()
    times = []
    for _ in range(TIMES):
        start = time.perf_counter()
        act()
        times.append(time.perf_counter() - start)
    return min(times)


@contextmanager
def _upstream(seconds: float) -> Iterator[str]:
    """Serve the samples from a process of its own, each answer late; yield the base URL."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, seconds), daemon=True)
    process.start()
    yield f"http://127.0.0.1:{ours.recv()}/v1"
    process.terminate()
    process.join()


def _serve(pipe: Connection, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = Config(database_url=f"sqlite:///{folder}/readback.sqlite3")
        store = Store(find_database_url(config))
        load_samples(store)
        store.close()
        app = create_app(config)

        def late(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            time.sleep(seconds)
            return app(environ, start_response)

        server = make_server("127.0.0.1", 0, late, threaded=True)
        pipe.send(server.server_port)
        server.serve_forever()


if __name__ == "__main__":
    main()
