"""Make folders that only their owner can read, and keep bounded caches in them."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Final, TypeVar

from webapp.monitoring.metrics import count_cache_read

T = TypeVar("T")

_NAME: Final = re.compile(r"[0-9a-f]{32}")
_FOLDER: Final = re.compile(r"[0-9a-f]{12}")
"""The names that folders of a cache have, one a server."""
_HASH: Final = 16
"""The length of the hash of an owner, which the names of files begin with."""
_TICK: Final = 10**9
"""Nanoseconds; no usual file system has coarser times."""
_SHARE: Final = 64
"""A process may write this part of the free space before it looks at the whole folder again."""
_SWEEP_SECONDS: Final = 1
"""After this time it looks again anyway, since other processes write too."""


def make_private_folder(folder: Path) -> None:
    """Make `folder` and each missing folder on the way to it, for its owner alone.

    Folders that exist keep their modes. Raises `OSError`. `Path.mkdir` with `parents=True` gives
    its mode to the last folder only.
    """
    if folder.is_dir():
        return
    make_private_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


class FolderCache:
    """Keeps at most `max_bytes` in `folder`, shared by processes, each file for `max_age` seconds.

    A file belongs to an owner, an id that can be any text, and has a name of 32 hexadecimal
    digits. Keeps nothing if `max_bytes` is 0. Each further process that writes can add a 64th of
    `max_bytes` for a moment. `now` returns the time in unix seconds.

    The modification time of a file is when it was last kept, its access time when it was last
    used. Old files are deleted, and the least recently used first if space is short.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int,
        max_age: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        self.max_age = max_age
        self._now = now
        self._unchecked = 0
        self._next_sweep = 0.0
        self._owners: tuple[int, frozenset[str]] | None = None
        """The hashes of all owners, and the time of the folder's last change before."""

    def keep(self, owner: str, name: str, pieces: Iterable[bytes], size: int) -> None:
        """Keep the bytes of all `pieces`, `size` in number, if they fit.

        A failing disk is not an error: a cache may lose anything.
        """
        if size > self._max_item:
            return
        prefix = _hash_id(owner)
        with suppress(OSError):
            if not self._renew(self.folder / f"{prefix}-{name}", size):
                self._write(prefix, name, pieces)
                self._unchecked -= size
                if self._unchecked < 0 or self._now() >= self._next_sweep:
                    self._make_room()

    def renew(self, owner: str, name: str) -> bool:
        """Note that a file was kept again; return False if it must be written for that."""
        with suppress(OSError):
            return self._renew(self.folder / f"{_hash_id(owner)}-{name}")
        return False

    def get(self, owner: str, name: str, *, is_sound: Callable[[bytes], bool]) -> bytes | None:
        """Read the bytes of a file; delete it and return None if it is too old or not sound."""

        def read(file: FileIO) -> bytes | None:
            with file:
                kept = file.read()
            return kept if is_sound(kept) else None

        return self.find(owner, name, read=read)

    def find(self, owner: str, name: str, *, read: Callable[[FileIO], T | None]) -> T | None:
        """Open a file and pass it to `read`, which closes it, now or later.

        Return the value of `read`. Delete the file if it is too old or that is None.
        """
        if not _NAME.fullmatch(name):
            return None
        sound = None
        path = self.folder / f"{_hash_id(owner)}-{name}"
        with suppress(OSError):
            found = path.lstat()
            is_whole = stat.S_ISREG(found.st_mode) and found.st_size <= self._max_item
            if is_whole and not self._is_old(found):
                sound = read(FileIO(path))
                if sound is not None:
                    os.utime(path, ns=(int(self._now() * 1e9), found.st_mtime_ns))
            if sound is None:
                path.unlink()
        count_cache_read(self.folder.parent.name, "miss" if sound is None else "hit")
        return sound

    def has_any(self, owner: str) -> bool:
        """Return whether anything is kept of an owner."""
        if not self._max_bytes:
            return False
        with suppress(OSError):
            return _hash_id(owner) in self._list_owners()
        return False

    def forget(self, owner: str) -> None:
        """Delete the files of an owner, also those that another process is still writing.

        Raises `OSError` if a file stays.
        """
        prefix = f"{_hash_id(owner)}-"
        with suppress(FileNotFoundError):
            for name in os.listdir(self.folder):
                if name.startswith(prefix):
                    (self.folder / name).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Delete files that are too old or too many; old ones also in the folders beside this one.

        Nobody else would do that if the server of a folder is never read from again.
        """
        with suppress(OSError):
            for folder in self.folder.parent.iterdir():
                if _FOLDER.fullmatch(folder.name) and folder != self.folder:
                    with suppress(OSError):
                        self._delete_old(folder)
                        # Fails while anything is left in it.
                        folder.rmdir()
        with suppress(OSError):
            self._make_room()

    def _list_owners(self) -> frozenset[str]:
        """List the hashes of all owners; the folder is read again after a change. Raises `OSError`.

        Each page asks, and thousands of names take longer than all else of it.
        """
        changed = self.folder.stat().st_mtime_ns
        if (kept := self._owners) and kept[0] == changed:
            return kept[1]
        owners = frozenset(name[:_HASH] for name in os.listdir(self.folder))
        # The times of file systems have ticks: another change may have the same one.
        is_settled = time.time_ns() - changed > _TICK
        self._owners = (changed, owners) if is_settled else None
        return owners

    @property
    def _max_item(self) -> int:
        return self._max_bytes // 4

    def _is_old(self, found: os.stat_result) -> bool:
        """Return whether a file is too old; a time in the future is from a clock set wrong."""
        return abs(self._now() - found.st_mtime) > self.max_age

    def _renew(self, path: Path, size: int | None = None) -> bool:
        """Note that the bytes in `path` were kept again; return False if it must be written.

        That is so if it has another `size`, unless that is None.
        """
        try:
            found = path.lstat()
        except FileNotFoundError:
            return False
        if not stat.S_ISREG(found.st_mode) or size not in (None, found.st_size):
            return False
        self._set_times(path)
        return True

    def _set_times(self, path: Path) -> None:
        os.utime(path, (self._now(), self._now()))

    def _write(self, prefix: str, name: str, pieces: Iterable[bytes]) -> None:
        """Write the whole file or nothing, so that another process never reads a part.

        The folder is made each time, since it may have been deleted.
        """
        make_private_folder(self.folder)
        if stat.S_IMODE(self.folder.stat().st_mode) != 0o700:
            self.folder.chmod(0o700)
        handle, path = tempfile.mkstemp(prefix=f"{prefix}-", dir=self.folder)
        unfinished = Path(path)
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(pieces)
            self._set_times(unfinished)
            unfinished.replace(self.folder / f"{prefix}-{name}")
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise

    def _make_room(self) -> None:
        """Delete files that are too old, then the least recently used until the rest fits."""
        left = self._delete_old(self.folder)
        total = sum(found.st_size for _, found in left)
        for path, found in sorted(left, key=lambda pair: pair[1].st_atime_ns):
            if total <= self._max_bytes:
                break
            Path(path).unlink(missing_ok=True)
            total -= found.st_size
        # A look at thousands of small files takes too long to do it for each of them.
        self._unchecked = (self._max_bytes - total) // _SHARE
        self._next_sweep = self._now() + _SWEEP_SECONDS

    def _delete_old(self, folder: Path) -> list[tuple[str, os.stat_result]]:
        """Delete the old files in `folder` and return the others."""
        left = []
        with os.scandir(folder) as entries:
            for entry in entries:
                # Another process may delete it first.
                with suppress(FileNotFoundError):
                    found = entry.stat(follow_symlinks=False)
                    if self._is_old(found):
                        os.unlink(entry.path)
                    else:
                        left.append((entry.path, found))
        return left


def _hash_id(completion_id: str) -> str:
    """Hash an id, which can be anything, to a file name."""
    return hashlib.sha256(completion_id.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]
