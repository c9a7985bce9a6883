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
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, Final

from webapp.database import Outage, find_outage
from webapp.embedded.documents.from_exchange import RecordedAnswer
from webapp.exact_json import NotJson, Object, parse
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


@dataclass(frozen=True, slots=True)
class Exchange:
    """A create request and its answer, and all else that the completion to store depends on.

    `earlier` is the answer of the completion to amend, None if a new one is to be stored.
    """

    request: Object
    answer: RecordedAnswer
    request_id: str
    now: int
    earlier: RecordedAnswer | None = None

    def serialize(self) -> bytes:
        """Write a line with the lengths of the request and the answers, then these as sent."""
        request = self.request.source.encode()
        head, answer = _serialize_answer(self.answer)
        head |= {
            "request_bytes": len(request),
            "request_id": self.request_id,
            "now": self.now,
        }
        earlier = b""
        if self.earlier is not None:
            head["earlier"], earlier = _serialize_answer(self.earlier)
        return b"%b\n%b%b%b" % (json.dumps(head).encode(), request, answer, earlier)

    @classmethod
    def parse(cls, data: bytes) -> Exchange:
        """Parse a result of `serialize`. Raise `DamagedFile` if `data` is not that."""
        try:
            line, _, rest = data.partition(b"\n")
            head = json.loads(line)
            heads = [head, head["earlier"]] if "earlier" in head else [head]
            lengths = [head["request_bytes"], *(one["answer_bytes"] for one in heads)]
            if len(rest) != sum(lengths):
                raise DamagedFile("it is cut off")
            ends = list(accumulate(lengths))
            texts = [rest[end - length : end] for length, end in zip(lengths, ends, strict=True)]
            answers = [
                RecordedAnswer(
                    _parse_object(written) if written else None,
                    one["problem"],
                    one["received"],
                    one.get("timing"),
                )
                for one, written in zip(heads, texts[1:], strict=True)
            ]
            return cls(
                _parse_object(texts[0]),
                answers[0],
                head["request_id"],
                head["now"],
                answers[1] if len(answers) > 1 else None,
            )
        except (ValueError, LookupError, TypeError, NotJson) as error:
            raise DamagedFile(str(error)) from error


class DamagedFile(ValueError):
    """A file of the spool is not as it was written."""


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

    def prepare(self) -> None:
        """Make room for the count of dropped exchanges while the disk still has room.

        Without it they are counted in this process alone.
        """
        try:
            self._make_folder()
            if not self._count_dropped_file():
                self._count_drop()
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
        try:
            with self._lock:
                self._make_folder()
                used = self._measure()
                if used + len(data) > self._max_bytes:
                    raise OSError(
                        f"it holds {used:,} bytes, and READBACK_SPOOL_BYTES is {self._max_bytes:,}"
                    )
                self._write(data, outage)
        except OSError as error:
            self._count_drop()
            log.error(
                "A completion was not stored: %s, and the spool %s cannot keep it: %s (%s).",
                outage.sentence,
                self._folder,
                error.strerror or str(error),
                exchange.request_id,
            )
            return False
        log.warning(
            "A completion waits in the spool: %s (%s).", outage.sentence, exchange.request_id
        )
        return True

    def drain(self, add: Callable[[Exchange], object]) -> bool:
        """Call `add` with each exchange, oldest first, and remove it; return False if busy.

        Ends with the error of `add` if that is an outage; an exchange with any other error is
        set aside, and with it those that amend its completion. Adding an exchange twice must do no
        harm: a process may end before it has removed a file. Does nothing and returns False if
        another process drains the spool.
        """
        with self._draining() as is_ours:
            if not is_ours:
                return False
            refused = set(map(_read_request_id, self._find_files(_REFUSED)))
            for path in self._find_files(_SUFFIX):
                try:
                    exchange = Exchange.parse(_read(path))
                    if exchange.earlier is not None and exchange.request_id in refused:
                        raise ValueError("it amends a completion that the store refused")
                    add(exchange)
                except FileNotFoundError:
                    continue
                except Exception as error:
                    if not isinstance(error, DamagedFile) and find_outage(error):
                        raise
                    log.exception("The store refuses an exchange; it stays in the spool: %s", path)
                    refused.add(_read_request_id(path))
                    path.replace(path.with_suffix(_REFUSED))
                else:
                    path.unlink(missing_ok=True)
            oldest = time.time() - _TEMPORARY_SECONDS
            for leftover in self._find_files(_TEMPORARY):
                with contextlib.suppress(FileNotFoundError):
                    if leftover.lstat().st_mtime < oldest:
                        leftover.unlink()
        return True

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
        if not self._folder.is_dir():
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

    def _count_drop(self) -> None:
        try:
            self._check_folder()
            flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOFOLLOW
            descriptor = os.open(self._folder / _DROPPED, flags, 0o600)
            try:
                os.write(descriptor, b".")
            finally:
                os.close(descriptor)
        except OSError:
            self._uncounted += 1

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
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)


def _serialize_answer(answer: RecordedAnswer) -> tuple[dict[str, Any], bytes]:
    """Serialize an answer as what is known of it and the bytes of its JSON."""
    written = answer.json.source.encode() if answer.json is not None else b""
    head = {
        "answer_bytes": len(written),
        "problem": answer.problem,
        "received": answer.received,
        "timing": answer.timing,
    }
    return head, written


def _parse_object(data: bytes) -> Object:
    value = parse(data.decode())
    if not isinstance(value, Object):
        raise DamagedFile("it is not a JSON object")
    return value


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
