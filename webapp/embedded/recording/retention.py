"""Delete completions that were stored too long ago, with their shares and cached files."""

from __future__ import annotations

from collections.abc import Callable, Collection
from threading import Thread
from typing import Final

from webapp.embedded.store.store import Store
from webapp.http.deadline import SYSTEM_CLOCK, Clock
from webapp.redaction import get_logger

log = get_logger("readback.embedded")

_HOUR: Final = 3600.0
_DAY: Final = 86400


class Retention:
    """Deletes completions that were stored more than `days` ago.

    `erase_traces` is called before each deletion, to delete data elsewhere: if it fails, the
    completion stays, and is tried again the next time, after the others were deleted.
    `record_deletion` is called after it. Those that `list_kept` returns stay. Several processes can
    do this at once: each completion is deleted by one of them.

    After the time of day has jumped ahead by more than a day, nothing is deleted for a day: the
    clock may be wrong, and all completions seem old.
    """

    def __init__(
        self,
        store: Store,
        *,
        days: int,
        erase_traces: Callable[[str], None],
        record_deletion: Callable[[str], None],
        list_kept: Callable[[], Collection[str]] = tuple,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._store = store
        self._days = days
        self._erase_traces = erase_traces
        self._record_deletion = record_deletion
        self._list_kept = list_kept
        self._clock = clock
        self._started = clock.wall() - clock.monotonic()
        """When the monotonic clock began, by the time of day that is believed."""
        self._jumped_at: float | None = None

    def begin(self) -> None:
        """Delete now and every hour, in the background."""
        Thread(target=self._run, name="retention", daemon=True).start()

    def delete_old(self) -> int:
        """Delete the completions that are too old, and return their number."""
        if self._has_jumped():
            log.error(
                "The time of day jumped ahead by more than a day. For a day, no completion is "
                "deleted by READBACK_KEEP_DAYS: correct the clock if it is wrong."
            )
            return 0
        before = int(self._clock.wall()) - self._days * _DAY
        deleted = 0
        failed: set[str] = set()
        while ids := self._store.list_stored_before(before, without={*self._list_kept(), *failed}):
            for completion_id in ids:
                try:
                    self._erase_traces(completion_id)
                except Exception:
                    log.exception("The data of an old completion could not be deleted yet.")
                    failed.add(completion_id)
                    continue
                if self._store.delete_completion(completion_id):
                    self._record_deletion(completion_id)
                    deleted += 1
        return deleted

    def _has_jumped(self) -> bool:
        """Compare the time of day with the monotonic clock, and decide whether to believe it."""
        now = self._clock.monotonic()
        started = self._clock.wall() - now
        if started - self._started > _DAY:
            self._jumped_at = now if self._jumped_at is None else self._jumped_at
            if now - self._jumped_at < _DAY:
                return True
        self._started, self._jumped_at = started, None
        return False

    def _run(self) -> None:
        while True:
            try:
                deleted = self.delete_old()
                if deleted:
                    log.info("%d completions were deleted: READBACK_KEEP_DAYS", deleted)
            except Exception:
                log.exception("Old completions could not be deleted; it is tried again.")
            self._clock.sleep(_HOUR)
