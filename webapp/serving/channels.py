"""One connection: its requests as they arrive, and its answers as they leave.

Extends waitress where it trusts its clients: bytes that are not HTTP get a bare status line,
requests that are sent at once wait for each other, and a client that still sends reads its refusal
before the connection closes.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from io import FileIO
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, Final

from waitress.buffers import FileBasedBuffer, OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.task import ErrorTask, WSGITask

from webapp.http.decompression import HOLDS_BYTES
from webapp.serving.admission import PAGES
from webapp.serving.arriving import Request
from webapp.serving.refusals import REFUSED

if TYPE_CHECKING:
    from webapp.serving.server import Server

LINGER_SECONDS: Final = 5
"""How long a client may go on sending after the answer, to be discarded.

A connection closed with unread bytes is reset, and the client may then lose the answer.
"""

_WRITTEN_AT_ONCE: Final = 64 * 1024
"""Bytes of an answer that are added to those that wait. More would go to a file first, also if the
client takes them at once."""


HELD_IN_MEMORY: Final = 256 * 1024
"""Bytes of an answer that wait in memory; more of them go to a file."""


class _Head(bytes):
    """The head of an answer, which leaves in one packet with the bytes after it."""


class _AppTask(WSGITask):  # type: ignore[misc]
    """Asks the app for an answer, or for the words of a refusal."""

    chunked_response: bool
    wrote_header: bool

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        refusal = self.request.refusal
        environ[HOLDS_BYTES] = self.request.holds_bytes
        if refusal is not None:
            environ[REFUSED] = refusal
            environ["CONTENT_LENGTH"] = "0"
            self.set_close_on_finish()
        return environ

    @property
    def has_body(self) -> bool:
        """Whether the answer has a body; to HEAD it has the headers of one, and none follows."""
        is_over = self.wrote_header and self.request.command == "HEAD"
        return bool(super().has_body) and not is_over

    def build_response_header(self) -> _Head:
        """Build the head of the answer."""
        head = _Head(super().build_response_header())
        self.chunked_response = self.chunked_response and self.request.command != "HEAD"
        return head

    def write(self, data: bytes) -> None:
        """Write a part of the body, the first one with the head."""
        super().write(data)
        # The head of an answer without a body has nothing to wait for.
        self.channel.write_soon(b"")


class _BareErrorTask(ErrorTask):  # type: ignore[misc]
    """Answers anything but HTTP with a status line and no words, least of all its own."""

    def execute(self) -> None:
        error = self.request.error
        self.status = f"{error.code} {error.reason}"
        self.set_close_on_finish()
        self.content_length = 0
        self.write(b"")


class _FileBuffer(FileBasedBuffer):  # type: ignore[misc]
    """Bytes in a temporary file, which can still be read if the disk takes no more of them."""

    file: FileIO
    remain: int

    def __init__(self, held: bytes) -> None:
        super().__init__(TemporaryFile(prefix="readback-", buffering=0))  # noqa: SIM115
        try:
            self.append(held)
        except OSError:
            self.close()
            raise

    def append(self, data: bytes) -> None:
        """Add all of `data`, or raise `OSError` and add nothing."""
        end = at = self.file.tell() + self.remain
        left = memoryview(data)
        try:
            while left:
                written = os.pwrite(self.file.fileno(), left, at)
                at, left = at + written, left[written:]
        except OSError:
            self.file.truncate(end)
            raise
        self.remain += len(data)


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection of a `Server`.

    Its state is in attributes of waitress, and in `_lingers_until`:

        between requests ──► head arrives ──► body arrives ──► answered by a thread
               ▲                                                        │
               └────────────────────── answer leaves ◄──────────────────┘
                                             │ if the connection is to close
                                             ▼
                                         lingers ──► closed

        State               In                                             Properties
        between requests    `request` is None or empty                     is_idle, is_spare
        head arrives        `request`                                      is_arriving, is_spare
        body arrives        `request` with `headers_finished`              is_arriving
        answered            `requests`, the one that is answered first
        answer leaves       `total_outbufs_len`, without `requests`        is_spare
        lingers             `_lingers_until`, the time at which it ends
        closed              `will_close`

    While a request is answered, parts of the answer may leave. `_unsent_since` is the time since
    which a part waits for the client to take it. Waitress sets `close_when_flushed` if the
    connection is to close after the answer. A connection that lingers has sent the end of its
    answer, and discards all that the client still sends.
    """

    task_class = _AppTask
    error_task_class = _BareErrorTask

    server: Server
    connected: bool
    outbufs: list[Any]
    request: Request | None
    requests: list[Request]
    total_outbufs_len: int
    will_close: bool
    close_when_flushed: bool

    def __init__(self, server: Server, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        self._lingers_until: float | None = None
        self._unsent_since: float | None = None
        self._is_flushing = False
        self._held_back = b""
        self._head = b""
        super().__init__(server, sock, *args, **kwargs)

    def parser_class(self, adj: Any) -> Request:
        """Create a request, which the server's admission decides on."""
        return Request(adj, self.server.admission, self.addr[0], self._hold_back)

    def _hold_back(self, data: bytes) -> None:
        self._held_back = data

    def read_on(self) -> None:
        """Read what was sent with a request, once that is answered and its answer has left.

        A client that sends a thousand requests at once has the place of one at a time. Once it has
        gone, nobody would give back the place of what it sent.
        """
        is_free = self.connected and not self.requests and not self.total_outbufs_len
        if self._held_back and is_free:
            data, self._held_back = self._held_back, b""
            self.received(data)

    def service(self) -> None:
        """Answer a request in a thread; then the loop reads the next one that was sent with it."""
        super().service()
        if self._held_back:
            self.server.let_read_on(self)

    @property
    def last_activity(self) -> float:
        """When the client last sent or took anything."""
        return self._last_activity

    @last_activity.setter
    def last_activity(self, _now: float) -> None:
        # Waitress sets the time of day: if that is corrected, all connections would be overdue, or
        # none for long.
        self._last_activity = time.monotonic()

    @property
    def current(self) -> Request | None:
        """The request that arrives or is answered; None between requests."""
        # A thread may remove the request meanwhile.
        return next(iter(self.requests), self.request)

    @property
    def is_idle(self) -> bool:
        """Whether nothing was asked that has not been answered and sent."""
        is_asked = self.request is not None and not self.request.empty
        return not (is_asked or self.requests or self.total_outbufs_len or self._held_back)

    @property
    def is_arriving(self) -> bool:
        """Whether all that is open is a request that has not arrived whole."""
        return self.request is not None and not self.requests and not self.total_outbufs_len

    @property
    def is_spare(self) -> bool:
        """Whether no request is in hand: the head of one, or the end of an answer, may be.

        Bodies that arrive have a share of their own.
        """
        return not self.requests and (self.request is None or not self.request.headers_finished)

    @property
    def spare_since(self) -> float:
        """When the client last did something, other than sending the head of a request slowly."""
        return self.last_activity if self.request is None else self.request.started

    def write_soon(self, data: Any) -> int:
        """Send a part of an answer, or let it wait for the client."""
        if isinstance(data, _Head):
            self._head = data
            return len(data)
        if not isinstance(data, bytes):
            return int(super().write_soon(data))
        data, self._head = self._head + data, b""
        for start in range(0, len(data), _WRITTEN_AT_ONCE):
            piece = data[start : start + _WRITTEN_AT_ONCE]
            try:
                super().write_soon(piece)
            except OSError:
                # The disk has become full. What is in the file leaves before the rest.
                with self.outbuf_lock:
                    self.outbufs.append(OverflowableBuffer(self.adj.outbuf_overflow))
                super().write_soon(piece)
            self._move_to_file()
        return len(data)

    def _move_to_file(self) -> None:
        """Move a large part that waits to a temporary file, if the disk has room for it."""
        with self.outbuf_lock:
            buffer = self.outbufs[-1]
            if not self.connected or buffer.overflowed or len(buffer) < HELD_IN_MEMORY:
                return
            with suppress(OSError):
                buffer.buf, buffer.overflowed = _FileBuffer(buffer.get()), True

    def _flush_outbufs_below_high_watermark(self) -> None:
        # Pages are made whole, and have few threads: one that is taken slowly must hold none.
        if self.requests[0].kind not in PAGES:
            super()._flush_outbufs_below_high_watermark()

    def _flush_some(self, do_close: bool = True) -> bool:
        self._is_flushing = True
        try:
            return bool(super()._flush_some(do_close))
        finally:
            self._is_flushing = False

    def handle_write(self) -> None:
        if self.socket is None:
            # The same turn of the loop has read the end of the connection.
            return
        if self.close_when_flushed and not self.will_close:
            self._flush_exception(self._flush_some)
            # A client that has reset the connection loses its answer, and the socket is gone.
            if not self.connected or self.total_outbufs_len or self.will_close:
                return
            self.close_when_flushed = False
            # Send the end of the answer, and discard all that still comes until the client has it.
            self._lingers_until = time.monotonic() + LINGER_SECONDS
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                self.cut_off()
            return
        super().handle_write()
        self.read_on()

    def readable(self) -> bool:
        return self._lingers_until is not None or bool(not self._held_back and super().readable())

    def writable(self) -> bool:
        # A thread that sends wakes the loop if it leaves anything. The loop would run in circles
        # until then, and keep that thread from going on.
        is_sent = self._is_flushing and not (self.will_close or self.close_when_flushed)
        return self._lingers_until is None and not is_sent and bool(super().writable())

    def handle_read(self) -> None:
        if self._lingers_until is None:
            super().handle_read()
            return
        with suppress(OSError):
            if self.recv(self.adj.recv_bytes):
                return
        self.cut_off()

    def handle_close(self) -> None:
        # Requests in the hands of a thread are closed there.
        if self.request is not None:
            self.request.close()
            self.request = None
        super().handle_close()

    def cut_off(self) -> None:
        """Close the connection now; a thread that writes to it gets an error."""
        self.will_close = True
        self.handle_close()

    def is_overdue(self, now: float, *, idle: float, silent: float, transfer: float) -> bool:
        """Return whether the client has kept the connection too long, at time `now`.

        It may be `idle` between requests, `silent` within a request or an answer, and may take
        `transfer` seconds for all of one.
        """
        if self._lingers_until is not None:
            return now > self._lingers_until
        if not self.total_outbufs_len:
            self._unsent_since = None
        elif self._unsent_since is None:
            self._unsent_since = now
        silence = now - self.last_activity
        if self._unsent_since is not None:
            unsent = now - self._unsent_since
            # The answer itself may have taken long: that was no silence of the client.
            return min(silence, unsent) > silent or unsent > transfer
        if self.requests:
            return False
        if self.request is None:
            return silence > idle
        took = now - self.request.started
        return silence > silent or took > (transfer if self.request.headers_finished else silent)
