"""Cache the media of recent pages in a folder that all workers share.

A page names its images by digest; the browser requests them a moment later, perhaps from
another process. The cache saves the upstream one request an image. The folder is private to its
owner and bounded: old media are deleted, and the least recently used first if space is short.

A file is named after its completion and its content, so that media are found only under a
completion that has them, and can be deleted with it. Its modification time is when the upstream
last had the media; its access time is when they were last used.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from webapp.folders import make_private_folder
from webapp.media.inline import InlineMedia, compute_digest
from webapp.redaction import get_logger

log = get_logger("readback.media")

_DIGEST: Final = re.compile(r"[0-9a-f]{32}")
_FOLDER: Final = re.compile(r"[0-9a-f]{12}")
"""The names that folders of the cache have, one a server."""
_SHARE: Final = 64
"""A process may write this part of the free space before it looks at the whole folder again."""
_SWEEP_SECONDS: Final = 1
"""After this time it looks again anyway, since other processes write too."""


class MediaCache:
    """Keeps at most `max_bytes` of media texts in `folder`, each for `max_age` seconds.

    Keeps nothing if `max_bytes` is 0. Each further process that writes can add a 64th of
    `max_bytes` for a moment. `now` returns the time in unix seconds.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int,
        max_age: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._now = now
        self._unchecked = 0
        self._next_sweep = 0.0

    def keep(self, completion_id: str, media: InlineMedia) -> None:
        """Keep `media` of a completion if they fit.

        A failing disk is no error: media can be fetched again.
        """
        kept = media.kept
        if len(kept) > self._max_item:
            return
        owner = _hash_id(completion_id)
        with suppress(OSError):
            if not self._renew(self._folder / f"{owner}-{media.digest}", len(kept)):
                self._write(owner, media.digest, kept)
                self._unchecked -= len(kept)
                if self._unchecked < 0 or self._now() >= self._next_sweep:
                    self._make_room()

    def get(self, completion_id: str, digest: str) -> InlineMedia | None:
        """Return the media kept for a completion under `digest`, or None.

        A file that is too old or damaged is deleted.
        """
        if not _DIGEST.fullmatch(digest):
            return None
        path = self._folder / f"{_hash_id(completion_id)}-{digest}"
        with suppress(OSError):
            found = path.lstat()
            is_whole = stat.S_ISREG(found.st_mode) and found.st_size <= self._max_item
            if is_whole and not self._is_old(found):
                kept = path.read_bytes()
                if compute_digest(kept) == digest:
                    os.utime(path, ns=(int(self._now() * 1e9), found.st_mtime_ns))
                    return InlineMedia.from_kept(kept)
            path.unlink()
        return None

    def forget(self, completion_id: str) -> None:
        """Delete the media of a completion, and those that another process is just writing."""
        prefix = f"{_hash_id(completion_id)}-"
        try:
            for name in os.listdir(self._folder):
                if name.startswith(prefix):
                    (self._folder / name).unlink(missing_ok=True)
        except FileNotFoundError:
            return
        except OSError as error:
            log.warning(
                "Images of a deleted completion stay in %s for up to %d s: %s",
                self._folder,
                self._max_age,
                error.strerror,
            )

    def sweep(self) -> None:
        """Delete files that are too old or too many; old ones also of other servers.

        Nobody else would do that if the server of a folder is never read from again.
        """
        with suppress(OSError):
            for folder in self._folder.parent.iterdir():
                if _FOLDER.fullmatch(folder.name) and folder != self._folder:
                    with suppress(OSError):
                        self._delete_old(folder)
                        # Fails while anything is left in it.
                        folder.rmdir()
        with suppress(OSError):
            self._make_room()

    @property
    def _max_item(self) -> int:
        return self._max_bytes // 4

    def _is_old(self, found: os.stat_result) -> bool:
        """Return whether a file is too old; a time in the future is from a clock set wrong."""
        return abs(self._now() - found.st_mtime) > self._max_age

    def _renew(self, path: Path, size: int) -> bool:
        """Note that the upstream has the media in `path`; return False if it must be written."""
        try:
            found = path.lstat()
        except FileNotFoundError:
            return False
        if not stat.S_ISREG(found.st_mode) or found.st_size != size:
            return False
        self._set_times(path)
        return True

    def _set_times(self, path: Path) -> None:
        os.utime(path, (self._now(), self._now()))

    def _write(self, owner: str, digest: str, kept: bytes) -> None:
        """Write the whole file or nothing, so that another process never reads a part.

        The folder is made each time, since it may have been deleted.
        """
        make_private_folder(self._folder)
        if stat.S_IMODE(self._folder.stat().st_mode) != 0o700:
            self._folder.chmod(0o700)
        handle, name = tempfile.mkstemp(prefix=f"{owner}-", dir=self._folder)
        unfinished = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(kept)
            self._set_times(unfinished)
            unfinished.replace(self._folder / f"{owner}-{digest}")
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise

    def _make_room(self) -> None:
        """Delete files that are too old, then the least recently used until the rest fits."""
        left = self._delete_old(self._folder)
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
    """Return a file name for an id, which can be anything."""
    return hashlib.sha256(completion_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
