"""The event loop of one worker: connections, their time-outs, and an orderly stop."""

from __future__ import annotations

import logging
import math
import os
import resource
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from webapp.redaction import mask_logger
from webapp.serving.admission import Admission, Kind, Quotas
from webapp.serving.channels import Channel
from webapp.serving.queues import FairQueue

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

BACKLOG: Final = 2_048
MAX_CONNECTIONS: Final = 4_096
IDLE_SECONDS: Final = 75
"""How long a connection is kept between two requests."""
SILENT_SECONDS: Final = 30
"""How long a client may send nothing of a request, or take nothing of an answer."""
PRESSED_SECONDS: Final = 10
"""The same where others are refused because such clients hold all places of a kind."""
_TICK: Final = 1.0
_END_SECONDS: Final = 1.0
"""How long threads may go on at the end, once their requests to others are ended, and again once
their connections are closed."""
_TEND_SECONDS: Final = 0.1
"""The time between two looks at all connections, which take as long as a small answer."""
ACCEPTED_AT_ONCE: Final = 4
"""Connections that are accepted in a turn of the loop; the others may be for other workers."""
_PAUSE: Final = 20e-6
"""Seconds that a worker leaves connections to the other workers, for each that it has."""
_MAX_PAUSE: Final = 1e-3
_FILES_PER_CONNECTION: Final = 3
"""The socket, and a file each for a large body and a large answer."""
_MAX_HEAD_BYTES: Final = 64 * 1024
_HELD_ANSWER: Final = 2 * 1024 * 1024
"""Bytes of a stream that wait for the client, mostly in a file, until its thread waits too."""
HELD_IN_ALL: Final = 512 * 1024 * 1024
"""Bytes of all answers that wait; beyond, the clients that take nothing lose theirs."""


class Server(TcpWSGIServer):  # type: ignore[misc]
    """Serves `app` on a listening socket; if it `shares`, others accept from the same one.

    A request must arrive, and its answer must be taken, within `transfer_seconds`. Of answers that
    wait for their clients, `most_held` bytes are held. `clock` returns the seconds by which clients
    become overdue.
    """

    channel_class = Channel
    accepting: bool

    def __init__(
        self,
        app: WSGIApplication,
        listener: socket.socket,
        quotas: Quotas,
        transfer_seconds: float,
        *,
        shares: bool = False,
        most_held: int = HELD_IN_ALL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.admission: Final = Admission(quotas)
        self._transfer_seconds = transfer_seconds
        self._shares = shares
        self._most_held = most_held
        self._clock = clock
        self._stops_at: float | None = None
        self._most = _limit_connections()
        self._answered = deque[Channel]()
        """Channels that a thread is done with, and that hold back further requests."""
        self._pools: dict[Kind, ThreadedTaskDispatcher] = {}
        for kind, threads in quotas.threads.items():
            self._pools[kind] = ThreadedTaskDispatcher()
            self._pools[kind].queue = FairQueue(
                most_of_one=quotas.threads_of_one.get(kind, threads)
            )
            self._pools[kind].set_thread_count(threads)
        # That requests wait, or that clients leave, is nothing to report.
        mask_logger(logging.getLogger("waitress")).setLevel(logging.ERROR)
        super().__init__(
            app,
            {},
            True,
            listener,
            dispatcher=self._pools[Kind.QUICK],
            adj=_configure(listener, self._most),
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            bind_socket=False,
        )

    def handle_accept(self) -> None:
        """Accept connections that wait.

        Each wakes all that share the socket. The first to accept would get most of a burst and be
        short of time while the others are idle, so one with fewer connections is let go first.

        A turn of the loop takes the longer, the more connections there are: one each would let
        the last of a thousand wait for seconds.
        """
        if self._shares:
            time.sleep(min(_MAX_PAUSE, _PAUSE * len(self.active_channels)))
        for _ in range(ACCEPTED_AT_ONCE):
            before = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) == before or len(self._map) >= self._most:
                return

    def add_task(self, channel: Channel) -> None:
        """Give the next request of a channel to the threads of its kind."""
        self._pools[channel.requests[0].kind].add_task(channel)

    def let_read_on(self, channel: Channel) -> None:
        """Let a channel read the requests that it holds back; a thread has answered the last."""
        self._answered.append(channel)
        self.pull_trigger()

    def maintenance(self, now: float) -> None:
        """Do nothing: `tend` has waitress's time-out of idle connections, and the others."""

    def serve(
        self, *, parent: int | None = None, end_requests: Callable[[], object] = lambda: None
    ) -> None:
        """Answer requests until `stop`, and then those that have arrived.

        Stop as well if there is a `parent` process and it has gone. `end_requests` ends the
        requests to other servers that answers wait for, before those are cut off.
        """
        tended_at = -math.inf
        while not self._has_stopped():
            if self._stops_at is not None and time.monotonic() > self._stops_at - _END_SECONDS:
                end_requests()
            if parent is not None and self._stops_at is None and os.getppid() != parent:
                self.stop(0)
            wasyncore.loop(timeout=_TICK, use_poll=True, map=self._map, count=1)
            while self._answered:
                # It reads on there, and a fault closes that connection alone.
                wasyncore.write(self._answered.popleft())
            now = self._clock()
            # A full server accepts nobody until then.
            if abs(now - tended_at) >= _TEND_SECONDS or len(self._map) >= self._most:
                self.tend(now)
                tended_at = now
        end_requests()
        for pool in self._pools.values():
            pool.set_thread_count(0)
        # Threads that still answer may pull the trigger: it stays open.
        for channel in list(self.active_channels.values()):
            channel.cut_off()
        # Their next write fails. What they have streamed until then is stored in this time.
        end = time.monotonic() + _END_SECONDS
        for pool in self._pools.values():
            with pool.thread_exit_cv:
                while pool.threads and (left := end - time.monotonic()) > 0:
                    pool.thread_exit_cv.wait(left)

    def close_trigger(self) -> None:
        """Close the trigger after `serve`, once no thread answers any more."""
        for pool in self._pools.values():
            pool.shutdown()
        self.trigger.close()

    def stop(self, seconds: float) -> None:
        """Let `serve` return once all requests are answered, at the latest after `seconds`.

        May be called by a signal handler.
        """
        self._stops_at = time.monotonic() + seconds
        self.pull_trigger()

    def tend(self, now: float) -> None:
        """Close the connections that a client keeps for too long, as of `now`."""
        channels: list[Channel] = list(self.active_channels.values())
        for channel in channels:
            one = channel.current
            is_pressed = one is not None and self.admission.is_full(one.kind, one.client)
            silent = PRESSED_SECONDS if is_pressed else SILENT_SECONDS
            if channel.is_overdue(
                now, idle=IDLE_SECONDS, silent=silent, transfer=self._transfer_seconds
            ):
                channel.cut_off()
        held = sum(one.total_outbufs_len for one in channels)
        for channel in sorted(channels, key=lambda one: one.last_activity):
            if held <= self._most_held:
                break
            held -= channel.total_outbufs_len
            if channel.total_outbufs_len:
                channel.cut_off()
        # Clients that ask for nothing must leave others room; the newest may only have connected.
        surplus = len(self._map) - self._most * 9 // 10
        if surplus > 0:
            spare = [one for one in self.active_channels.values() if one.is_spare]
            for channel in sorted(spare, key=lambda one: one.spare_since)[:surplus]:
                channel.cut_off()

    def _has_stopped(self) -> bool:
        if self._stops_at is None:
            return False
        if self.accepting:
            self.accepting = False
            self.del_channel()
            self.socket.close()
        for channel in list(self.active_channels.values()):
            if channel.is_idle or channel.is_arriving:
                channel.cut_off()
        return not self.active_channels or time.monotonic() >= self._stops_at

    def set_reuse_addr(self) -> None:
        """Do nothing: the socket is bound already."""


def _configure(listener: socket.socket, most_connections: int) -> Adjustments:
    return Adjustments(
        backlog=BACKLOG,
        # The app decides which proxies it trusts.
        clear_untrusted_proxy_headers=False,
        # Beyond, connections wait to be accepted. `tend` closes idle ones first.
        connection_limit=most_connections,
        asyncore_use_poll=True,
        ident=None,
        log_socket_errors=False,
        max_request_header_size=_MAX_HEAD_BYTES,
        # Admission has the limits of bodies.
        max_request_body_size=2**62,
        outbuf_high_watermark=_HELD_ANSWER,
        # The channel moves what waits to a file, and knows what to do if the disk is full.
        outbuf_overflow=sys.maxsize,
        recv_bytes=64 * 1024,
        sockets=[listener],
    )


def _limit_connections() -> int:
    """Limit the number of connections by the limit of open files, which is raised if possible."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS * _FILES_PER_CONNECTION
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    files = wanted if soft == resource.RLIM_INFINITY else min(soft, wanted)
    return max(16, files // _FILES_PER_CONNECTION)
