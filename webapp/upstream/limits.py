"""How long, how much and how often the client tries: the numbers an operator may change."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one call. Times are in seconds, sizes in bytes after decompression.

    `read_timeout` bounds the wait for the next bytes, `page_timeout` the whole call with its
    retries. `max_bytes` leaves room for a page of messages with images inlined as base64.
    `pool_size` is how many connections are kept; the number of threads is a good value.
    """

    connect_timeout: float = 5.0
    read_timeout: float = 10.0
    page_timeout: float = 20.0
    max_bytes: int = 64 * MEBIBYTE
    max_retries: int = 2
    pool_size: int = 16
