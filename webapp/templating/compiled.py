"""The compiled templates of the process, for all of its applications."""

from __future__ import annotations

from types import CodeType
from typing import Final

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

_KEPT: Final[dict[str, tuple[str, CodeType]]] = {}
"""The checksum of the source and the code of each template, by the key that Jinja gives it."""


class CompiledTemplates(BytecodeCache):
    """Compiles each template once in a process, although every application has an environment.

    The pages of shares and of kept copies are applications of their own. `install` gives all
    environments the same options, which the code depends on as it does on the source.
    """

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = _KEPT.get(bucket.key, (None, None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            _KEPT[bucket.key] = bucket.checksum, bucket.code
