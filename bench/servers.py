"""Measure how WSGI servers wait: many readers at once, and an app that waits for its upstream.

`python -m bench.servers` runs the servers one after the other against one slow upstream and
prints times as ratios of the upstream's own, so that the machine cancels out. The app makes one
call through the client, as a page does, and renders nothing: only the waiting is measured.
"""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Final

from webapp.upstream import Endpoint, Upstream

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

UPSTREAM_SECONDS: Final = 0.05
READERS: Final = 64
ANSWERS: Final = 30
"""Requests of each reader, one after the other on one connection."""
WARM_UP: Final = 5
"""First requests that are not counted: servers start threads when they need them."""
START_SECONDS: Final = 10.0
STOP_SECONDS: Final = 3.0
RUN_SECONDS: Final = 12.0

_ADDRESS: Final = "BENCH_UPSTREAM"
_ID: Final = "chatcmpl-bench"
_APP: Final = "bench.servers:create_app"


@dataclass(frozen=True, slots=True)
class Server:
    """A server under test; `{port}` in its command is the port to listen on."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The seconds each answer took, and the CPU seconds that the server's processes used."""

    seconds: list[float]
    cpu: float

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.seconds, n=20)[-1]


def _granian(workers: int, threads: int) -> Server:
    options = f"--interface wsgi --factory --log-level error --port {{port}} --workers {workers}"
    # A worker that is still starting ignores the signal to stop.
    options += f" --blocking-threads {threads} --workers-kill-timeout 1"
    command = ("granian", *options.split(), _APP)
    return Server(f"granian, {workers} x {threads} threads", command)


def _gunicorn(workers: int, threads: int) -> Server:
    options = f"--worker-class gthread --log-level error --bind 127.0.0.1:{{port}} -w {workers}"
    command = ("gunicorn", *options.split(), "--threads", str(threads), f"{_APP}()")
    return Server(f"gunicorn gthread, {workers} x {threads}", command)


def _waitress(threads: int) -> Server:
    options = f"--listen 127.0.0.1:{{port}} --threads {threads} --call {_APP}"
    return Server(f"waitress, {threads} threads", ("waitress", *options.split()))


SERVERS: Final = (_granian(2, 32), _granian(1, 64), _gunicorn(2, 32), _waitress(64))


def main() -> None:
    """Print one line for each server."""
    with _slow_upstream() as port:
        own = statistics.median(asyncio.run(_read(port, f"/v1/chat/completions/{_ID}")))
        print(f"{READERS} readers at once; the upstream alone takes {own * 1000:.0f} ms (1.00)\n")
        print(f"{'':32}{'median':>8}{'p95':>8}{'CPU s per 1,000 answers':>26}")
        for server in SERVERS:
            outcome = _measure(server, f"http://127.0.0.1:{port}/v1")
            cost = outcome.cpu / (READERS * (WARM_UP + ANSWERS)) * 1000
            times = f"{outcome.median / own:8.2f}{outcome.p95 / own:8.2f}"
            print(f"{server.name:32}{times}{cost:26.2f}", flush=True)


def create_app() -> WSGIApplication:
    """Return the app that the servers serve: it forwards one request to the upstream."""
    # waitress logs every request that waits; here all of them do.
    logging.getLogger("waitress").setLevel(logging.ERROR)
    endpoint = Endpoint.openai(base_url=os.environ[_ADDRESS], api_key="sk-bench")
    upstream = Upstream(endpoint, pool_size=READERS)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = upstream.retrieve_completion(_ID).json.source.encode()
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]

    return app


def _measure(server: Server, base_url: str) -> Outcome:
    """Return the outcome of a run, less the cost of starting and stopping the server."""
    before = _children_cpu()
    with _running(server, base_url):
        pass
    idle = _children_cpu() - before
    with _running(server, base_url) as port:
        seconds = asyncio.run(_read(port, "/"))
    return Outcome(seconds, _children_cpu() - before - 2 * idle)


def _children_cpu() -> float:
    """Return the CPU seconds of all descendants of this process that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@contextmanager
def _running(server: Server, base_url: str) -> Iterator[int]:
    """Yield the port of `server`, which has answered once."""
    port = _free_port()
    arguments = [part.format(port=port) for part in server.command]
    environ = os.environ | {_ADDRESS: base_url}
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments], env=environ, start_new_session=True
    )
    try:
        _wait_for(port, process)
        yield port
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # Stops the workers too, which the server would leave running.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            asyncio.run(_read(port, "/", readers=1, answers=1, warm_up=0))
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"no answer on port {port}: {process.args!r}")


async def _read(
    port: int, path: str, *, readers: int = READERS, answers: int = ANSWERS, warm_up: int = WARM_UP
) -> list[float]:
    """Return the seconds that each answer took, of all readers at once."""
    readings = (_reader(port, path, answers + warm_up) for _ in range(readers))
    seconds = await asyncio.wait_for(asyncio.gather(*readings), RUN_SECONDS)
    return [second for one in seconds for second in one[warm_up:]]


async def _reader(port: int, path: str, answers: int) -> list[float]:
    answer, request = await asyncio.open_connection("127.0.0.1", port)
    seconds = []
    for _ in range(answers):
        start = time.perf_counter()
        request.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        await _take_answer(answer)
        seconds.append(time.perf_counter() - start)
    request.close()
    await request.wait_closed()
    return seconds


async def _take_answer(answer: asyncio.StreamReader) -> None:
    """Read one answer to its end. Raise `OSError` unless it is a 200 with its length."""
    try:
        head = (await answer.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    except asyncio.IncompleteReadError as error:
        raise ConnectionError("the server closed the connection") from error
    status, *lines = head.split("\r\n")
    if " 200 " not in status:
        raise ConnectionError(f"the server answered {status!r}")
    lengths = [line.partition(":")[2] for line in lines if line.startswith("content-length:")]
    await answer.readexactly(int(lengths[0]))


@contextmanager
def _slow_upstream() -> Iterator[int]:
    """Yield the port of an upstream in a process of its own, which shares no lock with ours."""
    spawning = multiprocessing.get_context("spawn")
    here, there = spawning.Pipe()
    process = spawning.Process(target=_serve_upstream, args=(there,), daemon=True)
    process.start()
    there.close()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def _serve_upstream(pipe: Connection) -> None:
    asyncio.run(_upstream(pipe))


async def _upstream(pipe: Connection) -> None:
    listener = await asyncio.start_server(_answer_slowly, "127.0.0.1", 0, backlog=READERS * 2)
    pipe.send(listener.sockets[0].getsockname()[1])
    await listener.serve_forever()


async def _answer_slowly(request: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
    body = json.dumps({"id": _ID, "object": "chat.completion", "choices": []}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    while True:
        try:
            await request.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            break
        await asyncio.sleep(UPSTREAM_SECONDS)
        answer.write(f"{head}\r\n\r\n".encode() + body)
    answer.close()


if __name__ == "__main__":
    main()
