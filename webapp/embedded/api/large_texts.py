"""Send large texts of the store without holding them in memory until the client has taken them."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryFile
from threading import BoundedSemaphore
from typing import BinaryIO, Final

from webapp.exact_json import iter_encoded

SLICE: Final = 256 * 1024
"""Bytes of a large text that are sent at once, and characters of one that is not large."""
READS_AT_ONCE: Final = 2
"""How many texts all requests of a process read at once: each may have tens of megabytes."""

_reading: Final = BoundedSemaphore(READS_AT_ONCE)


def iter_slices(pieces: Iterator[str]) -> Iterator[bytes]:
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


def _take(pieces: Iterator[str]) -> bytes | BinaryIO | None:
    """Take the next piece, in a file if it is large; None after the last one."""
    piece = next(pieces, None)
    if piece is None:
        return None
    if len(piece) <= SLICE:
        return piece.encode()
    file = TemporaryFile(prefix="readback-")  # noqa: SIM115
    try:
        file.writelines(iter_encoded(piece))
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file
