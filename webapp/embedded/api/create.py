"""Creating a completion: the request goes to the model server and its answer comes back.

Owns the order of things: what is asked to be stored is stored before the last byte of the
answer leaves, and the answer is the server's own, byte for byte, also when storing fails.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

from flask import Response, request

from webapp.embedded.api.create_request import CreateRequest
from webapp.embedded.documents.from_exchange import RecordedAnswer
from webapp.embedded.errors import ApiError
from webapp.embedded.recording.model_server import ModelAnswer, ModelServer
from webapp.embedded.recording.recorder import Record, StreamRecord, body_answered
from webapp.embedded.recording.sse import EventSplitter
from webapp.embedded.store.store import Store


def no_model() -> ApiError:
    return ApiError(
        "This server stores and serves completions. It has no model and cannot create one. "
        "Set READBACK_MODEL_URL to the address of an OpenAI-compatible server that can.",
        status=501,
        code="not_supported",
    )


def create(model: ModelServer, *, store: Store) -> Response:
    """The model server's answer to the current request. Raises `ApiError`."""
    request.max_content_length = model.limits.max_request_bytes
    asked = CreateRequest.from_body(request.get_data())
    answer = model.create(
        asked.forwarded(with_store=model.forwards_store),
        accept=request.headers.get("Accept", "application/json"),
    )
    headers = {"x-request-id": new_request_id(), "Access-Control-Expose-Headers": "X-Request-ID"}
    headers |= answer.headers
    record = None
    if asked.is_stored and answer.is_success:
        record = Record(asked.json, store=store, request_id=headers["x-request-id"])
    if answer.is_stream:
        # A server in front of this one must not gather events either.
        headers |= {"cache-control": "no-cache", "x-accel-buffering": "no"}
        passed = _PassedStream(answer, record, max_bytes=model.limits.max_stored_bytes)
        return Response(passed, answer.status, headers)
    body = _passed_body(answer, record, max_bytes=model.limits.max_stored_bytes)
    return Response(body, answer.status, headers)


def new_request_id() -> str:
    """An id in the API's form."""
    return f"req_{secrets.token_hex(16)}"


def _passed_body(
    answer: ModelAnswer, record: Record | None, *, max_bytes: int
) -> bytes | _PassedRest:
    """The whole body, stored; or one larger than `max_bytes`, of which only that is stored."""
    body = bytearray()
    chunks = answer.chunks()
    try:
        for chunk in chunks:
            body += chunk
            if len(body) > max_bytes:
                break
    except ApiError as error:
        answer.close()
        if record:
            received = body.decode(errors="replace")
            record.keep(RecordedAnswer(problem=error.message, received=received))
        raise
    if len(body) > max_bytes:
        if record:
            record.keep(RecordedAnswer(problem=f"The answer is larger than {max_bytes:,} bytes."))
        return _PassedRest(bytes(body), chunks, answer)
    answer.close()
    if record:
        record.keep(body_answered(bytes(body)))
    return bytes(body)


class _PassedRest:
    """A body too large to hold, as it comes."""

    def __init__(self, begun: bytes, chunks: Iterator[bytes], answer: ModelAnswer) -> None:
        self._begun = begun
        self._chunks = chunks
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield self._begun
        yield from self._chunks

    def close(self) -> None:
        self._answer.close()


class _PassedStream:
    """The events of an answer, each as soon as it is whole.

    A stream that breaks off ends with an event that says so, in the API's envelope, and without
    the pieces of the event it broke off in: clients raise that as the error it is.
    """

    def __init__(self, answer: ModelAnswer, record: Record | None, *, max_bytes: int) -> None:
        self._answer = answer
        self._record = StreamRecord(record, max_bytes=max_bytes) if record else None

    def __iter__(self) -> Iterator[bytes]:
        events = EventSplitter()
        try:
            for chunk in self._answer.chunks():
                for event in events.feed(chunk):
                    self._take(event.data)
                    yield event.raw
        except ApiError as error:
            self._end(error.message)
            yield b"data: " + json.dumps(error.envelope()).encode() + b"\n\n"
            return
        if rest := events.rest():
            self._take(rest.data)
            yield rest.raw
        self._end()

    def close(self) -> None:
        """Called when all has been sent, or when the client has gone away."""
        self._end("The client went away before the end of the answer.")
        self._answer.close()

    def _take(self, data: bytes) -> None:
        if self._record:
            self._record.take(data)

    def _end(self, problem: str | None = None) -> None:
        if self._record:
            self._record.end(problem)
