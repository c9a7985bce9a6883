"""Templates compiled once a process, however many applications it makes.

Jinja compiles for each environment anew, which costs more than most pages do. What it compiles
to is the same for the same source, and nothing is written to a disk where it could be changed.
"""

from __future__ import annotations

from types import CodeType
from typing import Final

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class CompiledOnce(BytecodeCache):
    """Keeps the code of every template by its name and source."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._known[bucket.key, bucket.checksum] = bucket.code


COMPILED: Final = CompiledOnce()
"""For environments that compile alike: the code also depends on their blocks' trimming."""
