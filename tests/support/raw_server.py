"""A server over bare sockets, for faults below HTTP: drips, resets, truncation, silence."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeAlias

from tests.support.fake_upstream import MOUNT


class Connection:
    """One accepted connection of a `RawServer`, as its scripts see it."""

    def __init__(self, peer: socket.socket, stopping: threading.Event) -> None:
        self._peer = peer
        self._stopping = stopping

    def receive(self) -> bytes:
        """Return the head of the next request (tests send no large bodies), empty at the end."""
        return self._peer.recv(65536)

    def receive_slowly(self, end: bytes, *, every: float = 0.01) -> None:
        """Read at most 256 KiB at a time, with waits, up to the bytes `end`."""
        last = b""
        while not last.endswith(end) and not self._stopping.wait(every):
            last = last[-len(end) :] + self._peer.recv(262_144)

    def send(self, data: bytes) -> None:
        self._peer.sendall(data)

    def drip(self, data: bytes, *, every: float = 0.02) -> None:
        """Send one byte at a time, until all is sent or the server is being closed."""
        for byte in data:
            if self._stopping.wait(every):
                return
            self._peer.sendall(bytes([byte]))

    def stay_silent(self) -> None:
        """Keep the connection open and send nothing until the server is closed."""
        self._stopping.wait()

    def reset(self) -> None:
        """Close with a RST in place of a FIN."""
        self._peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._peer.close()


Script: TypeAlias = Callable[[Connection], None]


class RawServer:
    """Runs one script a connection, the last of them for all further ones.

    `connections` counts the connections, `finished` the scripts that ran to their end.
    """

    def __init__(self, *scripts: Script) -> None:
        self._scripts = scripts
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._peers: list[socket.socket] = []
        self.connections = 0
        self.finished = 0

    def __enter__(self) -> RawServer:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for peer in self._peers:
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def base_url(self) -> str:
        return f"http://{self.address}{MOUNT}"

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            self._peers.append(peer)
            self._start(self._run, script, peer)

    def _run(self, script: Script, peer: socket.socket) -> None:
        with peer, suppress(OSError):
            script(Connection(peer, self._stopping))
            self.finished += 1

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()


def http_answer(body: bytes, *, status: str = "200 OK", **headers: str) -> bytes:
    """Return a whole response, with a `Content-Length`; underscores become hyphens in names."""
    named: Mapping[str, str] = {"Content_Length": str(len(body))} | headers
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body
