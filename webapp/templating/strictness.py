"""What a template may not do: print what has no UTF-8."""

from __future__ import annotations

import re
from typing import Any

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")


def encodable(value: Any) -> Any:
    """Lone surrogates have no UTF-8: the page shows U+FFFD, the raw view their escapes."""
    if isinstance(value, str) and not value.isascii() and _LONE_SURROGATES.search(value):
        return type(value)(_LONE_SURROGATES.sub("\ufffd", value))
    return value
