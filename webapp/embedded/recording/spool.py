"""Keep recorded exchanges in a private folder while the store cannot take them.

Each exchange is one file, which is complete and on the disk before it has its name. Several
processes can share the folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Final

from webapp.database import Outage, find_outage
from webapp.embedded.recording.exchange import DamagedFile, Exchange
from webapp.folders import make_private_folder
from webapp.redaction import get_logger

log = get_logger("readback.embedded")

_SUFFIX: Final = ".exchange"
_REFUSED: Final = ".refused"
"""The suffix of files that the store will never take; they are kept for the operator."""
_TEMPORARY: Final = ".tmp"
_TEMPORARY_SECONDS: Final = 600
"""A temporary file of this age belongs to a process that was killed."""
_DROPPED: Final = "dropped"
"""A file with one byte for each exchange that was dropped, after the first byte."""
_OUTAGE_SECONDS: Final = 5.0
"""How long the store is not tried again after an outage: each attempt may wait for a time-out."""


class SpoolFault(Exception):
    """The disk of the spool fails, which says nothing about the store."""


@dataclass(frozen=True, slots=True)
class SpoolState:
    """How many exchanges wait, were refused by the store, and were dropped.

    `outage` is why the oldest of those that wait was not stored.
    """

    waiting: int = 0
    outage: Outage | None = None
    refused: int = 0
    dropped: int = 0


class Spool:
    """Exchanges in the files of `folder`, up to `max_bytes` in all.

    The folder is made when it is needed. No other user can read it.
    """

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self._folder = folder / "exchanges"
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._latest = 0
        self._outage = Outage.DOWN
        self._outage_ends = 0.0
        self._uncounted = 0
        self._settled: dict[Path, bool] = {}
        """Files that could not be removed since, and whether the store has taken them."""

    def prepare(self) -> None:
        """Make room for the count of dropped exchanges while the disk still has room.

        Without it they are counted in this process alone.
        """
        try:
            self._make_folder()
            self._count_drops()
        except OSError as error:
            log.warning("The spool %s cannot be used: %s.", self._folder, error.strerror or error)

    def begin_outage(self, outage: Outage) -> None:
        """Note that the store has just failed."""
        self._outage = outage
        self._outage_ends = time.monotonic() + _OUTAGE_SECONDS

    def end_outage(self) -> None:
        """Note that the store has just worked."""
        self._outage_ends = 0.0

    @property
    def current_outage(self) -> Outage | None:
        """The outage if the store has failed within the last seconds."""
        return self._outage if time.monotonic() < self._outage_ends else None

    def put(self, exchange: Exchange, outage: Outage) -> bool:
        """Keep `exchange`, which is then on the disk; return False and count it if that fails."""
        data = exchange.serialize()
        problem = None
        with self._lock:
            try:
                self._make_folder()
                used = self._measure()
                if used + len(data) > self._max_bytes:
                    raise OSError(
                        f"it holds {used:,} bytes, and READBACK_SPOOL_BYTES is {self._max_bytes:,}"
                    )
                self._write(data, outage)
            except OSError as error:
                problem = error.strerror or str(error)
                self._uncounted += 1
            if self._uncounted:
                with contextlib.suppress(OSError):
                    self._count_drops()
        if problem is None:
            log.warning(
                "A completion waits in the spool: %s (%s).", outage.sentence, exchange.request_id
            )
        else:
            log.error(
                "A completion was not stored: %s, and the spool %s cannot keep it: %s (%s).",
                outage.sentence,
                self._folder,
                problem,
                exchange.request_id,
            )
        return problem is None

    def drain(self, add: Callable[[Exchange], object]) -> bool:
        """Call `add` with each exchange, oldest first, and remove it; return False if busy.

        Ends with the error of `add` if that is an outage; an exchange with any other error is
        set aside, and with it those that amend its completion. Adding an exchange twice must do no
        harm: a process may end before it has removed a file. Does nothing and returns False if
        another process drains the spool. Raise `SpoolFault` if files cannot be read or removed,
        after those that can.
        """
        faults: list[OSError] = []
        with self._draining() as is_ours:
            if not is_ours:
                return False
            refused = set(map(_read_request_id, self._find_files(_REFUSED)))
            for path, data in self._read_waiting(faults):
                if path not in self._settled:
                    self._settled[path] = _settle(path, data, add, refused)
                with _note_faults(faults):
                    if self._settled[path]:
                        path.unlink()
                    else:
                        path.replace(path.with_suffix(_REFUSED))
                    del self._settled[path]
            oldest = time.time() - _TEMPORARY_SECONDS
            for leftover in self._find_files(_TEMPORARY):
                with _note_faults(faults):
                    if leftover.lstat().st_mtime < oldest:
                        leftover.unlink()
        if faults:
            raise SpoolFault(f"The spool {self._folder} fails: {faults[0].strerror}.")
        return True

    def _read_waiting(self, faults: list[OSError]) -> Iterator[tuple[Path, bytes]]:
        for path in self._find_files(_SUFFIX):
            with _note_faults(faults):
                yield path, _read(path)

    def forget(self, completion_id: str) -> None:
        """Delete the exchanges of a completion, those that the store refused among them."""
        for path in (*self._find_files(_SUFFIX), *self._find_files(_REFUSED)):
            with contextlib.suppress(FileNotFoundError, DamagedFile):
                answer = Exchange.parse(_read(path)).answer.json
                if answer is not None and answer.text("id") == completion_id:
                    path.unlink()

    @property
    def is_empty(self) -> bool:
        """Whether no exchange waits."""
        return not self._find_files(_SUFFIX)

    def read_state(self) -> SpoolState:
        """Read the counts of all processes."""
        waiting = self._find_files(_SUFFIX)
        outage = None
        if waiting:
            with contextlib.suppress(ValueError):
                outage = Outage(waiting[0].stem.rpartition("-")[2].replace("_", "-"))
        dropped = max(0, self._count_dropped_file() - 1) + self._uncounted
        return SpoolState(len(waiting), outage, len(self._find_files(_REFUSED)), dropped)

    def _make_folder(self) -> None:
        if not os.path.lexists(self._folder):
            make_private_folder(self._folder)
            _sync(self._folder.parent)
        if self._check_folder() != 0o700:
            self._folder.chmod(0o700)

    def _check_folder(self) -> int:
        """Check that the folder is our user's own, or raise `OSError`; return its mode."""
        found = self._folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise OSError("it is not a folder of the user that runs Readback")
        return stat.S_IMODE(found.st_mode)

    def _measure(self) -> int:
        total = 0
        with os.scandir(self._folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    total += entry.stat(follow_symlinks=False).st_size
        return total

    def _write(self, data: bytes, outage: Outage) -> None:
        # Files are read in the order of their names, also if the time of day is set back.
        self._latest = max(time.time_ns(), self._latest + 1)
        reason = outage.value.replace("-", "_")
        name = f"{self._latest:020d}-{os.getpid()}-{reason}"
        temporary = self._folder / f"{name}{_TEMPORARY}"
        try:
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW
            with open(os.open(temporary, flags, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(self._folder / f"{name}{_SUFFIX}")
            _sync(self._folder)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise

    def _count_drops(self) -> None:
        """Add the exchanges that only this process counts to those of all processes."""
        self._check_folder()
        flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOFOLLOW
        descriptor = os.open(self._folder / _DROPPED, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            is_new = not os.fstat(descriptor).st_size
            os.write(descriptor, b"." * (is_new + self._uncounted))
            self._uncounted = 0
        finally:
            os.close(descriptor)

    def _count_dropped_file(self) -> int:
        with contextlib.suppress(OSError):
            return (self._folder / _DROPPED).lstat().st_size
        return 0

    def _find_files(self, suffix: str) -> list[Path]:
        """Find the files with `suffix`, oldest first."""
        try:
            self._check_folder()
            names = os.listdir(self._folder)
        except OSError:
            return []
        return [self._folder / name for name in sorted(names) if name.endswith(suffix)]

    @contextlib.contextmanager
    def _draining(self) -> Iterator[bool]:
        """Yield whether this process alone may drain; the lock is on the folder itself."""
        try:
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except (FileNotFoundError, NotADirectoryError):
            yield True
            return
        except OSError as error:
            raise SpoolFault(f"The spool {self._folder} fails: {error.strerror}.") from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _note_faults(faults: list[OSError]) -> Iterator[None]:
    """Add an error of the disk to `faults`; that a file has gone is none."""
    try:
        yield
    except FileNotFoundError:
        pass
    except OSError as error:
        faults.append(error)


def _settle(
    path: Path, data: bytes, add: Callable[[Exchange], object], refused: set[str | None]
) -> bool:
    """Add the exchange of a file; return False if the store refuses it, now or what it amends."""
    try:
        exchange = Exchange.parse(data)
        if exchange.earlier is not None and exchange.request_id in refused:
            raise ValueError("it amends a completion that the store refused")
        add(exchange)
    except Exception as error:
        if not isinstance(error, DamagedFile) and find_outage(error):
            raise
        log.exception("The store refuses an exchange; it stays in the spool: %s", path)
        refused.add(_read_request_id(path))
        return False
    return True


def _read_request_id(path: Path) -> str | None:
    """Read the id of the request from the first line of a file, which may be damaged."""
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError), _open(path) as file:
        return str(json.loads(file.readline())["request_id"])
    return None


def _read(path: Path) -> bytes:
    with _open(path) as file:
        return file.read()


def _open(path: Path) -> BinaryIO:
    return open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
