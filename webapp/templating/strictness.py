"""What a template may not do: print what has no UTF-8."""

from __future__ import annotations

from typing import Any

from webapp.formatting import LONE_SURROGATES


def encodable(value: Any) -> Any:
    """Lone surrogates have no UTF-8: the page shows U+FFFD, the raw view their escapes."""
    if isinstance(value, str) and not value.isascii() and LONE_SURROGATES.search(value):
        return type(value)(LONE_SURROGATES.sub("\ufffd", value))
    return value
