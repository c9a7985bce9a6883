"""Read the answers of a model server, streamed or whole, so that they can be recorded."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from typing import Final

from webapp.embedded.documents.from_exchange import RecordedAnswer
from webapp.embedded.documents.reported_errors import find_reported_error, read_words
from webapp.embedded.limits import MAX_VALUES
from webapp.embedded.recording.recorder import Recorder
from webapp.embedded.recording.sse import Event
from webapp.embedded.recording.stream_assembly import CompletionAccumulator
from webapp.exact_json import Array, Boolean, NotJson, Object, TooManyValues, parse
from webapp.messages import find_choice_messages
from webapp.redaction import mask

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


class StreamRecorder:
    """Accumulates the events of a streamed answer, and stores it at its end.

    What comes after that, as the usage from some servers, amends the stored completion. Events are
    ignored after the first `max_bytes`.
    """

    def __init__(self, recorder: Recorder, *, max_bytes: int) -> None:
        self._recorder = recorder
        self._max_bytes = max_bytes
        self._size = 0
        self._completion = CompletionAccumulator()
        self._problem: str | None = None
        self._unread: list[str] = []
        self._is_done = False
        self._has_more = False
        self._saved: RecordedAnswer | None = None
        self._written = b""

    def feed(self, events: Iterable[Event]) -> None:
        """Accumulate events that arrived together. If the data of one is `DONE`, store them."""
        for event in events:
            self._feed_event(event)
        if self._is_done and self._saved is None:
            self._end()

    def _feed_event(self, event: Event) -> None:
        # Some gateways wrap the lines of another stream.
        data = _WRAPPED.sub(b"", event.data)
        self._size += len(data)
        if _is_done(data):
            self._is_done = True
        elif self._size > self._max_bytes:
            if not self._is_done:
                self._note(f"The answer is larger than {self._max_bytes:,} bytes.")
        elif self._is_done:
            self._accumulate_late(data)
        elif data:
            self._accumulate(data, is_error=event.name == b"error")

    def finish(self, problem: str | None = None) -> None:
        """Store the completion, or what came after `DONE`; `problem` says why that has not come.

        Some servers send no `DONE`. Their stream is complete if every choice has its finish reason.
        """
        if self._is_done:
            if self._has_more:
                self._has_more = False
                self._end()
            return
        if self._saved is None:
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

    def _accumulate_late(self, data: bytes) -> None:
        """Accumulate the data of an event after the end, unless it has text that clients miss."""
        with suppress(NotJson, TooManyValues, UnicodeDecodeError):
            chunk = parse(data.decode(), max_values=MAX_VALUES)
            if isinstance(chunk, Object) and _is_piece(chunk) and not _has_token(chunk):
                self._completion.feed(chunk, is_late=True)
                self._has_more = True

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
        is_sentence = 0 < len(words) <= _LONGEST_SENTENCE
        is_sentence = is_sentence and not words.startswith(("{", "<", "[{", '["'))
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
        written = self._completion.result().encode(errors="surrogateescape")
        try:
            completion = parse(written.decode())
        except UnicodeDecodeError:
            problem = problem or "Some bytes of the answer are not UTF-8."
            completion = parse(written.decode(errors="replace"))
        assert isinstance(completion, Object)
        answer = RecordedAnswer(completion, problem, "\n".join(self._unread) or None)
        earlier, self._saved = self._saved, answer
        if earlier is None:
            self._recorder.save(answer)
        elif self._written != written or earlier.problem != problem:
            self._recorder.amend(answer)
        self._written = written


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
    choices = [one for one in chunk.items("choices") or () if isinstance(one, Object)]
    messages = (one for choice in choices for one in choice.items("messages") or ())
    holders = chain(choices, (one for one in messages if isinstance(one, Object)))
    deltas = (delta for one in holders if (delta := one.object("delta")) is not None)
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
    is_finished = objects and all(map(_is_finished, objects))
    if problem is None and not is_finished:
        problem = NO_FINISH_REASON
    return RecordedAnswer(value, problem)


def _is_finished(choice: Object) -> bool:
    if choice.text("finish_reason"):
        return True
    found = find_choice_messages(choice)
    return found is not None and isinstance(end := found[0].get("end_turn"), Boolean) and end.value


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
