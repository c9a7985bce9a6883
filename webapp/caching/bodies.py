"""The bytes of a page, with their validator and their compressed form."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

LEVEL: Final = 3
"""Of gzip: twice as fast as the usual 6, and a few percent larger."""

BODY: Final = "readback_body"
"""The name in `flask.g` of the body that is answered with, if it is kept."""


@dataclass(frozen=True, slots=True)
class Body:
    """A page that is kept, so that neither is made again."""

    plain: bytes
    compressed: bytes
    etag: str

    @classmethod
    def of(cls, plain: bytes) -> Body:
        return cls(plain, compress(plain), find_etag(plain))

    @property
    def size(self) -> int:
        return len(self.plain) + len(self.compressed)


def compress(plain: bytes) -> bytes:
    """Compress the bytes with gzip, to the same bytes each time."""
    return gzip.compress(plain, LEVEL, mtime=0)


def find_etag(plain: bytes) -> str:
    """Compute the validator of a page."""
    return blake2b(plain, digest_size=12).hexdigest()
