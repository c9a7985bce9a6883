"""Run a server through outages of its database, and check that it loses nothing it promised.

The tests run each outage once, `bench.outage` with many creates.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Final

import requests
from sqlalchemy import make_url

from tools.forking import Forkable, Process, start_module
from tools.memory import find_children
from tools.postgres import PostgresServer
from tools.store_rows import completion, database_url, jsonl
from webapp.config import SETTINGS
from webapp.embedded.recording.model_server import STOPPED

PATIENCE: Final = 120.0
"""Seconds after which something that should have happened counts as failed."""
_POLL_SECONDS: Final = 0.05
_FULL_BYTES: Final = 4096
_NOTE: Final = "x" * 5000
_STATUSES: Final = (200, 502, 503)
"""What a page may answer; all but the first say that the store cannot be read."""


class MountRefused(Exception):
    """No small disk can be mounted here; the message is the reason."""


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[Path]:
    """Mount a disk of this size at `folder`. Raise `MountRefused` if that is not allowed."""
    folder.mkdir()
    options = ["-o", f"size={megabytes}m,mode=0777"]
    try:
        command = ["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)]
        ended = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise MountRefused(f"it needs mount: {error}") from error
    if ended.returncode:
        raise MountRefused(f"it needs the right to mount: {ended.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill_disk(folder: Path) -> None:
    """Write a file until the disk of `folder` is full."""
    with suppress(OSError), open(folder / "filler", "ab", buffering=0) as filler:
        while True:
            filler.write(bytes(_FULL_BYTES))


@dataclass(frozen=True)
class Outage:
    """An outage of the database at `url`; `needs_restart` if it begins while the server is down."""

    name: str
    url: str
    begin: Callable[[], object]
    end: Callable[[], object]
    needs_restart: bool = False


def full_sqlite_outage(disk: Path) -> Outage:
    """Return the outage of a SQLite file on a small disk, which is full."""
    filler = disk / "filler"
    return Outage("SQLite, full", database_url(disk), lambda: fill_disk(disk), filler.unlink)


def sqlite_outages(stack: ExitStack, folder: Path) -> Iterator[Outage]:
    """Yield the outages of a SQLite file on a small disk. Raises `MountRefused`."""
    full, fixed = (
        stack.enter_context(small_disk(folder / name, megabytes=32)) for name in ("full", "fixed")
    )

    def remount(mode: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{mode}", str(fixed)], check=True)

    yield full_sqlite_outage(full)
    # A disk cannot become read-only while a process writes to its files.
    yield Outage(
        "SQLite, read-only",
        database_url(fixed),
        lambda: remount("ro"),
        lambda: remount("rw"),
        needs_restart=True,
    )


def postgres_outages(stack: ExitStack, server: PostgresServer) -> Iterator[Outage]:
    """Yield the outages of a PostgreSQL server that is not shared with others."""
    fixed, stopped, killed = (stack.enter_context(server.database()) for _ in range(3))
    name = make_url(fixed).database

    def set_read_only(value: str) -> None:
        server.run(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}")
        server.drop_connections(fixed)

    yield Outage(
        "PostgreSQL, read-only", fixed, lambda: set_read_only("on"), lambda: set_read_only("off")
    )
    yield Outage("PostgreSQL, stopped", stopped, server.stop, server.start)
    yield killed_postgres_outage(server, killed)


def killed_postgres_outage(server: PostgresServer, url: str) -> Outage:
    """Return the outage in which all processes of the server of `url` are killed."""
    return Outage("PostgreSQL, killed", url, server.kill, lambda: _start_after_kill(server))


def full_postgres_outage(stack: ExitStack, server: PostgresServer, disk: Path) -> Outage:
    """Return the outage of a PostgreSQL server whose whole folder is on a small disk."""
    url = stack.enter_context(server.database())

    def end() -> None:
        (disk / "filler").unlink()
        if not server.is_running():
            server.start()

    return Outage("PostgreSQL, full", url, lambda: fill_disk(disk), end)


def _start_after_kill(server: PostgresServer) -> None:
    """Start the server, again until the last process of the killed one has let go of its memory."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            server.start()
            return
        except RuntimeError:
            if time.monotonic() > end:
                raise
            time.sleep(_POLL_SECONDS)


@dataclass
class Report:
    """What one outage brought: where the answers were kept, and the pages' status codes.

    `recovery` is how many seconds after its end the last spooled answer was stored.
    """

    kept: Counter[str] = field(default_factory=Counter)
    pages: Counter[int] = field(default_factory=Counter)
    promised: list[str] = field(default_factory=list)
    broken: int = 0
    recovery: float = 0.0
    lost: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Site:
    """A server of two workers with a model and a spool, which can be killed and started again.

    Its processes are forked from `forkable` if there is one.
    """

    def __init__(self, url: str, folder: Path, model_url: str, forkable: Forkable | None) -> None:
        self.folder = folder
        self._forkable = forkable
        ours = {setting.name for setting in SETTINGS}
        kept = {name: value for name, value in os.environ.items() if name not in ours}
        self._port = _find_free_port()
        self.environ = kept | {
            "DATABASE_URL": url,
            "PORT": str(self._port),
            "READBACK_MODEL_URL": model_url,
            "READBACK_SPOOL_DIR": str(folder / "spool"),
            "READBACK_WORKERS": "2",
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_CACHE_HOME": str(folder / "cache"),
        }
        self._process: Process | None = None
        self._client = requests.Session()
        self._client.trust_env = False
        self._log = open(folder / "log", "ab")  # noqa: SIM115

    def start(self) -> None:
        """Start the server and wait until it answers."""
        log = self._log.fileno()
        self._process = start_module(
            *("webapp", "serve"),
            environ=self.environ,
            forkable=self._forkable,
            stdout=log,
            stderr=log,
        )
        self.wait_for(lambda: self.get("/healthz") == 200, "an answer")

    def kill_worker(self) -> None:
        """Kill one of the workers, and wait for its successor."""
        assert self._process is not None
        parent = self._process.pid
        workers = find_children(parent)
        os.kill(workers[0], signal.SIGKILL)
        self.wait_for(lambda: len(set(find_children(parent)) - {workers[0]}) == 2, "a new worker")

    def kill(self) -> None:
        """Kill the parent, and wait until the workers have gone too."""
        assert self._process is not None
        workers = find_children(self._process.pid)
        self._process.kill()
        self._process.wait()
        self.wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "the end")

    def close(self) -> None:
        """Kill everything."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._log.close()

    def get(self, path: str) -> int:
        """Return the status of a page, 0 if there was no answer."""
        try:
            return self._client.get(self._address(path), timeout=PATIENCE).status_code
        except requests.RequestException:
            return 0

    def read_ids(self) -> set[str]:
        """Return the ids of all completions of the store."""
        ids: set[str] = set()
        after: dict[str, str] = {}
        while True:
            answer = self._client.get(
                self._address("/v1/chat/completions?limit=100"), params=after, timeout=PATIENCE
            )
            answer.raise_for_status()
            page = answer.json()
            ids.update(one["id"] for one in page["data"])
            if not page["has_more"]:
                return ids
            after = {"after": page["last_id"]}

    def create(self, *, is_stream: bool, report: Report, may_stop: bool = False) -> None:
        """Create a completion, and note whether its whole answer arrived and it is to be kept.

        If a process `may_stop` meanwhile, the server may say so in place of an answer.
        """
        asked = {"model": "m", "messages": [{"role": "user", "content": "Hi" * 500}], "store": True}
        try:
            # Not by the session: its connections end with their worker.
            answer = requests.post(
                self._address("/v1/chat/completions"),
                json=asked | {"stream": is_stream},
                timeout=PATIENCE,
            )
        except requests.RequestException:
            report.broken += 1
            return
        if may_stop and answer.status_code == 503 and STOPPED in answer.text:
            report.broken += 1
            return
        kept = answer.headers.get("x-readback-store", "in a stream" if is_stream else "unsaid")
        report.kept[kept] += 1
        if answer.status_code != 200 or kept == "dropped":
            report.problems.append(f"{answer.status_code} {kept} {answer.text[:100]}")
            return
        body = answer.text.partition("data: ")[2].partition("\n")[0] if is_stream else answer.text
        report.promised.append(json.loads(body)["id"])

    def run_import(self, path: Path) -> str:
        """Import a file and return all that the command says."""
        command = ("webapp", "import", str(path))
        with start_module(*command, environ=self.environ, forkable=self._forkable) as process:
            output, errors = process.communicate()
        return (output + errors).decode()

    def wait_for(self, is_done: Callable[[], bool], what: str) -> None:
        """Return when `is_done` does. Raise `TimeoutError` if that takes too long."""
        end = time.monotonic() + PATIENCE
        while not is_done():
            if time.monotonic() > end:
                log = (self.folder / "log").read_text(errors="replace")[-2000:]
                raise TimeoutError(f"the server did not bring {what} in time\n{log}")
            time.sleep(_POLL_SECONDS)

    def wait_for_empty_spool(self) -> None:
        """Return when everything that waited in the spool has been stored."""
        spool = self.folder / "spool"
        self.wait_for(lambda: not any(spool.rglob("*.exchange")), "an empty spool")

    def _address(self, path: str) -> str:
        return f"http://127.0.0.1:{self._port}{path}"


def go_through(outage: Outage, site: Site, *, creates: int, imports: int) -> Report:
    """Create, read and import in `outage`, kill a worker and the parent, and check afterwards.

    `creates` completions are created in each of five parts, among them those in which processes
    are killed. The file that is imported has `imports`; with 0, none is.
    """
    report = Report()

    def create_some(*, may_stop: bool = False) -> None:
        for at in range(creates):
            site.create(is_stream=at % 2 == 1, report=report, may_stop=may_stop)

    def look() -> None:
        status = site.get("/completions")
        report.pages[status] += 1
        if status not in _STATUSES or site.get("/healthz") != 200:
            report.problems.append(f"the list answered {status}, or /healthz did not answer")

    site.start()
    create_some()
    if outage.needs_restart:
        site.kill()
        outage.begin()
        site.start()
    else:
        outage.begin()
    look()
    with _meanwhile(partial(create_some, may_stop=True)):
        site.kill_worker()
    look()
    names = [f"import-{at}" for at in range(imports)]
    path = jsonl(site.folder / "import.jsonl", (completion(name, note=_NOTE) for name in names))
    if names and "To go on, repeat the command" not in (said := site.run_import(path)):
        report.problems.append(f"the import said: {said}")
    with _meanwhile(partial(create_some, may_stop=True)):
        site.kill()
    site.start()
    create_some()
    look()
    outage.end()
    ended = time.monotonic()
    site.wait_for_empty_spool()
    report.recovery = time.monotonic() - ended
    create_some()
    if names and "loaded." not in (said := site.run_import(path)):
        report.problems.append(f"the second import said: {said}")
    # A worker may have spooled once more, as one outage is remembered for some seconds.
    site.wait_for_empty_spool()
    site.wait_for(lambda: site.get("/completions") == 200, "the list")
    look()
    report.lost = sorted({*report.promised, *names} - site.read_ids())
    return report


@contextmanager
def _meanwhile(work: Callable[[], None]) -> Iterator[None]:
    """Run `work` in a thread of its own during the block and until it ends."""
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(work)
        yield
        future.result()


@contextmanager
def running_site(outage: Outage, folder: Path, forkable: Forkable | None = None) -> Iterator[Site]:
    """Yield a server that is not started yet, with a model that answers at once."""
    folder.mkdir()
    with _running_model() as model_url:
        site = Site(outage.url, folder, model_url, forkable)
        try:
            yield site
        finally:
            site.close()


_NUMBERS: Final = count()


class _Model(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = f"chatcmpl-{os.getpid()}-{next(_NUMBERS)}"
        if asked.get("stream"):
            body, kind = _stream(name), "text/event-stream"
        else:
            body, kind = json.dumps(completion(name)).encode(), "application/json"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


def _stream(name: str) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", "content": "Hello"}}
    chunks = [
        {"id": name, "object": "chat.completion.chunk", "created": 1, "model": "m"}
        | {"choices": [choice | {"finish_reason": reason}]}
        for reason in (None, "stop")
    ]
    lines = [*map(json.dumps, chunks), "[DONE]"]
    return "".join(f"data: {line}\n\n" for line in lines).encode()


@contextmanager
def _running_model() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


def _find_free_port() -> int:
    """Return a port outside the range that clients get."""
    ports = random.SystemRandom()
    while True:
        port = ports.randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
