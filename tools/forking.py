"""Start `readback` and other modules as forks of a process that has imported all of Readback.

To import it costs more than most processes do. A fork is a process like any other: with its own
session, environment, standard streams, signals and exit status.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from types import TracebackType
from typing import IO, Final, TypeAlias

from tools.paths import ROOT

_MAX_BYTES: Final = 128 * 1024


class Forked:
    """A module that runs; it can be used as a `subprocess.Popen` of it."""

    def __init__(
        self, control: socket.socket, run: bytes, *, stdin: int, stdout: int, stderr: int
    ) -> None:
        """Start it by sending `run` to `control`; the streams are as those of `Popen`."""
        self.stdin, ours = _open_stream(stdin, is_input=True)
        self.stdout, out = _open_stream(stdout)
        self.stderr, err = _open_stream(stderr)
        self.returncode: int | None = None
        self._life, told = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with told:
            socket.send_fds(control, [run], [ours, out, err, told.fileno()])
        for given, sent in ((stdin, ours), (stdout, out), (stderr, err)):
            if given != sent:
                os.close(sent)
        self.pid = int(self._life.recv(64))

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status. Raises `TimeoutExpired` if it runs longer than `timeout`."""
        if self.returncode is None:
            self._life.settimeout(timeout)
            try:
                status = self._life.recv(64)
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0) from None
            self.returncode = os.waitstatus_to_exitcode(int(status))
            self._life.close()
        return self.returncode

    def communicate(
        self, input: bytes | None = None, timeout: float | None = None
    ) -> tuple[bytes, bytes]:
        """Write `input`, read all that is written, close the streams, and wait for the end."""
        said: dict[str, bytes] = {}

        def read(name: str, stream: IO[bytes]) -> None:
            with stream:
                said[name] = stream.read()

        readers = [
            Thread(target=read, args=(name, stream), daemon=True)
            for name, stream in (("output", self.stdout), ("errors", self.stderr))
            if stream is not None
        ]
        for reader in readers:
            reader.start()
        if self.stdin is not None:
            with suppress(BrokenPipeError):
                self.stdin.write(input or b"")
            with suppress(BrokenPipeError):
                self.stdin.close()
        for reader in readers:
            reader.join(timeout)
            if reader.is_alive():
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        self.wait(timeout)
        return said.get("output", b""), said.get("errors", b"")

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Forked:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the streams and wait for the end."""
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                stream.close()
        self.wait()


Process: TypeAlias = subprocess.Popen[bytes] | Forked


@dataclass(frozen=True)
class Forkable:
    """The process that forks."""

    control: socket.socket

    def start(
        self,
        module: str,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        *,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
    ) -> Forked:
        """Run `python -m module arguments` in a session of its own, in the project's folder."""
        run = json.dumps([module, [*arguments], dict(environ)]).encode()
        return Forked(self.control, run, stdin=stdin, stdout=stdout, stderr=stderr)


def start_module(
    module: str,
    *arguments: str,
    environ: Mapping[str, str],
    forkable: Forkable | None,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
) -> Process:
    """Run `python -m module arguments` as a fork, or without `forkable` in a new interpreter."""
    if forkable is not None:
        return forkable.start(module, arguments, environ, stdout=stdout, stderr=stderr)
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


@contextmanager
def running_forkable() -> Iterator[Forkable]:
    """Run a process that has imported all of Readback; it ends with its last fork.

    Warnings are errors there, as in the tests themselves.
    """
    control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with control:
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", __name__, str(theirs.fileno())],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        yield Forkable(control)
    process.wait()


def _open_stream(wanted: int, *, is_input: bool = False) -> tuple[IO[bytes] | None, int]:
    """Return our end of a pipe, if one is wanted, and the descriptor of the command."""
    if wanted == subprocess.DEVNULL:
        return None, os.open(os.devnull, os.O_RDWR)
    if wanted != subprocess.PIPE:
        return None, wanted
    read, write = os.pipe()
    if is_input:
        return open(write, "wb"), read
    return open(read, "rb"), write


def _fork_on_demand(control: socket.socket) -> tuple[str, list[str]] | None:
    """Return in a new fork, with its module and arguments; None at the end of `control`.

    The parent of each fork does nothing but wait for its status.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        run, files, _, _ = socket.recv_fds(control, _MAX_BYTES, 4)
        if not run:
            return None
        if os.fork() == 0:
            break
        for file in files:
            os.close(file)
    control.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, told = files
    child = os.fork()
    if child:
        for stream in streams:
            os.close(stream)
        _, status = os.waitpid(child, 0)
        with suppress(OSError):
            os.write(told, str(status).encode())
        os._exit(0)
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.write(told, str(os.getpid()).encode())
    os.close(told)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # It is ignored if the tests were started by `nohup`.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    module, arguments, environ = json.loads(run)
    os.environ.clear()
    os.environ.update(environ)
    # The folder that the environment names is kept from the first use on.
    tempfile.tempdir = None
    time.tzset()
    return module, arguments


def _main(control: socket.socket) -> None:
    import webapp.app  # what `serve` needs, and with it most other modules
    from webapp.cli import build_parser, running
    from webapp.redaction import mask
    from webapp.templating.compiled import compile_all

    assert running
    build_parser()
    compile_all(webapp.app.open_templates().jinja_env)
    # The name of a service, whose pattern is compiled on first use.
    mask("openai")
    gc.freeze()
    run = _fork_on_demand(control)
    if run is not None:
        module, sys.argv[1:] = run
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as control:
        _main(control)
