"""Serve a small OpenAI-compatible model server on a real port.

It returns a fixed answer unless a test scripts others, which can wait for an event or break off.
It keeps every request, and notices when a client closes its connection.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]

PATIENCE: Final = 30.0
"""Seconds after which a test that still waits has failed."""

STREAM: Final = "text/event-stream; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """A request as it arrived; header names are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"


@dataclass(frozen=True)
class Answer:
    """An answer in pieces, each sent at once; before sending on, the server waits for an event.

    If it `breaks_off`, its connection is closed before the answer is complete.
    """

    pieces: tuple[bytes | threading.Event, ...]
    status: int = 200
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    breaks_off: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(piece for piece in self.pieces if isinstance(piece, bytes))


def whole(body: Json | bytes, **fields: Any) -> Answer:
    """Return an answer with this body."""
    return Answer((body if isinstance(body, bytes) else _compact(body),), **fields)


def stream(*events: Json | bytes | threading.Event, done: bool = True, **fields: Any) -> Answer:
    """Return a stream of chunks; bytes among them are sent unchanged."""
    pieces = [_event(one) if isinstance(one, dict) else one for one in events]
    pieces += [b"data: [DONE]\n\n"] * done
    return Answer(tuple(pieces), content_type=STREAM, **fields)


def completion(completion_id: str = "chatcmpl-1", text: str = "Hello!", **fields: Any) -> Json:
    """Return a completion as the API answers a create request."""
    message: Json = {
        "role": "assistant",
        "content": text,
        "refusal": None,
        "annotations": [],
    }
    return {
        "id": completion_id,
        "object": "chat.completion",
        "created": 1_758_039_103,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
    } | fields


def chunk(*choices: Json, completion_id: str = "chatcmpl-1", **fields: Any) -> Json:
    """Return one chunk of a stream."""
    return {
        "id": completion_id,
        "object": "chat.completion.chunk",
        "created": 1_758_039_103,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": list(choices),
    } | fields


def delta(index: int = 0, finish_reason: str | None = None, **members: Any) -> Json:
    """Return one choice of a chunk."""
    return {"index": index, "delta": members, "logprobs": None, "finish_reason": finish_reason}


def chunks_of(*texts: str, completion_id: str = "chatcmpl-1") -> list[Json]:
    """Return the chunks of an answer made of `texts`."""
    said = [delta(role="assistant", content="")]
    said += [delta(content=text) for text in texts]
    said += [delta(finish_reason="stop")]
    return [chunk(one, completion_id=completion_id) for one in said]


@dataclass
class FakeModel:
    """The server; `left` is set after a client has closed its connection before the end."""

    answers: deque[Answer] = field(default_factory=deque)
    requests: list[Request] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    _ids: Iterator[int] = field(default_factory=count)

    def script(self, *answers: Answer) -> None:
        """Answer the next requests with `answers`, in order."""
        self.answers.extend(answers)

    def forget(self) -> None:
        """Drop what earlier tests scripted and asked for."""
        self.answers.clear()
        self.requests.clear()
        self.left.clear()

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Serve in a thread; yield the base URL, such as `http://127.0.0.1:40123/v1`."""
        model = self

        class Handler(_Handler):
            pass

        Handler.model = model
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        if self.answers:
            return self.answers.popleft()
        if not request.path.partition("?")[0].endswith("/chat/completions"):
            return whole({"path": request.path, "method": request.method})
        completion_id = f"chatcmpl-fake{next(self._ids)}"
        if json.loads(request.body).get("stream"):
            return stream(*chunks_of("Hel", "lo!", completion_id=completion_id))
        return whole(completion(completion_id))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: FakeModel

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.model.answer(Request(self.path, headers, body, self.command))
        is_stream = answer.content_type == STREAM
        length = len(answer.body) + answer.breaks_off
        framing = ("Transfer-Encoding", "chunked") if is_stream else ("Content-Length", str(length))
        self.send_response(answer.status)
        for name, value in (("Content-Type", answer.content_type), framing, *answer.headers):
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = answer.breaks_off
        if self.command == "HEAD":
            return
        try:
            self._send(answer, is_stream)
        except OSError:
            self.model.left.set()
            self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_POST

    def _send(self, answer: Answer, is_stream: bool) -> None:
        for piece in self._pieces(answer):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_stream else piece)
            self.wfile.flush()
        if is_stream and not answer.breaks_off:
            self.wfile.write(b"0\r\n\r\n")

    def _pieces(self, answer: Answer) -> Iterable[bytes]:
        for piece in answer.pieces:
            if isinstance(piece, bytes):
                yield piece
            elif not piece.wait(PATIENCE):
                raise TimeoutError("the test did not set the event")

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: the tests read what the code under test logs."""


def _event(chunk: Json) -> bytes:
    return b"data: " + _compact(chunk) + b"\n\n"


def _compact(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
