"""Serve a WSGI app on a real port of this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from werkzeug.exceptions import ServiceUnavailable
from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Write nothing: tests read what the code under test logs."""


@contextmanager
def serve(app: WSGIApplication) -> Iterator[str]:
    """Run `app` in a thread; yield its address, such as `http://127.0.0.1:40123`."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Place:
    """An address at which one app after another is served.

    A window that many tests look at has loaded the static files of an address once, and keeps its
    process. Both cost more than most pages.
    """

    address: str = ""
    _app: WSGIApplication = field(default_factory=ServiceUnavailable)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._app(environ, start_response)

    @contextmanager
    def lend(self, app: WSGIApplication) -> Iterator[str]:
        """Serve `app` here for a while; yield the address."""
        self._app = app
        try:
            yield self.address
        finally:
            self._app = ServiceUnavailable()


@contextmanager
def serve_in_turn() -> Iterator[Place]:
    """Yield a place for apps, on a real port."""
    place = Place()
    with serve(place) as place.address:
        yield place
