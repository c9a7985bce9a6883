"""Cache the media of recent pages in a folder that all workers share.

A page names its images by digest; the browser requests them a moment later, perhaps from
another process. The cache saves the upstream one request an image.

A file is named after its completion and its content, so that media are found only under a
completion that has them, and can be deleted with it.
"""

from __future__ import annotations

from webapp.folders import FolderCache
from webapp.media.inline import InlineMedia, compute_digest
from webapp.redaction import get_logger

log = get_logger("readback.media")


class MediaCache:
    """Keeps the texts of media in `files`, by completion and content."""

    def __init__(self, files: FolderCache) -> None:
        self._files = files

    def keep(self, completion_id: str, media: InlineMedia) -> None:
        """Keep `media` of a completion if they fit.

        A failing disk is not an error: media can be fetched again.
        """
        kept = media.kept
        self._files.keep(completion_id, media.digest, (kept,), len(kept))

    def renew(self, completion_id: str, digest: str) -> bool:
        """Keep the media of a completion for longer, and return whether they are kept."""
        return self._files.renew(completion_id, digest)

    def get(self, completion_id: str, digest: str) -> InlineMedia | None:
        """Look up the media kept for a completion under `digest`.

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
                self._files.max_age,
                error.strerror,
            )

    def sweep(self) -> None:
        """Delete files that are too old or too many; old ones also of other servers."""
        self._files.sweep()
