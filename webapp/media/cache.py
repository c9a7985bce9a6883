"""Cache the media of recent pages in a folder that all workers share.

A page names its images by digest; the browser requests them a moment later, perhaps from
another process. The cache saves the upstream one request an image. The folder is private to its
owner and bounded: the least recently used media are deleted first.
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
    """Keeps at most `max_bytes` of media texts in `folder`; nothing if that is 0."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def keep(self, media: InlineMedia) -> None:
        """Keep `media` if it fits. A failing disk is no error: media can be fetched again."""
        kept = media.kept
        if len(kept) > self._max_bytes // 4:
            return
        path = self._folder / media.digest
        with suppress(OSError):
            if path.exists():
                os.utime(path)
                return
            self._write(path, kept)
            self._delete_oldest()

    def get(self, digest: str) -> InlineMedia | None:
        """Return the media kept under `digest`, or None."""
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
        """Write the whole file or nothing, so that another process never reads a part.

        The folder is made each time, since it may have been deleted.
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

    def _delete_oldest(self) -> None:
        entries = [(entry, entry.stat()) for entry in os.scandir(self._folder)]
        total = sum(found.st_size for _, found in entries)
        for entry, found in sorted(entries, key=lambda pair: pair[1].st_mtime_ns):
            if total <= self._max_bytes:
                return
            Path(entry.path).unlink(missing_ok=True)
            total -= found.st_size
