"""`readback serve` and other commands as processes of their own, and a client that reads from one.

Knows when a server stands, and when the last of its processes has ended.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from tests.support.paths import ROOT
from webapp.config import SETTINGS

PATIENCE: Final = 30
"""Seconds after which a process that should have spoken or ended is taken for stuck."""


@dataclass(frozen=True)
class Served:
    """A `readback serve` that has said where it is; `said` are its lines until then."""

    process: subprocess.Popen[str]
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

    def stop(self) -> tuple[int, str]:
        """What `ended` gives, after SIGTERM."""
        self.process.terminate()
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """The exit status and what was said in the end, once the last process has gone.

        The workers hold the pipes too, so these stay open as long as one of them lives.
        """
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out + err


@contextmanager
def serving(environ: Mapping[str, str], **settings: str) -> Iterator[Served]:
    """A server with these settings, on a free port unless they name one; ended afterwards."""
    settings = {"PORT": str(free_port())} | settings
    with _started({**environ, **settings}, "serve") as process, _patient_client() as client:
        yield Served(process, _until_it_stands(process), int(settings["PORT"]), client)


def run(environ: Mapping[str, str], *arguments: str) -> tuple[int, str, str]:
    """The exit status, the output and the error output of a command."""
    with _started(environ, *arguments) as process:
        out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def environ_without_settings(folder: Path) -> dict[str, str]:
    """The environment of a user who has set nothing; data and caches go into `folder`."""
    ours = {setting.name for setting in SETTINGS}
    ours |= {f"{name}_FILE" for name in ours}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    folders = {"XDG_DATA_HOME": folder / "data", "XDG_CACHE_HOME": folder / "cache"}
    return kept | {name: str(path) for name, path in folders.items()}


def free_port() -> int:
    """A port that nobody is given by chance: none of those that port 0 and clients get."""
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def _started(environ: Mapping[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command in a process group of its own, as a shell starts it; nothing of it is left."""
    process = subprocess.Popen(
        [sys.executable, "-m", "webapp.cli", *arguments],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _until_it_stands(process: subprocess.Popen[str]) -> list[str]:
    """The lines up to the one that says how to stop it."""
    assert process.stdout is not None and process.stderr is not None
    said: list[str] = []
    while not (said and "Ctrl+C" in said[-1]):
        line = process.stdout.readline()
        assert line, f"it ended after {said}: {process.stderr.read()}"
        said.append(line.rstrip("\n"))
    return said


def _patient_client() -> requests.Session:
    """A client that tries again while nobody listens yet."""
    client = requests.Session()
    client.trust_env = False
    tries = Retry(None, connect=400, read=0, status=0, backoff_factor=0.02, backoff_max=0.05)
    client.mount("http://", HTTPAdapter(max_retries=tries))
    return client
