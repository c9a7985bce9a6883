"""Measure how long one reader waits for a page behind a slow upstream.

`python -m bench.waiting` asks for each kind of page of a long transcript and prints the median of
its times as a multiple of the time of one request to the upstream: 1.0 is a page that waits for
one answer alone, 2.0 one that needs two after each other.
"""

from __future__ import annotations

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Final

from werkzeug.serving import make_server

from webapp import create_app
from webapp.config import Config
from webapp.embedded import Store, load_samples
from webapp.factories import find_database_url, open_upstream

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
    with _slow_upstream() as base_url:
        config = Config(openai_base_url=base_url, message_cache_bytes=0)
        upstream = open_upstream(config)
        alone = _time(lambda: upstream.list_messages(ID, limit=20))
        print(f"{'one request to the upstream':32}{1000 * alone:7.1f} ms")
        client = create_app(config).test_client()
        for name, path in PAGES.items():
            took = _time(lambda path=path: client.get(f"/completions/{ID}{path}"))  # type: ignore[misc]
            print(f"{name:32}{1000 * took:7.1f} ms{took / alone:8.2f} times the upstream")
        upstream.close()


def _time(act: Callable[[], object]) -> float:
    act()
    times = []
    for _ in range(TIMES):
        start = time.perf_counter()
        act()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


@contextmanager
def _slow_upstream() -> Iterator[str]:
    """Serve the samples from a process of its own, each answer late; yield the base URL."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    yield f"http://127.0.0.1:{ours.recv()}/v1"
    process.terminate()
    process.join()


def _serve(pipe: Connection) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = Config(database_url=f"sqlite:///{folder}/readback.sqlite3")
        store = Store(find_database_url(config))
        load_samples(store)
        store.close()
        app = create_app(config)

        def late(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            time.sleep(UPSTREAM_SECONDS)
            return app(environ, start_response)

        server = make_server("127.0.0.1", 0, late, threaded=True)
        pipe.send(server.server_port)
        server.serve_forever()


if __name__ == "__main__":
    main()
