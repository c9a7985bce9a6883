"""Respond with JSON; large texts are sent in slices, from temporary files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from tempfile import TemporaryFile
from threading import BoundedSemaphore
from typing import BinaryIO, Final

from flask import Response

from webapp.embedded.documents.api_json import Extended
from webapp.embedded.store.pages import JsonPage
from webapp.exact_json import iter_encoded

SLICE: Final = 256 * 1024
"""Bytes of a large text that are sent at once, and characters of one that is not large."""
READS_AT_ONCE: Final = 2
"""How many texts all requests of a process read at once: each may have tens of megabytes."""

_reading: Final = BoundedSemaphore(READS_AT_ONCE)


def respond(json: str | bytes | Iterator[bytes]) -> Response:
    return Response(json, content_type="application/json")


def respond_with_page(page: JsonPage) -> Response:
    """Send a page; a large one is read and sent object by object."""
    return respond_with_pieces(page.iter_json()) if page.is_large else respond(page.to_json())


def respond_with_pieces(pieces: Iterator[str | Extended]) -> Response:
    """Send one JSON text that is read in pieces.

    The first two slices are read before that, so that an error of the store has its own answer.
    """
    slices = iter_slices(pieces)
    first = list(islice(slices, 2))
    return respond(first[0] if len(first) == 1 else chain(first, slices))


def iter_slices(pieces: Iterator[str | Extended]) -> Iterator[bytes]:
    """Yield the bytes of `pieces`, each of which is read only when its turn to be sent has come.

    A client that reads slowly keeps a large piece in a temporary file, and nothing in memory.
    `pieces` must not keep the texts that it has yielded.
    """
    while True:
        with _reading:
            held = _take(pieces)
        if held is None:
            return
        if isinstance(held, bytes):
            yield held
            continue
        with held:
            while data := held.read(SLICE):
                yield data


def _take(pieces: Iterator[str | Extended]) -> bytes | BinaryIO | None:
    """Take the next piece, in a file if it is large; None after the last one."""
    piece = next(pieces, None)
    if piece is None:
        return None
    if len(piece) <= SLICE:
        return str(piece).encode()
    file = TemporaryFile(prefix="readback-")  # noqa: SIM115
    try:
        file.writelines(iter_encoded(piece) if isinstance(piece, str) else piece.iter_encoded())
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file
