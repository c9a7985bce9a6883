"""Store the answers of a model server, complete or not.

Recording never harms the answer: `save` and `amend` do not raise, and log a failure to store.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from functools import partial

from webapp.database import Outage, find_outage
from webapp.embedded.documents.from_exchange import RecordedAnswer, build_completion_json
from webapp.embedded.documents.records import (
    CompletionRecord,
    NotACompletion,
    parse_record,
    rename_record,
)
from webapp.embedded.recording.exchange import Exchange
from webapp.embedded.recording.spool import Spool
from webapp.embedded.store.store import Store
from webapp.embedded.store.writing import Outcome
from webapp.exact_json import Object
from webapp.redaction import get_logger

log = get_logger("readback.embedded")


class Kept(Enum):
    """Where a completion is: in the store, in the spool until that is back, or nowhere."""

    STORED = "stored"
    SPOOLED = "spooled"
    DROPPED = "dropped"


class Recorder:
    """Stores the completion of one create request.

    It goes to `spool` if the database fails, and `when_spooled` is called then. `now`, in unix
    seconds, is the time of the request; `started`, by the monotonic clock, is when the model
    server was sent it. `stored_as` is the id of the stored completion.
    """

    def __init__(
        self,
        asked: Object,
        *,
        store: Store,
        request_id: str,
        spool: Spool | None = None,
        when_spooled: Callable[[], object] | None = None,
        now: int | None = None,
        started: float | None = None,
    ) -> None:
        self.stored_as: str | None = None
        self._asked = asked
        self._store = store
        self._request_id = request_id
        self._spool = spool
        self._when_spooled = when_spooled
        self._now = int(time.time()) if now is None else now
        self._started = started
        self._first_token: float | None = None
        self._saved: RecordedAnswer | None = None
        self._kept: Kept | None = None
        self._outage: Outage | None = None

    def note_token(self) -> None:
        """Note when the first token of a streamed answer has come."""
        if self._first_token is None:
            self._first_token = time.monotonic()

    def save(self, answer: RecordedAnswer) -> Kept:
        """Store the completion, or spool it, or log why it could not be kept."""
        moments = {"total_ms": time.monotonic(), "first_token_ms": self._first_token}
        milliseconds = {
            name: round((moment - self._started) * 1000)
            for name, moment in moments.items()
            if self._started is not None and moment is not None
        }
        self._saved = replace(answer, timing=milliseconds)
        self._kept = self._keep(Exchange(self._asked, self._saved, self._request_id, self._now))
        return self._kept

    def amend(self, answer: RecordedAnswer) -> None:
        """Replace the answer that was saved by `answer`, which is the same one with more.

        If that fails, the completion stays as it was saved, and the failure is logged.
        """
        earlier = self._saved
        if earlier is None or self._kept is Kept.DROPPED:
            return
        answer = replace(answer, timing=earlier.timing)
        self._keep(Exchange(self._asked, answer, self._request_id, self._now, earlier))

    def _keep(self, exchange: Exchange) -> Kept:
        try:
            outage = self._spool.current_outage if self._spool is not None else None
            if self._kept is Kept.SPOOLED:
                # What amends a completion must not be tried before that is stored.
                outage = self._outage
            if outage is None:
                return Kept.STORED if self.add(exchange) else Kept.DROPPED
        except Exception as error:
            outage = find_outage(error)
            if self._spool is None or outage is None:
                log.exception("A completion could not be stored (%s).", self._request_id)
                return Kept.DROPPED
            log.warning("The store failed: %s", str(error).partition("\n")[0])
            self._spool.begin_outage(outage)
        assert self._spool is not None
        self._outage = outage
        try:
            is_kept = self._spool.put(exchange, outage)
            if self._when_spooled is not None:
                self._when_spooled()
        except Exception:
            log.exception("A completion could not be stored (%s).", self._request_id)
            return Kept.DROPPED
        return Kept.SPOOLED if is_kept else Kept.DROPPED

    def add(self, exchange: Exchange) -> bool:
        """Store the completion of an exchange, or amend the stored one.

        Return False if there is none to amend, or if its id is stored with other content twice.
        """
        record = self._build_record(exchange.answer)
        if exchange.earlier is not None:
            return self._replace(self._build_record(exchange.earlier), record)
        return self._add_new(record)

    def _add_new(self, record: CompletionRecord) -> bool:
        """Add a completion; return False if its id is stored with other content.

        If another completion has its id, as from servers that count to 999 and start again, it is
        stored under a new one.
        """
        (outcome,) = self._store.add([record])
        if outcome is Outcome.CONFLICT:
            taken, record = record.id, rename_record(record)
            (outcome,) = self._store.add([record])
            log.warning(
                "%s is stored with other content; the new answer of this id is stored as %s.",
                taken,
                record.id,
            )
        if outcome is Outcome.CONFLICT:
            log.error("A completion was not stored: %s is stored with other content.", record.id)
            return False
        self.stored_as = record.id
        return True

    def _replace(self, earlier: CompletionRecord, record: CompletionRecord) -> bool:
        """Replace a completion, which may be stored under its own id or a new one.

        Return False if it is stored under neither, for example because it was deleted.
        """
        if self._store.amend(earlier, rename_record(record, earlier.id)):
            return True
        renamed = rename_record(earlier)
        return self._store.amend(renamed, rename_record(record, renamed.id))

    def _build_record(self, answer: RecordedAnswer) -> CompletionRecord:
        """Build the completion under its own id, or under a new one if no URL can hold that."""
        build_text = partial(
            build_completion_json, self._asked, answer, request_id=self._request_id, now=self._now
        )
        try:
            return parse_record(build_text())
        except NotACompletion as problem:
            log.warning("A completion is stored under an id of the store's: %s.", problem)
            return parse_record(build_text(with_id=False))
