"""The paths that Readback can be served under, as a proxy or a setting names them."""

from __future__ import annotations

import re
from typing import Final

_PREFIX: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")
_OWN: Final = frozenset({"completions", "healthz", "open", "remote-image", "static", "v1"})
"""The first segments of the paths that Readback answers itself."""


def is_prefix(path: str) -> bool:
    """Return whether `path` can be put before every path of Readback's.

    `//host` would lead to another server, and `..` out of the prefix again.
    """
    return _PREFIX.fullmatch(path) is not None


def is_own_path(path: str) -> bool:
    """Return whether `path` begins like a path of Readback's own."""
    return path.partition("/")[2].partition("/")[0] in _OWN
