"""Run the `readback` command as a process of its own: to its end, or as a server."""

from __future__ import annotations

import os
import pty
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from tools.forking import Forkable, Process
from tools.paths import ROOT
from webapp.config import SETTINGS

PATIENCE: Final = 120
"""Seconds after which a process that should have written something or ended counts as stuck."""


@dataclass(frozen=True)
class Ended:
    """How a process ended and what it wrote."""

    status: int
    output: str = ""
    errors: str = ""


@dataclass(frozen=True)
class Readback:
    """The command of a user whose environment is `environ`; call it to run it to its end.

    It is forked from `forkable` if there is one; else `program` is started, by default from its
    source, in `folder`.
    """

    environ: Mapping[str, str]
    forkable: Forkable | None = None
    program: tuple[str | Path, ...] = (sys.executable, "-m", "webapp")
    folder: Path = ROOT

    @classmethod
    def of_user(
        cls, folder: Path, *, forkable: Forkable | None = None, **settings: str
    ) -> Readback:
        """Return the command of a user who has set only `settings`.

        Data and caches go into `folder`.
        """
        ours = {setting.name for setting in SETTINGS}
        ours |= {f"{name}_FILE" for name in ours}
        kept = {name: value for name, value in os.environ.items() if name not in ours}
        folders = {"XDG_DATA_HOME": str(folder / "data"), "XDG_CACHE_HOME": str(folder / "cache")}
        return cls(kept | folders | settings, forkable)

    def with_settings(self, **settings: str) -> Readback:
        return replace(self, environ={**self.environ, **settings})

    def __call__(self, *arguments: str | Path, input: str = "") -> Ended:
        with self.start(*arguments) as process:
            return _wait(process, input.encode())

    @contextmanager
    def start(
        self,
        *arguments: str | Path,
        stdin: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
    ) -> Iterator[Process]:
        """Start the command in a process group of its own, as a shell does.

        The whole group is killed at the end.
        """
        words = [*map(str, arguments)]
        process: Process
        if self.forkable is not None:
            process = self.forkable.start("webapp", words, self.environ, stdin=stdin, stderr=stderr)
        else:
            process = subprocess.Popen(
                [*self.program, *words],
                cwd=self.folder,
                env=self.environ,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
                preexec_fn=_take_interrupts,
            )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
            process.wait()

    @contextmanager
    def serve(self, **settings: str) -> Iterator[Served]:
        """Start a server with these settings too, on a free port unless they name one."""
        settings = {"PORT": str(find_free_port())} | settings
        started = self.with_settings(**settings).start("serve", stdin=subprocess.DEVNULL)
        with started as process, _open_patient_client() as client:
            lines = _read_until_ready(process)
            yield Served(process, lines, int(settings["PORT"]), client)


@dataclass(frozen=True)
class Served:
    """A `readback serve` that has printed its address; `said` are its lines until then."""

    process: Process
    said: list[str]
    port: int
    client: requests.Session

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path: str) -> requests.Response:
        return self.client.get(self.url(path), timeout=PATIENCE)

    def completion_ids(self) -> list[str]:
        listed = self.get("/v1/chat/completions?limit=100").json()
        return [completion["id"] for completion in listed["data"]]

    def stop(self) -> Ended:
        """Send SIGTERM, then wait for the end."""
        self.process.terminate()
        return self.wait()

    def wait(self) -> Ended:
        """Return the output after the start, once the last process has ended.

        The workers hold the pipes too, so these stay open as long as one of them lives.
        """
        return _wait(self.process)


def find_free_port() -> int:
    """Return a port outside the range that port 0 and clients get."""
    ports = random.SystemRandom()
    while True:
        port = ports.randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def open_terminal() -> Iterator[tuple[int, int]]:
    """Open both ends of a terminal: the first reads what a user sees, the second is the device."""
    shown, device = pty.openpty()
    try:
        yield shown, device
    finally:
        os.close(shown)
        os.close(device)


def read_until(shown: int, text: str) -> str:
    """Return what a terminal shows, up to and including `text`."""
    seen = b""
    while text.encode() not in seen:
        seen += os.read(shown, 4096)
    return seen.decode()


def _take_interrupts() -> None:
    """Let Ctrl+C, and a terminal that closes, end a command also if the tests ignore them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _wait(process: Process, input: bytes | None = None) -> Ended:
    output, errors = process.communicate(input, timeout=PATIENCE)
    return Ended(process.wait(), output.decode(), (errors or b"").decode())


def _read_until_ready(process: Process) -> list[str]:
    """Return the lines up to the one that says how to stop the server."""
    assert process.stdout is not None and process.stderr is not None
    said: list[str] = []
    while not (said and "Ctrl+C" in said[-1]):
        line = process.stdout.readline().decode()
        assert line, f"it ended after {said}: {process.stderr.read().decode()}"
        said.append(line.rstrip("\n"))
    return said


def _open_patient_client() -> requests.Session:
    """Return a client that tries again while nobody listens yet."""
    client = requests.Session()
    client.trust_env = False
    tries = Retry(None, connect=1000, read=0, status=0, backoff_factor=0.02, backoff_max=0.05)
    client.mount("http://", HTTPAdapter(max_retries=tries))
    return client
