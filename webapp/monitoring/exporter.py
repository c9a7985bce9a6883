"""Serve the metrics of all worker processes on a separate port, from a separate process."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric

_SILENT_SECONDS: Final = 10
"""How long a client may send or take nothing."""
MOST_SECONDS: Final = 30
"""How long a client may take for all of it: with a byte now and then it is never silent."""
MOST_AT_ONCE: Final = 64
"""Connections, a thread each. With as many as files may be open, accepting would fail in a loop."""
_TICK: Final = 1.0
_READS: Final = 10
"""Of the files of all workers. Those of a worker are empty for a moment, which is an error."""


class CurrentState:
    """Numbers that are read when somebody asks: `read` returns each by its name."""

    def __init__(self, read: Callable[[], Mapping[str, tuple[str, float]]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        for name, (description, value) in self._read().items():
            yield GaugeMetricFamily(name, description, value)


class Exporter(ThreadingHTTPServer):
    """Answers `GET /metrics` on a socket that listens already."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, registry: CollectorRegistry) -> None:
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.registry: Final = registry
        self._places = threading.Semaphore(MOST_AT_ONCE)
        self._began: dict[socket.socket, float] = {}

    def serve(self, *, parent: int) -> None:
        """Serve until the process ends, or until its parent is gone."""

        def watch() -> None:
            gone = threading.Event()
            while os.getppid() == parent:
                gone.wait(_TICK)
                self.end_slow(time.monotonic())
            self.shutdown()

        threading.Thread(target=watch, daemon=True).start()
        self.serve_forever()

    def end_slow(self, now: float) -> None:
        """End the connections that are kept for too long, as of `now` by the monotonic clock."""
        for request, began in list(self._began.items()):
            if now - began > MOST_SECONDS:
                with suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a request in a thread, or close its connection if there are too many."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            # No thread could be started, which would give the place back.
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer a request."""
        self._began[request] = time.monotonic()
        try:
            super().process_request_thread(request, client_address)
        finally:
            del self._began[request]
            self._places.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Report nothing: a client that leaves early is not a failure."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _SILENT_SECONDS
    server: Exporter
    server_version = "Readback"
    sys_version = ""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404)
            return
        from prometheus_client.exposition import choose_encoder

        encode, content_type = choose_encoder(self.headers.get("Accept", ""))
        body = self._read_numbers(encode)
        if body is None:
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def _read_numbers(self, encode: Callable[[CollectorRegistry], bytes]) -> bytes | None:
        for _ in range(_READS):
            with suppress(struct.error):
                return encode(self.server.registry)
        return None

    def log_message(self, format: str, *args: object) -> None:
        """Write no line for each time that somebody asks."""
