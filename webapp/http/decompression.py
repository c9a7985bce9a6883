"""Decompress bodies as they arrive, and notice where one ends early."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

ENCODINGS: Final = frozenset({"gzip", "x-gzip", "deflate"})

HOLDS_BYTES: Final = "readback.holds_bytes"
"""The WSGI variable with a function that takes the bytes of a request's body, also decompressed,
and returns whether the server may hold so many."""

_PIECE: Final = 64 * 1024
"""Bytes that are unfolded at once, so that a bomb takes no memory."""
_MEMBER: Final = 0x1F
"""The first byte of a member of a gzip file."""
_DEFLATED: Final = 8
"""The method in the low half of the first byte of zlib's format."""


def iter_decompressed(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield the bytes that were compressed with `encoding`, one of `ENCODINGS`.

    Bytes after the end are ignored, unless they are another member of a gzip file. Raise
    `EOFError` if `chunks` end before the compressed data does, `zlib.error` if that is damaged.
    """
    stream = None
    has_begun = False
    for chunk in chunks:
        while chunk:
            if stream is None:
                if has_begun and (encoding == "deflate" or chunk[0] != _MEMBER):
                    return
                window = 16 + zlib.MAX_WBITS
                if encoding == "deflate":
                    # It means zlib, but some servers send it bare.
                    is_bare = chunk[0] & 15 != _DEFLATED
                    window = -zlib.MAX_WBITS if is_bare else zlib.MAX_WBITS
                stream = zlib.decompressobj(window)
                has_begun = True
            piece = stream.decompress(chunk, _PIECE)
            while piece:
                yield piece
                piece = stream.decompress(stream.unconsumed_tail, _PIECE)
            chunk = stream.unused_data
            if stream.eof:
                stream = None
    if stream is not None:
        raise EOFError("the compressed data ends early")
