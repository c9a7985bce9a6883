"""Send requests over connections that keep to a deadline.

A server that sends one byte a second would hold a thread for ever: a read time-out does not
help, not even during the headers, since each byte restarts it. So every read from a socket here
is limited to the time that the deadline leaves, and so is every piece of a body that is sent: a
socket otherwise keeps the time-out of its connection for all of the body.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from http.client import SWITCHING_PROTOCOLS, BadStatusLine, RemoteDisconnected
from http.client import HTTPConnection as RawConnection
from http.client import HTTPResponse as RawResponse
from threading import Event
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from webapp.http.deadline import Deadline

_PIECE: Final = 64 * 1024
"""Bytes of a body that are sent within one time-out."""
_MAX_INTERIM: Final = 16
"""Interim responses before a response; a server may send some hints, but not for ever."""


class StaleConnection(RemoteDisconnected):
    """A kept connection was gone before a byte of this response: the request was not served."""


@dataclass(frozen=True, slots=True)
class _ReadLimits:
    deadline: Deadline
    read_timeout: float

    def limit_next_read(self) -> float:
        """Compute the seconds the next read may take. Raises `TimeoutError` after the deadline."""
        remaining = self.deadline.remaining()
        if remaining <= 0:
            raise TimeoutError("the deadline has passed")
        return min(self.read_timeout, remaining)


_read_limits: ContextVar[_ReadLimits] = ContextVar("read_limits")

_meanwhile: ContextVar[Callable[[], object] | None] = ContextVar("meanwhile", default=None)

_in_progress: Final[set[_TimedReads]] = set()
"""The responses that are being read."""
_is_ended = Event()


def end_requests() -> None:
    """Break off all responses that are read by a deadline, as the process is about to end.

    A thread that waits for a silent server goes on at once, and no request succeeds any more.
    """
    _is_ended.set()
    for reads in list(_in_progress):
        reads.break_off()


def is_ended() -> bool:
    """Return whether `end_requests` was called."""
    return _is_ended.is_set()


@contextmanager
def read_deadline(deadline: Deadline, *, read_timeout: float) -> Iterator[None]:
    """Let requests sent within read their responses, bodies read later included, by `deadline`."""
    token = _read_limits.set(_ReadLimits(deadline, read_timeout))
    try:
        yield
    finally:
        _read_limits.reset(token)


@contextmanager
def work_meanwhile(work: Callable[[], object] | None) -> Iterator[None]:
    """Let the first request within do `work`, which raises nothing, before it reads its response.

    It is not done if no request could be sent, or if this process answers it.
    """
    token = _meanwhile.set(work)
    try:
        yield
    finally:
        _meanwhile.reset(token)


class DeadlineAdapter(HTTPAdapter):
    """Sends over timed connections, with the same proxy and certificates each time."""

    def __init__(self, *, pool_connections: int, pool_maxsize: int) -> None:
        super().__init__(pool_connections=pool_connections, pool_maxsize=pool_maxsize)
        self._pools: dict[str, Any] = {}

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Return the pool of the request's origin, which costs as much to find as to use."""
        parts = urlsplit(str(request.url))
        origin = f"{parts.scheme}://{parts.netloc}"
        pool = self._pools.get(origin)
        if pool is None:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            self._pools[origin] = pool
        return pool

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Build a response without its cookies and charset, which nobody reads."""
        response = requests.Response()
        response.request, response.url = req, str(req.url)
        response.status_code, response.reason = resp.status, resp.reason
        response.headers = CaseInsensitiveDict(resp.headers)
        response.raw = resp
        return response

    def close(self) -> None:
        self._pools.clear()
        super().close()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class TimedAdapter(DeadlineAdapter):
    """Sends requests that may be repeated; a kept connection that has died costs no retry."""

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send, and send again as long as the connection turns out stale.

        Each such try takes a dead connection out of the pool, so the loop ends on a fresh one.
        """
        while True:
            try:
                return super().send(request, stream, timeout, verify, cert, proxies)
            except requests.ConnectionError as error:
                if not _is_stale(error):
                    raise


def _is_stale(error: BaseException) -> bool:
    """Return whether `StaleConnection` is among the errors that `error` wraps."""
    wrapped = (inner for inner in error.args if isinstance(inner, BaseException))
    return isinstance(error, StaleConnection) or any(map(_is_stale, wrapped))


class _TimedReads(io.RawIOBase):
    """The bytes of one response, each read from the socket limited by the deadline."""

    def __init__(self, raw: io.RawIOBase, connection: socket.socket, limits: _ReadLimits) -> None:
        self._raw = raw
        self._connection = connection
        self._limits = limits
        self.has_received = False
        _in_progress.add(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if _is_ended.is_set():
            raise ConnectionAbortedError("the process ends")
        self._connection.settimeout(self._limits.limit_next_read())
        count = self._raw.readinto(buffer)
        self.has_received = self.has_received or bool(count)
        return count

    def break_off(self) -> None:
        """Let the thread that reads find the end of the connection."""
        # Not by the method of TLS sockets, which would then read what is left without decrypting.
        with suppress(OSError):
            socket.socket.shutdown(self._connection, socket.SHUT_RDWR)

    def close(self) -> None:
        _in_progress.discard(self)
        super().close()
        self._raw.close()


class _FinalResponse(RawResponse):
    """A response without the interim ones before it, such as `103 Early Hints`.

    The base class skips `100 Continue` only. `101` is final: the connection is HTTP no more.
    """

    def begin(self) -> None:
        super().begin()
        for _ in range(_MAX_INTERIM):
            if not 100 <= self.status < 200 or self.status == SWITCHING_PROTOCOLS:
                return
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()
        raise BadStatusLine("interim responses only")


class _TimedConnection(HTTPConnection):
    """A connection that keeps to the deadline of each request, and knows whether it was used."""

    _was_used = False
    _reads: _TimedReads | None = None

    def connect(self) -> None:
        self._was_used = False
        self._reads = None
        super().connect()

    def send(self, data: Any) -> None:
        """Send `data` piece by piece, each within the rest of the deadline."""
        limits = _read_limits.get(None)
        if limits is None or not isinstance(data, bytes):
            super().send(data)
            return
        if self.sock is None:
            self.connect()
        view = memoryview(data)
        for start in range(0, len(view), _PIECE):
            self.sock.settimeout(limits.limit_next_read())
            super().send(view[start : start + _PIECE])

    def putheader(self, header: str, *values: str) -> None:  # type: ignore[override]
        # Without the way of urllib3 to leave one out, which nothing here takes.
        RawConnection.putheader(self, header, *values)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        work = _meanwhile.get()
        if work is not None:
            _meanwhile.set(None)
            work()
        try:
            response = super().getresponse()
        except ConnectionError as error:
            received = self._reads is not None and self._reads.has_received
            if self._was_used and not received:
                raise StaleConnection(str(error)) from error
            raise
        self._was_used = True
        return response

    def response_class(  # type: ignore[override]
        self, connection: socket.socket, *args: Any, **kwargs: Any
    ) -> RawResponse:
        response = _FinalResponse(connection, *args, **kwargs)
        limits = _read_limits.get(None)
        if limits is not None:
            self._reads = _TimedReads(response.fp.detach(), connection, limits)
            response.fp = io.BufferedReader(self._reads)
        return response


class _TimedTlsConnection(_TimedConnection, HTTPSConnection):
    """The same over TLS."""


class _TimedPool(HTTPConnectionPool):
    ConnectionCls = _TimedConnection


class _TimedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _TimedTlsConnection


_POOLS = {"http": _TimedPool, "https": _TimedTlsPool}
