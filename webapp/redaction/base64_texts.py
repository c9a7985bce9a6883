"""Texts in base64 within a text."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_RUN: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}+={0,2}")
_SHORTEST: Final = 16
_SAMPLE: Final = 64
_UTF_16: Final = "utf-16-le"
"""The encoding of commands in PowerShell."""


@dataclass(frozen=True, slots=True)
class Base64Text:
    """A text in base64 from `start` to `end`."""

    start: int
    end: int
    text: str
    encode: Callable[[str], str]
    """Writes another text in the same way."""


def iter_base64(text: str) -> Iterator[Base64Text]:
    """Yield the texts in base64 within `text`."""
    if len(text) < _SHORTEST:
        return
    for match in _RUN.finditer(text):
        found = _read(match)
        if found is not None:
            yield found


def _read(match: re.Match[str]) -> Base64Text | None:
    written = match[0]
    sample = _decode(written[:_SAMPLE])
    if sample is None:
        return None
    charset = _UTF_16 if len(sample) > 3 and not any(sample[1::2]) else "utf-8"
    start = sample.decode(charset, "ignore")
    if len(start.encode(charset)) < len(sample) - 3 or not _is_text(start):
        return None
    content = _decode(written)
    try:
        text = content.decode(charset) if content is not None else ""
    except UnicodeDecodeError:
        return None
    if not text or not _is_text(text):
        return None
    is_padded, is_url = written.endswith("="), bool(re.search("[_-]", written))

    def encode(new: str) -> str:
        content = new.encode(charset, "replace")
        encoded = (base64.urlsafe_b64encode if is_url else base64.b64encode)(content).decode()
        return encoded if is_padded or len(written) % 4 == 0 else encoded.rstrip("=")

    return Base64Text(match.start(), match.end(), text, encode)


def _decode(written: str) -> bytes | None:
    written = written.rstrip("=").replace("-", "+").replace("_", "/")
    # One digit alone, left by a cut, holds no byte.
    written = written[: len(written) - (len(written) % 4 == 1)]
    try:
        return base64.b64decode(written + "=" * (-len(written) % 4), validate=True)
    except binascii.Error:
        return None


def _is_text(text: str) -> bool:
    return all(character.isprintable() or character in "\t\r\n" for character in text)
