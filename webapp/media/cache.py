"""Media of pages just shown, in a folder that all workers share.

A page names its images by digest; the browser asks for them a moment later, perhaps from
another process. Keeping them here spares the upstream one call an image. The folder is private
to its owner and bounded: what was used longest ago goes first.
"""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from webapp.media.inline import InlineMedia

_NAME = re.compile(r"[0-9a-f]{32}")


class MediaCache:
    """Keeps at most `max_bytes` of media texts in `folder`; 0 keeps nothing."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def keep(self, media: InlineMedia) -> None:
        """Keeps `media` if it fits. A disk that refuses is no error: it can be fetched again."""
        kept = media.kept
        if len(kept) > self._max_bytes // 4:
            return
        path = self._folder / media.digest
        with suppress(OSError):
            if path.exists():
                os.utime(path)
                return
            self._write(path, kept)
            self._shrink()

    def get(self, digest: str) -> InlineMedia | None:
        """What was kept under `digest`, or None."""
        if not _NAME.fullmatch(digest):
            return None
        path = self._folder / digest
        try:
            kept = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return InlineMedia.from_kept(kept)

    def _write(self, path: Path, kept: bytes) -> None:
        """Whole or not at all: a reader in another process never sees a part.

        The folder may have been cleared away since the last time.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(kept)
            os.replace(unfinished, path)
        except OSError:
            Path(unfinished).unlink(missing_ok=True)
            raise

    def _shrink(self) -> None:
        entries = [(entry, entry.stat()) for entry in os.scandir(self._folder)]
        total = sum(found.st_size for _, found in entries)
        for entry, found in sorted(entries, key=lambda pair: pair[1].st_mtime_ns):
            if total <= self._max_bytes:
                return
            Path(entry.path).unlink(missing_ok=True)
            total -= found.st_size
