"""Bounds of the embedded server's memory."""

from __future__ import annotations

from typing import Final

MAX_VALUES: Final = 250_000
"""The most JSON values of one request or answer that are parsed; they take about 40 MB."""

MAX_IMPORTED_VALUES: Final = 2_000_000
"""The most JSON values of one imported document, which takes about 400 MB then."""

MAX_WIDE_TEXT: Final = 64 * 1024 * 1024
"""The most bytes that the text of one request, beside its media, takes when it is read.

With one emoji, each character takes four of them.
"""
