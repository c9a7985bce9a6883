"""Keeping what a model server answers: whole, or as much of it as there is.

Owns what becomes of an answer that is broken, and that storing never harms the answer itself:
nothing here raises. Knows nothing of HTTP.
"""

from __future__ import annotations

import logging
import time
from typing import Final

from webapp.embedded.documents.from_exchange import RecordedAnswer, completion_text
from webapp.embedded.documents.records import CompletionRecord, NotACompletion, read_completion
from webapp.embedded.recording.stream_assembly import JoinedCompletion
from webapp.embedded.store.store import Outcome, Store
from webapp.exact_json import NotJson, Null, Object, Value, parse

log = logging.getLogger("readback.embedded")

DONE: Final = b"[DONE]"
"""What the last event of a stream says."""

ENDED_EARLY: Final = "The answer ended early."


class Record:
    """A completion that was asked to be stored, and its place in `store`."""

    def __init__(self, asked: Object, *, store: Store, request_id: str) -> None:
        self._asked = asked
        self._store = store
        self._request_id = request_id
        self._now = int(time.time())

    def keep(self, answered: RecordedAnswer) -> None:
        """Stores the completion; a failure is logged."""
        try:
            given = self._given(answered)
            (outcome,) = self._store.add([given])
        except Exception:
            log.exception("A completion could not be stored (%s).", self._request_id)
            return
        if outcome is Outcome.CONFLICT:
            log.error("A completion was not stored: %s is stored with other content.", given.id)

    def _given(self, answered: RecordedAnswer) -> CompletionRecord:
        """The completion under its own id, or, where no URL can hold that, under another one."""
        try:
            return read_completion(self._text(answered, with_id=True))
        except NotACompletion as problem:
            log.warning("A completion is stored under an id of the store's: %s.", problem)
            return read_completion(self._text(answered, with_id=False))

    def _text(self, answered: RecordedAnswer, *, with_id: bool) -> str:
        return completion_text(
            self._asked,
            answered,
            request_id=self._request_id,
            now=self._now,
            with_id=with_id,
        )


def body_answered(body: bytes) -> RecordedAnswer:
    """What a whole body says."""
    try:
        text = body.decode()
        value = parse(text)
    except (NotJson, UnicodeDecodeError):
        return RecordedAnswer(
            problem="The answer is not JSON.", received=body.decode(errors="replace")
        )
    if not isinstance(value, Object) or value.items("choices") is None:
        return RecordedAnswer(problem="The answer is not a completion.", received=text)
    return RecordedAnswer(value)


class StreamRecord:
    """A record of a stream: takes its events in their order and is kept once, at its end.

    Beyond `max_bytes` of events nothing more is taken.
    """

    def __init__(self, record: Record, *, max_bytes: int) -> None:
        self._record = record
        self._max_bytes = max_bytes
        self._size = 0
        self._joined = JoinedCompletion()
        self._problem: str | None = None
        self._is_kept = False

    def take(self, data: bytes) -> None:
        """Takes what one event says; at `DONE` the completion is complete, and stored."""
        if data.strip() == DONE:
            self._keep(self._problem)
            return
        self._size += len(data)
        if self._size > self._max_bytes:
            self._problem = f"The answer is larger than {self._max_bytes:,} bytes."
        elif data:
            self._read(data)

    def end(self, problem: str | None = None) -> None:
        """Stores what there is, unless that has been done; `problem` says why there was no `DONE`.

        Servers that send none have ended when every choice has its finish reason.
        """
        if problem is None and not self._joined.is_finished:
            problem = ENDED_EARLY
        self._keep(self._problem or problem)

    def _keep(self, problem: str | None) -> None:
        if self._is_kept:
            return
        self._is_kept = True
        joined = parse(self._joined.text())
        assert isinstance(joined, Object)
        self._record.keep(RecordedAnswer(joined, problem))

    def _read(self, data: bytes) -> None:
        try:
            chunk = parse(data.decode())
        except (NotJson, UnicodeDecodeError):
            self._problem = "An event of the stream is not JSON."
            return
        if not isinstance(chunk, Object):
            self._problem = "An event of the stream is not a JSON object."
            return
        error = chunk.get("error")
        if error is not None and not isinstance(error, Null):
            self._problem = f"The model server reported an error: {_message(error)}"
            return
        self._joined.take(chunk)


def _message(error: Value) -> str:
    said = error.text("message") if isinstance(error, Object) else None
    return said or error.source
