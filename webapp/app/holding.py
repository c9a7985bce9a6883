"""Let each request hold large answers of the server, within the places of the process."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from io import FileIO
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Final

from webapp.addresses.forwarding import CLIENT
from webapp.addresses.hosts import name_source
from webapp.serving.admission import Kind, classify
from webapp.upstream import Holder, Places, hold_answers
from webapp.upstream.large_answers import AT_ONCE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_IN_MEMORY: Final = 1024 * 1024
_IN_FILE: Final = 512 * 1024 * 1024
"""Bytes of an answer that are written ahead of its client."""
_PIECE: Final = 256 * 1024
_BEGINNING: Final = 1024 * 1024
"""Bytes that our server takes even if the client takes none."""
_SECONDS: Final = 1.0
"""The time between the pieces of the beginning, so that a reader sees pages as they come."""
_SILENT_SECONDS: Final = 10.0
"""The same of the rest: proxies give up an answer of which nothing comes for a minute."""


class HoldAnswers:
    """The WSGI layer that gives the place of a request back when its answer has been made.

    A client that takes its file slowly has the rest of it in a temporary file, and no place. Half
    of the threads of each kind, or one of four, are left to requests that do not wait for a place.
    """

    def __init__(
        self,
        app: WSGIApplication,
        threads: Mapping[Kind, int],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._monotonic = monotonic
        self._places = Places()
        self._most_waiting = {
            kind: max(1, number // 2 - AT_ONCE) for kind, number in threads.items()
        }

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        kind = classify(method, path, environ.get("QUERY_STRING", ""), has_body=method == "POST")
        most = self._most_waiting[kind]
        client = name_source(environ.get(CLIENT, ""))
        answer = HeldAnswer(
            Holder(self._places, kind.value, most_waiting=most, client=client),
            monotonic=self._monotonic,
        )
        try:
            with hold_answers(answer.holder):
                answer.body = self._app(environ, start)
        except BaseException:
            answer.close()
            raise
        return answer


class HeldAnswer:
    """The body of an answer, which the server closes at its end or when the client has gone."""

    def __init__(self, holder: Holder, *, monotonic: Callable[[], float]) -> None:
        self.body: Iterable[bytes] = ()
        self.holder = holder
        self._monotonic = monotonic

    def __iter__(self) -> Iterator[bytes]:
        pieces = iter(self.body)
        while (piece := self._make_next(pieces)) is not None:
            if not self.holder.has_place:
                yield piece
                continue
            with closing(_WrittenAhead()) as ahead:
                sent, sent_at = 0, self._monotonic()
                while piece is not None:
                    ahead.add(piece)
                    pause = _SECONDS if sent < _BEGINNING else _SILENT_SECONDS
                    if self._monotonic() - sent_at > pause:
                        written = ahead.read(sent)
                        yield written
                        sent, sent_at = sent + len(written), self._monotonic()
                    piece = None if ahead.is_full else self._make_next(pieces)
                is_whole = not ahead.is_full
                if is_whole:
                    del pieces
                    self.close()
                while written := ahead.read(sent):
                    yield written
                    sent += len(written)
            if is_whole:
                return

    def close(self) -> None:
        body, self.body = self.body, ()
        try:
            close = getattr(body, "close", None)
            if close is not None:
                close()
        finally:
            self.holder.end()

    def _make_next(self, pieces: Iterator[bytes]) -> bytes | None:
        with hold_answers(self.holder):
            return next(pieces, None)


class _WrittenAhead:
    """The beginning of an answer, which its client may still take: in a file if it is long.

    A disk without room makes it full, and the last piece stays in memory.
    """

    def __init__(self) -> None:
        self.is_full = False
        self._file: FileIO | None = None
        self._in_file = 0
        self._held = b""

    def add(self, piece: bytes) -> None:
        """Add a piece; none may follow one that has made it full."""
        self._held += piece
        if self._in_file + len(self._held) > _IN_MEMORY:
            try:
                self._move_to_file()
            except OSError:
                self.is_full = True
        self.is_full = self.is_full or self._in_file >= _IN_FILE

    def read(self, start: int) -> bytes:
        """Read some bytes from `start` on, none at the end."""
        if self._file is None or start >= self._in_file:
            start -= self._in_file
            return self._held[start : start + _PIECE]
        return os.pread(self._file.fileno(), min(_PIECE, self._in_file - start), start)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _move_to_file(self) -> None:
        """Move what is held to the file. Raises `OSError` if there is no room for all of it."""
        if self._file is None:
            self._file = TemporaryFile(prefix="readback-", buffering=0)  # noqa: SIM115
        if self._file.write(self._held) != len(self._held):
            raise OSError("the disk is full")
        self._in_file += len(self._held)
        self._held = b""
