"""Texts in base64 and in hexadecimal digits within a text."""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_RUN: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}+={0,2}")
_WRAPPED: Final = re.compile(r"(?:[A-Za-z0-9+/]{60,80}\r?\n){1,2000}[A-Za-z0-9+/]{1,80}={0,2}")
"""With line breaks, as in mails and files."""

_LINE: Final = range(60, 81)
_HEX: Final = re.compile(r"(?:0x)?(?:[0-9a-f]{2}){8,}|(?:0x)?(?:[0-9A-F]{2}){8,}")
_COMPRESSED: Final = (b"\x1f\x8b", b"\x78\x01", b"\x78\x9c", b"\x78\xda")
_MOST_UNPACKED: Final = 1024 * 1024
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
    """Yield the texts in base64 or hexadecimal digits within `text`, compressed ones as well."""
    if len(text) < _SHORTEST:
        return
    done = tried = 0
    for match in _RUN.finditer(text):
        start, end = match.span()
        if start < done:
            continue
        # A block is tried once, not again from each of its lines.
        if start >= tried and end - start in _LINE and text.startswith(("\n", "\r\n"), end):
            wrapped = _WRAPPED.match(text, start)
            if wrapped is not None:
                tried = wrapped.end()
                whole = _read(re.sub(r"\s", "", wrapped[0]), *wrapped.span())
                if whole is not None:
                    yield whole
                    done = whole.end
                    continue
        found = _read(match[0], start, end)
        if found is not None:
            yield found


def _read(written: str, start: int, end: int) -> Base64Text | None:
    if _HEX.fullmatch(written):
        return _read_hex(written, start, end)
    sample = _decode(written[:_SAMPLE])
    if sample is None:
        return None
    if sample.startswith(_COMPRESSED):
        return _read_compressed(written, start, end)
    charset = _UTF_16 if len(sample) > 3 and not any(sample[1::2]) else "utf-8"
    head = sample.decode(charset, "ignore")
    if len(head.encode(charset)) < len(sample) - 3 or not _is_text(head):
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

    return Base64Text(start, end, text, encode)


def _read_hex(written: str, start: int, end: int) -> Base64Text | None:
    try:
        text = bytes.fromhex(written.removeprefix("0x")).decode()
    except ValueError:
        return None
    if not _is_text(text):
        return None
    prefix = "0x" if written.startswith("0x") else ""
    return Base64Text(start, end, text, lambda new: prefix + new.encode("utf-8", "replace").hex())


def _read_compressed(written: str, start: int, end: int) -> Base64Text | None:
    content = _decode(written)
    try:
        text = zlib.decompressobj(47).decompress(content or b"", _MOST_UNPACKED).decode()
    except (zlib.error, ValueError):
        return None

    def encode(new: str) -> str:
        content = new.encode("utf-8", "replace")
        packed = gzip.compress(content, mtime=0) if written[0] == "H" else zlib.compress(content)
        return base64.b64encode(packed).decode()

    return Base64Text(start, end, text, encode) if text else None


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
