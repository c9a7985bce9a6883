"""Store the answers of a model server, complete or not.

Recording never harms the answer: no method raises, and a failure to store is logged.
"""

from __future__ import annotations

import codecs
import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import Final

from webapp.database import find_outage
from webapp.embedded.documents.from_exchange import RecordedAnswer, build_completion_json
from webapp.embedded.documents.records import (
    CompletionRecord,
    NotACompletion,
    parse_record,
    rename_record,
)
from webapp.embedded.documents.reported_errors import find_reported_error, read_words
from webapp.embedded.limits import MAX_VALUES
from webapp.embedded.recording.spool import Exchange, Spool
from webapp.embedded.recording.sse import Event
from webapp.embedded.recording.stream_assembly import CompletionAccumulator
from webapp.embedded.store.store import Store
from webapp.embedded.store.writing import Outcome
from webapp.exact_json import Array, NotJson, Object, TooManyValues, parse
from webapp.redaction import get_logger, mask

log = get_logger("readback.embedded")

DONE: Final = b"[DONE]"
"""The data of the last event of a stream."""

ENDED_EARLY: Final = "The answer ended early."
NO_FINISH_REASON: Final = "The model server gave no finish reason; the answer may be cut off."
_LONGEST_SENTENCE: Final = 200
"""Characters of a text in place of JSON that is shown as the reason."""

_TOO_MANY: Final = f"{{}} holds more than {MAX_VALUES:,} values."
_WRAPPED: Final = re.compile(rb"\A(?:data:\s*+|(?!))++")
_ESCAPED_BYTES: Final = re.compile("[\udc80-\udcff]")
"""Bytes that are no UTF-8, as `surrogateescape` decodes them."""

_NO_TOKEN: Final = frozenset({"null", '""', "[]", "{}"})


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
        answer = replace(answer, timing=milliseconds)
        try:
            outage = self._spool.current_outage if self._spool is not None else None
            if outage is None:
                return Kept.STORED if self.add(answer) else Kept.DROPPED
        except Exception as error:
            outage = find_outage(error)
            if self._spool is None or outage is None:
                log.exception("A completion could not be stored (%s).", self._request_id)
                return Kept.DROPPED
            log.warning("The store failed: %s", str(error).partition("\n")[0])
        assert self._spool is not None
        exchange = Exchange(self._asked, answer, self._request_id, self._now)
        try:
            self._spool.begin_outage(outage)
            is_kept = self._spool.put(exchange, outage)
            if self._when_spooled is not None:
                self._when_spooled()
        except Exception:
            log.exception("A completion could not be stored (%s).", self._request_id)
            return Kept.DROPPED
        return Kept.SPOOLED if is_kept else Kept.DROPPED

    def add(self, answer: RecordedAnswer) -> bool:
        """Store the completion; return False if its id is stored with other content.

        If another completion has its id, as from servers that count to 999 and start again, it is
        stored under a new one.
        """
        record = self._build_record(answer)
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


class StreamRecorder:
    """Accumulates the events of a streamed answer and stores it once, at its end.

    Events are ignored after the first `max_bytes`.
    """

    def __init__(self, recorder: Recorder, *, max_bytes: int) -> None:
        self._recorder = recorder
        self._max_bytes = max_bytes
        self._size = 0
        self._completion = CompletionAccumulator()
        self._problem: str | None = None
        self._unread: list[str] = []
        self._is_done = False
        self._is_saved = False

    def feed(self, events: Iterable[Event]) -> None:
        """Accumulate events that arrived together. If the data of one is `DONE`, store them.

        Some servers send the usage after that.
        """
        for event in events:
            self._feed_event(event)
        if self._is_done:
            self._end()

    def _feed_event(self, event: Event) -> None:
        # Some gateways wrap the lines of another stream.
        data = _WRAPPED.sub(b"", event.data)
        self._size += len(data)
        if _is_done(data):
            self._is_done = True
        elif self._is_done:
            self._accumulate_usage(data)
        elif self._size > self._max_bytes:
            self._note(f"The answer is larger than {self._max_bytes:,} bytes.")
        elif data:
            self._accumulate(data, is_error=event.name == b"error")

    def finish(self, problem: str | None = None) -> None:
        """Store the completion, unless `DONE` has come; `problem` says why it has not.

        Some servers send no `DONE`. Their stream is complete if every choice has its finish reason.
        """
        if problem is None and not self._completion.is_finished:
            problem = ENDED_EARLY
        self._save(self._problem or problem)

    def _end(self) -> None:
        problem = None if self._completion.is_finished else NO_FINISH_REASON
        self._save(self._problem or problem)

    def _accumulate(self, data: bytes, *, is_error: bool = False) -> None:
        """Accumulate the data of an event; `is_error` is whether that is called an error."""
        # A character may be split between two events; its bytes are joined at the end.
        text = data.decode(errors="surrogateescape")
        try:
            value = parse(text, max_values=MAX_VALUES)
        except TooManyValues:
            self._note(_TOO_MANY.format("An event of the stream"), data.decode(errors="replace"))
            return
        except NotJson:
            self._accumulate_lines(data, is_error=is_error)
            return
        # Gemini reports its errors in an array.
        chunks = value.items if isinstance(value, Array) and value.items else (value,)
        if not all(isinstance(one, Object) for one in chunks) and not is_error:
            received = data.decode(errors="replace")
            self._note("An event of the stream is not a JSON object.", received)
            return
        for chunk in chunks:
            words = read_words(chunk) if is_error else None
            error = (isinstance(chunk, Object) and find_reported_error(chunk)) or words
            if error is not None:
                received = chunk.source.encode(errors="surrogateescape").decode(errors="replace")
                readable = _ESCAPED_BYTES.sub("\N{REPLACEMENT CHARACTER}", error)
                self._note(_say_reported(readable), mask(received))
            is_bare_error = is_error and isinstance(chunk, Object) and not chunk.items("choices")
            if isinstance(chunk, Object) and not is_bare_error and _is_piece(chunk):
                self._completion.feed(chunk)
                if _has_token(chunk):
                    self._recorder.note_token()

    def _accumulate_usage(self, data: bytes) -> None:
        """Accumulate the data of an event after the end, if it has the usage alone."""
        with suppress(NotJson, TooManyValues, UnicodeDecodeError):
            chunk = parse(data.decode(), max_values=MAX_VALUES)
            if isinstance(chunk, Object) and chunk.object("usage") and not chunk.items("choices"):
                self._completion.feed(chunk)

    def _accumulate_lines(self, data: bytes, *, is_error: bool) -> None:
        """Accumulate data that is not JSON: of a server that ends events with the line, each."""
        lines = data.splitlines() if b"\n" in data.strip() else []
        for line in filter(None, map(bytes.strip, lines)):
            if _is_done(line):
                self._is_done = True
            else:
                self._accumulate(line, is_error=is_error)
        if lines:
            return
        text = data.decode(errors="replace")
        words = text.strip()
        is_sentence = bool(words) and len(words) <= _LONGEST_SENTENCE
        is_sentence = is_sentence and words[0] not in "{[<"
        if is_error and is_sentence:
            self._note(_say_reported(words), text)
        else:
            reason = f": {mask(words)}" if is_sentence else "."
            self._note(f"An event of the stream is not JSON{reason}", text)

    def _note(self, problem: str, unread: str | None = None) -> None:
        """Note a problem, of which the first is the cause of the others, and the text received."""
        self._problem = self._problem or problem
        if unread is not None:
            self._unread.append(unread)

    def _save(self, problem: str | None) -> None:
        if self._is_saved:
            return
        self._is_saved = True
        written = self._completion.result().encode(errors="surrogateescape")
        try:
            completion = parse(written.decode())
        except UnicodeDecodeError:
            problem = problem or "Some bytes of the answer are not UTF-8."
            completion = parse(written.decode(errors="replace"))
        assert isinstance(completion, Object)
        self._recorder.save(RecordedAnswer(completion, problem, "\n".join(self._unread) or None))


def _is_done(data: bytes) -> bool:
    return data.strip().strip(b'"').upper() == DONE


def _is_piece(chunk: Object) -> bool:
    """Return whether a chunk is part of the completion, and not an error or a sign of life alone.

    Some servers send the usage or the sources of an answer without `choices`.
    """
    if chunk.items("choices") is not None:
        return True
    return chunk.get("type") is None and find_reported_error(chunk) is None


def _has_token(chunk: Object) -> bool:
    """Return whether a chunk has more than the role: text, reasoning or a call."""
    choices = (one for one in chunk.items("choices") or () if isinstance(one, Object))
    deltas = (delta for one in choices if (delta := one.object("delta")) is not None)
    return any(
        member.name.text != "role" and member.value.source not in _NO_TOKEN
        for delta in deltas
        for member in delta.members
    )


def parse_answer(body: bytes) -> RecordedAnswer:
    """Parse a whole body; if it is not a completion, return it as received, with the problem."""
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        text = body.decode()
        value = parse(text, max_values=MAX_VALUES)
    except TooManyValues:
        too_many = _TOO_MANY.format("The answer")
        return _parse_lines(body) or RecordedAnswer(problem=too_many, received=body.decode())
    except (NotJson, UnicodeDecodeError):
        received = body.decode(errors="replace")
        in_lines = _parse_lines(body)
        return in_lines or RecordedAnswer(problem="The answer is not JSON.", received=received)
    reported = find_reported_error(value) if isinstance(value, Object) else None
    problem = None if reported is None else _say_reported(reported)
    choices = value.items("choices") if isinstance(value, Object) else None
    if not isinstance(value, Object) or choices is None:
        received = text if problem is None else mask(text)
        return RecordedAnswer(
            problem=problem or "The answer is not a completion.", received=received
        )
    objects = [choice for choice in choices if isinstance(choice, Object)]
    is_finished = objects and all(choice.text("finish_reason") for choice in objects)
    if problem is None and not is_finished:
        problem = NO_FINISH_REASON
    return RecordedAnswer(value, problem)


def _parse_lines(body: bytes) -> RecordedAnswer | None:
    """Parse a body of chunks, each on a line as an event or as JSON, that is not called a stream.

    Return None if a line is anything else.
    """
    completion = CompletionAccumulator()
    problem: str | None = None
    errors: list[str] = []
    for line in filter(None, map(bytes.strip, body.splitlines())):
        data = line.removeprefix(b"data:").strip()
        if data == DONE or line.startswith((b":", b"event:", b"id:", b"retry:")):
            continue
        try:
            chunk = parse(data.decode(), max_values=MAX_VALUES)
        except (NotJson, UnicodeDecodeError):
            return None
        if not isinstance(chunk, Object):
            return None
        error = find_reported_error(chunk)
        if error is not None:
            problem = problem or _say_reported(error)
            errors.append(mask(data.decode()))
        if _is_piece(chunk):
            completion.feed(chunk)
    if problem is None and not completion.is_finished:
        problem = NO_FINISH_REASON
    whole = parse(completion.result())
    assert isinstance(whole, Object)
    received = "\n".join(errors) or None
    return RecordedAnswer(whole, problem, received) if whole.items("choices") else None


def _say_reported(error: str) -> str:
    return f"The model server reported an error: {mask(error)}"
