"""Measure what readers wait for behind a slow upstream, side by side with the upstream itself.

`python -m bench.proxy` starts an upstream that takes 50 ms for each answer, and `readback serve` in
front of it. It prints for 1 to 64 readers at once, each on its own transcript, the time until one
request to the upstream is answered and until a page of Readback is, both as medians of rounds that
alternate, their ratio, the pages a second, and how many requests a page takes. Every page was read
before. The readers and the upstream need a share of the CPU too.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from bench.browser import make_completion
from bench.cluster import find_port
from tools.memory import find_children
from webapp import create_app
from webapp.config import Config
from webapp.embedded import Store, import_files
from webapp.factories import find_database_url

UPSTREAM_SECONDS: Final = 0.05
READERS: Final = (1, 2, 4, 8, 16, 64)
TARGETS: Final = {1: 1.06, 2: 1.06, 4: 1.06, 8: 1.06, 64: 1.5}
MESSAGES: Final = 20
ROUNDS: Final = 6
"""Of each kind; a reader asks `REQUESTS` times in each."""
REQUESTS: Final = 6
WARMING: Final = 8
"""Times that each page is read before, so that each worker has kept it."""
HOST: Final = "127.0.0.1"


def main() -> None:
    """Print a line for each number of readers."""
    # Leave no server when a time limit ends the program.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with running_upstream() as (port, pipe), running_readback(port) as (own_port, process):
        pages = [f"/completions/chatcmpl-bench-{at}" for at in range(max(READERS))]
        for _ in range(WARMING):
            asyncio.run(read_all(own_port, pages, 1))
        print(f"{'readers':>8}{'upstream':>10}{'page':>10}{'ratio':>8}{'target':>8}", end="")
        print(f"{'pages/s':>9}{'requests':>10}{'CPU':>10}{'by CPU':>8}")
        for readers in READERS:
            measure(readers, pages[:readers], port, own_port, pipe, process.pid)


def measure(
    readers: int, pages: list[str], port: int, own_port: int, pipe: Connection, pid: int
) -> None:
    direct = [f"/v1/chat{page}/messages?limit={MESSAGES}" for page in pages]
    times: dict[str, list[float]] = {"direct": [], "page": []}
    seconds, asked, cpu = 0.0, 0, 0.0
    for _ in range(ROUNDS):
        times["direct"] += asyncio.run(read_all(port, direct, REQUESTS))
        before, used = count_requests(pipe), read_cpu_seconds(pid)
        began = time.perf_counter()
        times["page"] += asyncio.run(read_all(own_port, pages, REQUESTS))
        seconds += time.perf_counter() - began
        asked += count_requests(pipe) - before
        cpu += read_cpu_seconds(pid) - used
    upstream, page = (statistics.median(times[name]) for name in ("direct", "page"))
    target = TARGETS.get(readers, "")
    count = readers * ROUNDS * REQUESTS
    print(f"{readers:8}{1000 * upstream:7.1f} ms{1000 * page:7.1f} ms", end="")
    print(
        f"{page / upstream:8.2f}{target:>8}{count / seconds:9.0f}{asked / count:10.2f}"
        f"{1000 * cpu / count:7.1f} ms"
        f"{max(1.0, cpu / count * readers / (os.cpu_count() or 1) / upstream):8.2f}",
        flush=True,
    )


def read_cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that the children of a process have used so far."""
    ticks = 0
    for child in find_children(pid):
        fields = Path(f"/proc/{child}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def read_all(port: int, paths: list[str], times: int) -> list[float]:
    """Read each path in a connection of its own, `times` in a row; return the seconds of each."""
    found = await asyncio.gather(*(_read(port, path, times) for path in paths))
    return [seconds for one in found for seconds in one]


async def _read(port: int, path: str, times: int) -> list[float]:
    reader, writer = await asyncio.open_connection(HOST, port)
    request = f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nAccept-Encoding: gzip\r\n\r\n"
    found = []
    for _ in range(times):
        began = time.perf_counter()
        writer.write(request.encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        assert head.startswith("http/1.1 200"), head
        await reader.readexactly(int(head.split("content-length:")[1].split()[0]))
        found.append(time.perf_counter() - began)
    writer.close()
    return found


def count_requests(pipe: Connection) -> int:
    """Return how many requests the upstream has answered so far."""
    pipe.send(None)
    count: int = pipe.recv()
    return count


@contextmanager
def running_readback(port: int) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run Readback in front of the upstream, as it is installed; yield its port and process."""
    with tempfile.TemporaryDirectory() as folder:
        own_port = find_port()
        settings = {
            "PATH": os.environ["PATH"],
            "HOST": HOST,
            "PORT": str(own_port),
            "OPENAI_BASE_URL": f"http://{HOST}:{port}/v1",
            "XDG_DATA_HOME": folder,
            "XDG_CACHE_HOME": folder,
            **{name: value for name, value in os.environ.items() if name.startswith("READBACK_")},
        }
        command = [sys.executable, "-m", "webapp", "serve"]
        log = Path(folder, "log")
        with (
            log.open("wb") as output,
            subprocess.Popen(command, env=settings, stderr=output) as one,
        ):
            try:
                _wait(own_port)
                yield own_port, one
            finally:
                one.terminate()


def _wait(port: int) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://{HOST}:{port}/healthz", timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("Readback did not start")


@contextmanager
def running_upstream() -> Iterator[tuple[int, Connection]]:
    """Run the upstream in a process of its own; yield its port, and a pipe to count requests."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        process = context.Process(target=_serve, args=(theirs, folder), daemon=True)
        process.start()
        try:
            yield ours.recv(), ours
        finally:
            process.terminate()
            process.join()


def _serve(pipe: Connection, folder: str) -> None:
    """Answer from memory what an embedded server has answered once, each time 50 ms late."""
    config = Config(database_url=f"sqlite:///{folder}/readback.sqlite3")
    path = Path(folder, "pages.jsonl")
    made = (make_completion(MESSAGES, f"chatcmpl-bench-{at}") for at in range(max(READERS)))
    path.write_text("".join(json.dumps(one) + "\n" for one in made), encoding="utf-8")
    store = Store(find_database_url(config))
    import_files(store, [path])
    store.close()
    client = create_app(config).test_client()
    answers: dict[str, bytes] = {}
    count = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            count += 1
            target = head.split(b" ", 2)[1].decode()
            if target not in answers:
                found = client.get(target)
                start = f"HTTP/1.1 {found.status}\r\nContent-Type: application/json\r\n"
                start += f"Content-Length: {len(found.data)}\r\n\r\n"
                answers[target] = start.encode() + found.data
            await asyncio.sleep(UPSTREAM_SECONDS)
            writer.write(answers[target])

    async def run() -> None:
        server = await asyncio.start_server(answer, HOST, 0)

        def tell() -> None:
            pipe.recv()
            pipe.send(count)

        asyncio.get_running_loop().add_reader(pipe.fileno(), tell)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


if __name__ == "__main__":
    main()
