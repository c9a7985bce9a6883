"""Texts in base64 and in hexadecimal digits within a text."""

from __future__ import annotations

import base64
import binascii
import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol

import re2

from webapp.redaction.decoding import iter_decoded

_RUN: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}+={0,2}")
_WRAPPED: Final = re.compile(
    r"(?:[A-Za-z0-9+/]{60,80}\r?\n[ \t]{0,40}){1,2000}[A-Za-z0-9+/]{1,80}={0,2}"
)
"""With line breaks, as in mails and files, perhaps indented."""

_ESCAPED: Final = re.compile(
    r"[A-Za-z0-9+]{3}(?:%2[BbFf]|%3[Dd]|\\{1,4}/|(?:\\{1,4}r)?\\{1,4}n)(?:[A-Za-z0-9+/%=\\]{4}|%3[Dd])"
    # After an escape, whose letters look like digits of base64.
    r"|(?:%[0-7][0-9A-Fa-f]|\\(?:[nrt]|u[0-9A-Fa-f]{4}))[A-Za-z0-9+/_-]{16}"
)
_LINE: Final = range(60, 81)
_SPACES: Final = "\t\r\n\u00a0\u2009\u202f\u3000"
_HEX: Final = re.compile(r"(?:0x)?(?:[0-9a-f]{2}){8,}|(?:0x)?(?:[0-9A-F]{2}){8,}")
_SPACED_HEX: Final = re.compile(
    r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}[ :\n]){7,4096}[0-9A-Fa-f]{2}(?!\w)"
)
_SPACED_HINT: Final = re.compile(r"[ :\n](?:[0-9A-Fa-f]{2}[ :\n]){3}")
"""Rare, and begins with a character that is: texts without it need no slower search."""

_COMPRESSED: Final = (b"\x1f\x8b", b"\x78\x01", b"\x78\x9c", b"\x78\xda")
_BZ2: Final = b"BZh"
_XZ: Final = b"\xfd7zXZ\x00"
_ARCHIVES: Final = (
    # Of ZIP, also of office documents, 7-Zip, RAR, Zstandard, lzip, LZ4, and of older documents.
    *(b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd", b"LZIP\x01"),
    *(b"\x04\x22\x4d\x18", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
)
"""The beginnings of files that hold others, which are not unpacked."""

_SHORTEST_FILE: Final = 100
_TEXTS: Final = re2.compile(rb"[ -~\t\r\n]{12,}|(?:[ -~]\x00){12,}")
"""In the data of pictures, sounds and documents, as of cameras and authors; also in UTF-16."""

_MAX_UNPACKED: Final = 16 * 1024 * 1024
_SHORTEST: Final = 16
_SAMPLE: Final = 64
_MOST_CONTROLS: Final = 0.1
"""The share of characters that a text does not show, as marks at its beginning and colors."""

_LEAST_LATIN: Final = 0.8
"""The share of ASCII in a text that is not in UTF-8; other bytes have less by far."""


@dataclass(frozen=True, slots=True)
class Base64Text:
    """A text in base64 from `start` to `end`."""

    start: int
    end: int
    text: str
    encode: Callable[[str], str]
    """Writes another text in the same way."""
    is_unread: bool = False
    """Whether it cannot be searched: an archive, or too long when unpacked; `text` is in base64."""
    is_binary: bool = False
    """Whether it is a file of another kind, masked as a whole, and `text` are the texts in it."""
    is_shown: bool = False
    """Whether characters of the text are beside their numbers; they are written again as well."""


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
    if _SPACED_HINT.search(text):
        yield from _iter_spaced_hex(text)


def iter_escaped_base64(text: str) -> Iterator[Base64Text]:
    """Yield the texts in base64 whose digits or line breaks are escaped within `text`.

    They are written again without the escapes.
    """
    if ("\\" not in text and "%" not in text) or _ESCAPED.search(text) is None:
        return
    for decoded in iter_decoded(text):
        if decoded.source is not None:
            for one in iter_base64(decoded.text):
                start, end = decoded.locate(one.start, one.end)
                yield replace(one, start=start, end=end)


def _iter_spaced_hex(text: str) -> Iterator[Base64Text]:
    for match in _SPACED_HEX.finditer(text):
        try:
            decoded = bytes.fromhex(re.sub("[ :\n]", "", match[0])).decode()
        except ValueError:
            continue
        if is_text(decoded):
            write = partial(_write_hex, separator=match[0][2])
            yield Base64Text(*match.span(), decoded, write)


def _write_hex(text: str, separator: str) -> str:
    return text.encode("utf-8", "replace").hex(separator)


def _read(written: str, start: int, end: int) -> Base64Text | None:
    if _HEX.fullmatch(written):
        return _read_hex(written, start, end)
    sample = _decode(written[:_SAMPLE])
    if sample is None:
        return None
    is_tar = (
        b"\x00" in sample
        and len(written) > 600
        and (_decode(written[:352]) or b"")[257:262] == b"ustar"
    )
    if is_tar or sample.startswith(_ARCHIVES):
        return Base64Text(start, end, written, str, is_unread=True)
    if sample.startswith((*_COMPRESSED, _BZ2, _XZ)):
        return _read_compressed(written, start, end)
    begins_as_text = _find_charset(sample, is_cut=True) is not None
    is_file = len(written) >= _SHORTEST_FILE
    content = (_decode(written) if begins_as_text or is_file else None) or b""
    charset = _find_charset(content) if begins_as_text else None
    if charset is None:
        return _read_file(content, start, end) if is_file else None
    text = content.decode(charset)
    is_padded, is_url = written.endswith("="), bool(re.search("[_-]", written))

    def encode(new: str) -> str:
        content = new.encode(charset, "replace")
        encoded = (base64.urlsafe_b64encode if is_url else base64.b64encode)(content).decode()
        return encoded if is_padded or len(written) % 4 == 0 else encoded.rstrip("=")

    return Base64Text(start, end, text, encode)


def _read_file(content: bytes, start: int, end: int) -> Base64Text | None:
    """Read the texts in a picture, a sound or another file that is no text itself."""
    texts = [one.replace(b"\x00", b"").decode() for one in _TEXTS.findall(content)]
    return Base64Text(start, end, "\n".join(texts), str, is_binary=True) if texts else None


def _read_hex(written: str, start: int, end: int) -> Base64Text | None:
    try:
        text = bytes.fromhex(written.removeprefix("0x")).decode()
    except ValueError:
        return None
    if not is_text(text):
        return None
    prefix = "0x" if written.startswith("0x") else ""
    return Base64Text(start, end, text, lambda new: prefix + new.encode("utf-8", "replace").hex())


def _read_compressed(written: str, start: int, end: int) -> Base64Text | None:
    content = _decode(written) or b""
    is_bz2, is_xz = content.startswith(_BZ2), content.startswith(_XZ)
    start_unpacker: Callable[[], _Unpacker] = (
        bz2.BZ2Decompressor
        if is_bz2
        else lzma.LZMADecompressor
        if is_xz
        else partial(zlib.decompressobj, 47)
    )
    try:
        unpacked = _unpack(content, start_unpacker)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError):
        return None
    try:
        text = None if unpacked is None else unpacked.decode()
    except UnicodeDecodeError:
        text = None
    if text is None:
        # Data beyond the part that is searched could contain anything, and so could binary data.
        return Base64Text(start, end, written, str, is_unread=True)

    def encode(new: str) -> str:
        content = new.encode("utf-8", "replace")
        if is_bz2:
            packed = bz2.compress(content)
        elif is_xz:
            packed = lzma.compress(content)
        elif written[0] == "H":
            packed = gzip.compress(content, mtime=0)
        else:
            packed = zlib.compress(content)
        return base64.b64encode(packed).decode()

    return Base64Text(start, end, text, encode) if text else None


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _unpack(content: bytes, start: Callable[[], _Unpacker]) -> bytes | None:
    """Unpack the content of all members, one after the other; None if it is too much."""
    pieces: list[bytes] = []
    size = 0
    while content:
        unpacker = start()
        piece = unpacker.decompress(content, _MAX_UNPACKED - size + 1)
        pieces.append(piece)
        size += len(piece)
        if size > _MAX_UNPACKED:
            return None
        if not unpacker.eof:
            break
        content = unpacker.unused_data
        if not content.startswith((*_COMPRESSED, _BZ2, _XZ)):
            break
    return b"".join(pieces)


def _decode(written: str) -> bytes | None:
    written = written.rstrip("=").replace("-", "+").replace("_", "/")
    # One digit alone, left by a cut, holds no byte.
    written = written[: len(written) - (len(written) % 4 == 1)]
    try:
        return base64.b64decode(written + "=" * (-len(written) % 4), validate=True)
    except binascii.Error:
        return None


def _find_charset(content: bytes, *, is_cut: bool = False) -> str | None:
    """Find the encoding of a text, perhaps cut within a character; None if it is no text."""
    beyond = content[2:] if content.startswith((b"\xff\xfe", b"\xfe\xff")) else content
    if len(beyond) > 3 and not any(beyond[1::2]):
        # Of commands in PowerShell.
        return _check_charset("utf-16-le", content, is_cut)
    if len(beyond) > 3 and not any(beyond[::2]):
        return _check_charset("utf-16-be", content, is_cut)
    return _check_charset("utf-8", content, is_cut) or _check_charset("latin-1", content, is_cut)


def _check_charset(charset: str, content: bytes, is_cut: bool) -> str | None:
    try:
        text = content.decode(charset)
    except UnicodeDecodeError as error:
        if not is_cut or error.start < len(content) - 3:
            return None
        text = content[: error.start].decode(charset)
    if charset == "latin-1" and sum(map(str.isascii, text)) < _LEAST_LATIN * len(text):
        return None
    return charset if is_text(text) else None


def is_text(text: str) -> bool:
    """Return whether nearly all characters are those of a text."""
    shown = sum(character.isprintable() or character in _SPACES for character in text)
    return bool(text) and len(text) - shown <= max(1, _MOST_CONTROLS * len(text))
