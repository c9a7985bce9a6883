"""Several Readbacks behind one nginx, on one PostgreSQL and one Redis, under load and failures.

Readers and writers go on while a node is killed and the database is restarted. A write that was
acknowledged must be there in the end, a page must be that of its completion, and nothing may fail
but while something is down.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any, Final

import requests

from tools.forking import Forkable, Process, start_module
from tools.memory import find_children, read_held
from tools.paths import ROOT
from tools.postgres import PostgresServer

PATIENCE: Final = 120.0
_POLL_SECONDS: Final = 0.05
HOST: Final = "127.0.0.1"


class _EchoModel(BaseHTTPRequestHandler):
    """A model server that answers with the words of the last message.

    Nodes are killed in the middle of a request.
    """

    protocol_version = "HTTP/1.1"
    numbers: Final = count(1)

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        if len(sent) < int(self.headers["Content-Length"]):
            self.close_connection = True
            return
        request = json.loads(sent)
        said = request["messages"][-1]["content"]
        message = {"role": "assistant", "content": f"You said {said}.", "refusal": None}
        body = json.dumps(
            {
                "id": f"chatcmpl-echo{next(self.numbers)}",
                "object": "chat.completion",
                "created": 1_700_000_000 + next(self.numbers),
                "model": "echo",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Write no line for each request."""


@contextmanager
def running_echo_model() -> Iterator[str]:
    """Yield the base URL of a model server on loopback."""
    server = ThreadingHTTPServer((HOST, 0), _EchoModel)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://{HOST}:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


def open_client() -> requests.Session:
    client = requests.Session()
    client.trust_env = False
    client.verify = False
    return client


class Node:
    """One `readback serve`; its data, caches and spool are in `folder`.

    It is forked from `forkable` if there is one.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        settings: Mapping[str, str],
        forkable: Forkable | None = None,
    ) -> None:
        self.port: Final = port
        self._forkable = forkable
        self._folder = folder
        self._settings = settings
        self._process: Process | None = None

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        environ = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "XDG_DATA_HOME": f"{self._folder}/data",
            "XDG_CACHE_HOME": f"{self._folder}/cache",
            "HOST": HOST,
            "PORT": str(self.port),
            **self._settings,
        }
        self._folder.mkdir(exist_ok=True)
        with open(self._folder / "log", "ab") as log:
            self._process = start_module(
                *("webapp", "serve"),
                environ=environ,
                forkable=self._forkable,
                stdout=log.fileno(),
                stderr=log.fileno(),
            )
        wait_for(self.is_ready)

    def is_ready(self) -> bool:
        assert self._process is None or self._process.poll() is None, self.read_log()
        with suppress(requests.RequestException):
            return open_client().get(f"{self.address}/readyz", timeout=PATIENCE).ok
        return False

    def read_log(self) -> str:
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")

    def read_memory(self) -> int:
        """Return the bytes that its processes hold."""
        assert self._process is not None
        pids = (self._process.pid, *find_children(self._process.pid))
        return sum(read_held(pid) for pid in pids)

    def kill(self) -> None:
        """Kill all of its processes at once, as a power cut does."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def wait_for(is_so: Callable[[], bool]) -> None:
    """Return once `is_so`."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, "it did not come"
        # A node that starts needs the processor more than the question whether it has.
        time.sleep(_POLL_SECONDS)


@contextmanager
def running_proxy(nginx: str, folder: Path, ports: Iterable[int]) -> Iterator[str]:
    """Run nginx with the example configuration before nodes at `ports`; yield its address."""
    folder.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", "/CN=127.0.0.1", "-keyout", str(folder / "key.pem")]
        + ["-out", str(folder / "certificate.pem")],
        check=True,
        capture_output=True,
    )
    servers = "\n".join(f"    server {HOST}:{port} max_fails=2 fail_timeout=1s;" for port in ports)
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(512)
        port = listener.getsockname()[1]
        text = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
        for old, new in (
            ("    server readback:8000 max_fails=2 fail_timeout=5s;", servers),
            ("listen 443 ssl;", f"listen {HOST}:{port} ssl;"),
            ("listen [::]:443 ssl;", ""),
            ("/etc/nginx/certificate.pem", f"{folder}/certificate.pem"),
            ("/etc/nginx/certificate-key.pem", f"{folder}/key.pem"),
            ("/run/nginx.pid", f"{folder}/pid"),
            ("/dev/stdout", f"{folder}/access.log"),
            ("/dev/stderr", f"{folder}/error.log"),
            ("http {", f"http {{\n  client_body_temp_path {folder}/body;"),
            ("worker_processes auto;", "worker_processes 1;\ndaemon off;"),
        ):
            assert old in text, old
            text = text.replace(old, new, 1)
        if os.getuid() == 0:
            text = f"user root;\n{text}"
        (folder / "nginx.conf").write_text(text, encoding="utf-8")
        process = subprocess.Popen(
            [nginx, "-c", folder / "nginx.conf", "-e", folder / "error.log", "-p", folder],
            env={**os.environ, "NGINX": f"{listener.fileno()};"},
            pass_fds=[listener.fileno()],
        )
    try:
        yield f"https://{HOST}:{port}"
    finally:
        process.terminate()
        process.wait()


@dataclass
class Load:
    """Readers and writers against `address`, each a thread with a client of its own.

    While `is_calm` nothing may fail. `cookies` are those of a reader who is logged in.
    """

    address: str
    api_key: str
    cookies: Mapping[str, str]
    written: dict[str, str] = field(default_factory=dict)
    spooled: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    pages: int = 0
    failures: int = 0
    _is_stopped: bool = False
    _disturbances: int = 0
    _lock: threading.Condition = field(default_factory=threading.Condition)
    _done: dict[int, int] = field(default_factory=dict)

    @contextmanager
    def running(self, *, readers: int, writers: int) -> Iterator[None]:
        works = [self._read] * readers + [self._write] * writers
        threads = [
            threading.Thread(target=self._repeat, args=(number, work))
            for number, work in enumerate(works)
        ]
        self._done = dict.fromkeys(range(len(threads)), 0)
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._is_stopped = True
            for thread in threads:
                thread.join()

    @contextmanager
    def disturbance(self) -> Iterator[None]:
        """Allow failures within, and of the requests that were begun within."""
        with self._lock:
            self._disturbances += 1
        yield
        self.wait_for_rounds(2)
        with self._lock:
            self._disturbances += 1

    def wait_for_rounds(self, rounds: int) -> None:
        """Return after every thread has ended so many further requests."""
        with self._lock:
            wanted = {number: done + rounds for number, done in self._done.items()}
            came = self._lock.wait_for(
                lambda: all(self._done[number] >= wanted[number] for number in wanted), PATIENCE
            )
            assert came, "a client got no answer"

    def _repeat(self, number: int, work: Callable[[requests.Session, int], str | None]) -> None:
        client = open_client()
        client.cookies.update(dict(self.cookies))
        while not self._is_stopped:
            with self._lock:
                before = self._disturbances
            try:
                problem = work(client, number)
            except requests.RequestException as error:
                problem = f"no answer: {type(error).__name__}"
            with self._lock:
                is_calm = before == self._disturbances and before % 2 == 0
                self.failures += problem is not None
                if problem is not None and (is_calm or problem.startswith("wrong")):
                    self.problems.append(problem)
                self._done[number] += 1
                self._lock.notify_all()

    def _write(self, client: requests.Session, number: int) -> str | None:
        words = f"word-{number}-{self._done[number]}"
        answer = client.post(
            f"{self.address}/v1/chat/completions",
            headers={"Authorization": f"Bearer {self.api_key}"},
            json={
                "model": "echo",
                "store": True,
                "messages": [{"role": "user", "content": words}],
            },
            timeout=PATIENCE,
        )
        if answer.status_code != 200:
            return f"create: {answer.status_code}"
        kept = answer.headers["x-readback-store"]
        if kept not in ("stored", "spooled"):
            return f"create: {kept}"
        with self._lock:
            # What waits in a spool is acknowledged as well, but cannot be read yet.
            found = self.written if kept == "stored" else self.spooled
            found[answer.json()["id"]] = words
        return None

    def _read(self, client: requests.Session, number: int) -> str | None:
        with self._lock:
            known = list(self.written.items())
        if not known or self._done[number] % 4 == 0:
            answer = client.get(f"{self.address}/completions", timeout=PATIENCE)
            return None if answer.status_code == 200 else f"list: {answer.status_code}"
        completion_id, words = known[(self._done[number] * 7) % len(known)]
        answer = client.get(f"{self.address}/completions/{completion_id}", timeout=PATIENCE)
        if answer.status_code != 200:
            return f"page: {answer.status_code}"
        if f"You said {words}." not in answer.text:
            return f"wrong page for {completion_id}"
        with self._lock:
            self.pages += 1
        return None


def find_missing(node: Node, api_key: str, written: Mapping[str, str]) -> list[str]:
    """Return the ids that a node does not list, or lists with other words."""
    client = open_client()
    client.headers["Authorization"] = f"Bearer {api_key}"
    found: dict[str, str] = {}
    address, query = f"{node.address}/v1/chat/completions", {"limit": "100"}
    while True:
        answer = client.get(address, params=query, timeout=PATIENCE)
        if answer.status_code != 200:
            break
        page: dict[str, Any] = answer.json()
        found |= {one["id"]: one["choices"][0]["message"]["content"] for one in page["data"]}
        if not page["has_more"]:
            break
        query["after"] = page["last_id"]
    return [one for one, words in written.items() if found.get(one) != f"You said {words}."]


def go_through_failures(load: Load, nodes: list[Node], postgres: PostgresServer) -> None:
    """Kill the first node, restart the database, then start the node again, under load."""
    load.wait_for_rounds(5)
    with load.disturbance():
        nodes[0].kill()
    load.wait_for_rounds(5)
    with load.disturbance():
        postgres.stop()
        load.wait_for_rounds(1)
        postgres.start()
        wait_for(nodes[1].is_ready)
        load.wait_for_rounds(3)
    load.wait_for_rounds(5)
    nodes[0].start()
    load.wait_for_rounds(5)


def find_nginx() -> str | None:
    return (
        os.environ.get("READBACK_NGINX")
        or shutil.which("nginx")
        or shutil.which("nginx", path="/usr/sbin")
    )
