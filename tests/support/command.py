"""The `readback` command as a process of its own, as a user runs it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import ROOT

_OURS = ("OPENAI_", "AZURE_OPENAI_", "READBACK_", "DATABASE_URL", "HOST", "PORT")


@dataclass(frozen=True)
class Ended:
    """How a process ended and what it wrote."""

    status: int
    output: str
    errors: str


def _interruptible() -> None:
    """Ctrl+C works as on a terminal, also where whoever runs the tests ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass(frozen=True)
class Readback:
    """Runs `readback` on the store in `folder`, with `settings` in the environment."""

    folder: Path
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.folder / 'store.db'}"

    def __call__(self, *arguments: str | Path, input: str = "") -> Ended:
        process = self.start(*arguments)
        output, errors = process.communicate(input.encode())
        return Ended(process.returncode, output.decode(), errors.decode())

    def start(
        self,
        *arguments: str | Path,
        input: int = subprocess.PIPE,
        errors: int = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:

        return subprocess.Popen(
            [sys.executable, "-m", "webapp.cli", *map(str, arguments)],
            cwd=ROOT,
            env=self._environ(),
            stdin=input,
            stdout=subprocess.PIPE,
            stderr=errors,
            preexec_fn=_interruptible,
        )

    def _environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        return kept | {"DATABASE_URL": self.database_url} | dict(self.settings)


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal: what a user sees is read from the first."""
    shown, device = pty.openpty()
    try:
        yield shown, device
    finally:
        os.close(shown)
        os.close(device)


def read_until(shown: int, text: str) -> str:
    """What a terminal shows, up to and with `text`."""
    seen = b""
    while text.encode() not in seen:
        seen += os.read(shown, 4096)
    return seen.decode()
