"""Create a completion: forward the request, record the answer, return it byte for byte.

A completion is stored before the last byte of its answer leaves. A failure to store it does not
change the answer.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http.client import NOT_FOUND
from itertools import chain
from string import punctuation
from typing import Final
from urllib.parse import quote

from flask import Response

from webapp.embedded.api.create_request import CreateRequest
from webapp.embedded.documents.from_exchange import RecordedAnswer
from webapp.embedded.errors import ApiError
from webapp.embedded.recording.answers import DONE, StreamRecorder, parse_answer
from webapp.embedded.recording.model_server import POLICY, ModelAnswer, ModelServer
from webapp.embedded.recording.recorder import Kept, Recorder
from webapp.embedded.recording.recovery import Recovery
from webapp.embedded.recording.sse import Event, EventSplitter
from webapp.embedded.store.store import Store
from webapp.exact_json import Object
from webapp.redaction import get_logger

STORED_AS: Final = "X-Readback-Stored-As"
"""The header with the id that a completion is stored under, if it is not the one in the answer."""

ADVICE: Final = "X-Readback-Advice"
"""The header that says which setting is probably wrong if the model server answers 404."""

_WRITTEN_AS_THEY_ARE: Final = " " + punctuation
"""Beside letters and digits; headers have no other characters than ASCII."""

log = get_logger("readback.embedded")


def forward_create(
    body: bytes,
    *,
    headers: Mapping[str, str],
    model: ModelServer,
    store: Store,
    recovery: Recovery | None,
) -> Response:
    """Forward a create request to `model`, and record the answer if the request asks so.

    `headers` are those of the client for `model`. Raise `ApiError` if the request is invalid or
    `model` does not answer.
    """
    asked = CreateRequest.parse(body)
    started = time.monotonic()
    answer = model.create(
        asked.serialize(with_store=model.forwards_store),
        headers=headers,
        is_streamed=asked.is_streamed,
    )
    sent = _list_headers(answer, model)
    recorder = None
    is_stored = model.stores_all if asked.is_stored is None else asked.is_stored
    if is_stored and answer.is_success:
        recorder = Recorder(
            asked.json,
            store=store,
            request_id=sent["x-request-id"],
            started=started,
            spool=recovery.spool if recovery else None,
            when_spooled=recovery.begin if recovery else None,
        )
    max_bytes = model.limits.max_stored_bytes
    if answer.is_stream and not answer.encoding:
        # A proxy between this server and its client must not gather events.
        sent |= {"cache-control": "no-cache", "x-accel-buffering": "no"}
        events = _RecordedEvents(answer, recorder, max_bytes=max_bytes)
        return Response(events, answer.status, sent)
    return _answer_whole(answer, recorder, sent, max_bytes=max_bytes)


def _list_headers(answer: ModelAnswer, model: ModelServer) -> dict[str, str]:
    """List the headers of the answer to the client, with the id of the request."""
    headers = {
        "x-request-id": make_request_id(),
        "Access-Control-Expose-Headers": f"X-Request-ID, {STORED_AS}, {ADVICE}",
    }
    headers |= answer.headers | POLICY
    if answer.status == NOT_FOUND and model.advice:
        log.warning("The model server has nothing there. %s", model.advice)
        headers[ADVICE] = quote(model.advice, safe=_WRITTEN_AS_THEY_ARE)
    return headers


def _answer_whole(
    answer: ModelAnswer, recorder: Recorder | None, headers: dict[str, str], *, max_bytes: int
) -> Response:
    """Answer with a body that is not a stream; headers say whether it was stored."""
    body_or_chunks, recorded, kept = _record_body(answer, recorder, max_bytes=max_bytes)
    stored_as = recorder.stored_as if recorder else None
    if stored_as is not None and recorded is not None and stored_as != recorded.text("id"):
        headers[STORED_AS] = stored_as
    if kept is not None:
        headers["x-readback-store"] = kept.value
    response = Response(body_or_chunks, answer.status, headers)
    response.call_on_close(answer.close)
    return response


def make_request_id() -> str:
    """Make a new id in the API's format."""
    return f"req_{secrets.token_hex(16)}"


def _record_body(
    answer: ModelAnswer, recorder: Recorder | None, *, max_bytes: int
) -> tuple[bytes | Iterable[bytes], Object | None, Kept | None]:
    """Read and record the whole body; return it, its completion and where that is kept.

    If it is larger than `max_bytes`, record only that fact and return its chunks as they arrive.
    """
    body = bytearray()
    chunks = answer.iter_chunks()
    try:
        for chunk in chunks:
            body += chunk
            if len(body) > max_bytes:
                problem = f"The answer is larger than {max_bytes:,} bytes."
                kept = recorder.save(RecordedAnswer(problem=problem)) if recorder else None
                return chain([bytes(body)], chunks), None, kept
    except ApiError as error:
        answer.close()
        if recorder:
            received = body.decode(errors="replace")
            recorder.save(RecordedAnswer(problem=error.message, received=received))
        raise
    if recorder is None:
        return bytes(body), None, None
    if answer.encoding:
        problem = "The answer is compressed in a way that was not asked for."
        recorded = RecordedAnswer(problem=problem)
    else:
        recorded = parse_answer(bytes(body))
    kept = recorder.save(recorded)
    return bytes(body), recorded.json, kept


class _RecordedEvents:
    """The events of a streamed answer, each recorded and then sent as soon as it is complete.

    If the stream breaks off, its last event is an error in the API's envelope, which clients
    raise. The incomplete event before it is left out.
    """

    def __init__(self, answer: ModelAnswer, recorder: Recorder | None, *, max_bytes: int) -> None:
        self._answer = answer
        self._recorder = StreamRecorder(recorder, max_bytes=max_bytes) if recorder else None

    def __iter__(self) -> Iterator[bytes]:
        splitter = EventSplitter()
        try:
            for chunk in self._answer.iter_chunks():
                events = splitter.feed(chunk)
                for event in events:
                    # Some servers send the usage after the end.
                    rest = events if DONE in event.raw else ()
                    yield from self._record([event, *rest])
        except ApiError as error:
            self._finish(error.message)
            yield b"data: " + json.dumps(error.envelope).encode() + b"\n\n"
            return
        if last := splitter.flush():
            yield from self._record([last])
        self._finish()

    def close(self) -> None:
        """Store the part that arrived. Servers call this at the end or if the client leaves."""
        self._finish("The client went away before the end of the answer.")
        self._answer.close()

    def _record(self, events: Sequence[Event]) -> Iterator[bytes]:
        if self._recorder:
            self._recorder.feed(events)
        for event in events:
            yield event.raw

    def _finish(self, problem: str | None = None) -> None:
        if self._recorder:
            self._recorder.finish(problem)
