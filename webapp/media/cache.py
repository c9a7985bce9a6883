"""Cache the media of recent pages in a folder that all workers share.

A page names its images by digest; the browser requests them a moment later, perhaps from
another process. The cache saves the upstream one request an image.

A file is named after its completion and its content, so that media are found only under a
completion that has them, and can be deleted with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from webapp.folders import FolderCache
from webapp.media.inline import InlineMedia, compute_digest
from webapp.redaction import get_logger

log = get_logger("readback.media")


class MediaCache:
    """Keeps at most `max_bytes` of media texts in `folder`, each for `max_age` seconds.

    Keeps nothing if `max_bytes` is 0. `now` returns the time in unix seconds.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int,
        max_age: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._files = FolderCache(folder, max_bytes=max_bytes, max_age=max_age, now=now)
        self._max_age = max_age

    def keep(self, completion_id: str, media: InlineMedia) -> None:
        """Keep `media` of a completion if they fit.

        A failing disk is no error: media can be fetched again.
        """
        self._files.keep(completion_id, media.digest, media.kept)

    def get(self, completion_id: str, digest: str) -> InlineMedia | None:
        """Return the media kept for a completion under `digest`, or None.

        A file that is too old or damaged is deleted.
        """
        kept = self._files.get(
            completion_id, digest, is_sound=lambda found: compute_digest(found) == digest
        )
        return None if kept is None else InlineMedia.from_kept(kept)

    def forget(self, completion_id: str) -> None:
        """Delete the media of a completion, and those that another process is just writing."""
        try:
            self._files.forget(completion_id)
        except OSError as error:
            log.warning(
                "Images of a deleted completion stay in %s for up to %d s: %s",
                self._files.folder,
                self._max_age,
                error.strerror,
            )

    def sweep(self) -> None:
        """Delete files that are too old or too many; old ones also of other servers."""
        self._files.sweep()
