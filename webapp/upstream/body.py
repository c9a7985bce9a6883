"""The body of an answer, within bounds of time and size, as the text it is.

Owns decompression and decoding. Nothing here knows what the text is about.
"""

from __future__ import annotations

import zlib
from typing import Final

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from webapp.upstream.deadline import Deadline
from webapp.upstream.errors import BadAnswer, TimedOut

MAX_ERROR_BYTES: Final = 64 * 1024
"""An error says what it has to say in less; the rest of its body is not read."""

_CHUNK: Final = 64 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS
_BARE_DEFLATE: Final = -zlib.MAX_WBITS


def read_text(response: requests.Response, *, deadline: Deadline, max_bytes: int) -> str:
    """The whole body. Raises `BadAnswer` or `TimedOut`."""
    try:
        received = _received(response, deadline, max_bytes)
        body = _inflated(received, _encoding(response), max_bytes)
    except ReadTimeoutError as error:
        if deadline.has_passed:
            raise _unfinished(deadline) from error
        raise TimedOut(
            "The server stopped in the middle of its answer.", is_transient=True
        ) from error
    except (HTTPError, EOFError) as error:
        raise BadAnswer("The server's answer broke off.", is_transient=True) from error
    except zlib.error as error:
        raise BadAnswer("The server's answer is compressed, but damaged.") from error
    if max(len(received), len(body)) > max_bytes:
        raise BadAnswer(
            f"The server's answer is larger than {max_bytes:,} bytes.",
            advice="Ask for fewer at a time, as with limit=1 in the address, or raise "
            "READBACK_MAX_BYTES.",
        )
    return _decoded(body)


def read_error_text(response: requests.Response, *, deadline: Deadline) -> str:
    """As much of an error's body as can be had: its first 64 KiB, or nothing."""
    try:
        received = _received(response, deadline, MAX_ERROR_BYTES)
        body = _inflated(received, _encoding(response), MAX_ERROR_BYTES)
    except (HTTPError, EOFError, zlib.error, TimedOut, BadAnswer):
        return ""
    return body[:MAX_ERROR_BYTES].decode("utf-8-sig", errors="replace")


def _received(response: requests.Response, deadline: Deadline, max_bytes: int) -> bytes:
    """The bytes as sent: all of them, or somewhat more than `max_bytes` when there are more.

    `read1` gives what has arrived; `read` and `stream` would block until a chunk is full,
    which a slow server never lets happen.
    """
    body = bytearray()
    while len(body) <= max_bytes:
        if deadline.has_passed:
            raise _unfinished(deadline)
        chunk = response.raw.read1(_CHUNK, decode_content=False)
        if not chunk:
            break
        body += chunk
    return bytes(body)


def _unfinished(deadline: Deadline) -> TimedOut:
    return TimedOut(f"The server did not finish its answer in {deadline.seconds:g} seconds.")


def _encoding(response: requests.Response) -> str:
    return response.headers.get("Content-Encoding", "").strip().lower()


def _inflated(data: bytes, encoding: str, max_bytes: int) -> bytes:
    """`data` decompressed, cut after `max_bytes` + 1 so that a bomb cannot unfold.

    Raises `EOFError` when the compressed data ends early.
    """
    if encoding in ("", "identity"):
        return data
    if encoding in ("gzip", "x-gzip"):
        return _stream(data, _GZIP, max_bytes)
    if encoding == "deflate":
        return _undeflated(data, max_bytes)
    raise BadAnswer("The server's answer is compressed in a way Readback did not ask for.")


def _undeflated(data: bytes, max_bytes: int) -> bytes:
    """`deflate` means zlib, but some servers send it bare."""
    try:
        return _stream(data, _ZLIB, max_bytes)
    except zlib.error:
        return _stream(data, _BARE_DEFLATE, max_bytes)


def _stream(data: bytes, window: int, max_bytes: int) -> bytes:
    stream = zlib.decompressobj(window)
    out = stream.decompress(data, max_bytes + 1)
    if len(out) > max_bytes:
        return out
    if not stream.eof:
        raise EOFError("the compressed data ends early")
    if stream.unused_data:
        raise zlib.error("something follows the compressed data")
    return out


def _decoded(body: bytes) -> str:
    """`body` as UTF-8, whatever its charset claims, since JSON has no other.

    Wrong bytes are an error and not replaced: a replacement would be shown, copied and
    exported as if the server had stored it.
    """
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadAnswer(
            f"The server's answer is not UTF-8 (byte {error.start} of {len(body)})."
        ) from error
