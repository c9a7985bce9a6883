"""Run worker processes, replace those that end, and stop all of them on a signal."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import Final, NoReturn

from webapp.redaction import get_logger

log = get_logger("readback")

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
_SHORTEST_LIFE: Final = 2.0
"""Seconds before a worker is replaced that ended sooner; one that cannot start would otherwise
be started without end."""
_KILL_SECONDS: Final = 2.0
"""Seconds that workers get beyond their own time to stop."""


class Workers:
    """A process for each of `works`, which must return or end when it gets SIGTERM."""

    def __init__(self, works: Sequence[Callable[[], None]]) -> None:
        self._started: dict[int, tuple[float, Callable[[], None]]] = {}
        self._due = [(0.0, work) for work in works]
        self._is_stopping = False
        # The other end wakes `select` when a signal arrives.
        self._wakes, self._woken = socket.socketpair()

    def run(self, *, stop_seconds: float) -> None:
        """Run until SIGTERM or Ctrl+C, then let the workers stop within `stop_seconds`."""
        for end in (self._wakes, self._woken):
            end.setblocking(False)
        with self._wakes, self._woken:
            signal.set_wakeup_fd(self._woken.fileno(), warn_on_full_buffer=False)
            for number in _SIGNALS:
                signal.signal(number, self._note)
            self._replace_until_stopped()
            self._stop(stop_seconds)
            signal.set_wakeup_fd(-1)

    def _replace_until_stopped(self) -> None:
        while not self._is_stopping:
            now = time.monotonic()
            due = [work for at, work in self._due if at <= now]
            self._due = [(at, work) for at, work in self._due if at > now]
            for work in due:
                self._started[self._fork(work)] = (time.monotonic(), work)
            soonest = min((at for at, _ in self._due), default=None)
            self._wait(None if soonest is None else soonest - time.monotonic())
            self._reap()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._is_stopping = self._is_stopping or number != signal.SIGCHLD

    def _fork(self, work: Callable[[], None]) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        # A signal between the fork and the worker's own handlers would be noted there in vain.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pid = os.fork()
        if pid == 0:
            self._run_worker(work)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        return pid

    def _run_worker(self, work: Callable[[], None]) -> NoReturn:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            # Ctrl+C reaches all processes of a terminal; the parent stops the workers.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            work()
            status = 0
        except Exception:
            log.exception("a worker failed")
        finally:
            logging.shutdown()
            with suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def _wait(self, seconds: float | None) -> None:
        timeout = None if seconds is None else max(0.0, seconds)
        select.select([self._wakes], [], [], timeout)
        with suppress(BlockingIOError):
            while self._wakes.recv(1024):
                pass

    def _reap(self) -> None:
        """Note which workers have ended, and when each is to be replaced."""
        for pid, (started, work) in list(self._started.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._started[pid]
                if not self._is_stopping:
                    code = os.waitstatus_to_exitcode(status)
                    reason = f"signal {-code}" if code < 0 else f"status {code}"
                    log.error("a worker ended: %s", reason)
                    now = time.monotonic()
                    is_early = now - started < _SHORTEST_LIFE
                    self._due.append((now + _SHORTEST_LIFE if is_early else now, work))

    def _stop(self, seconds: float) -> None:
        self._signal_all(signal.SIGTERM)
        end = time.monotonic() + seconds + _KILL_SECONDS
        while self._started and time.monotonic() < end:
            self._wait(end - time.monotonic())
            self._reap()
        self._signal_all(signal.SIGKILL)
        for pid in self._started:
            os.waitpid(pid, 0)

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in self._started:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
