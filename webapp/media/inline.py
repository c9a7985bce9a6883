"""Hold media inside a message, base64 or a `data:` URI, as text until they are decoded."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

from webapp.media.formats import DOWNLOAD, WAV, Format, detect_format
from webapp.media.headers import MAX_PIXELS, PCM_RATE, fit_height, read_image_size

MAX_CHARACTERS: Final = 128 * 1024 * 1024
"""Longer texts are not decoded."""

_HEAD: Final = 64 * 1024
_LONG_HEAD: Final = 2 * 1024 * 1024
"""Characters decoded to detect format and size; the second is for a JPEG with long profiles."""

_CHECKED: Final = 64
_END: Final = 64 * 1024
_DATA_URI = re.compile(r"data:([^,;]*+)((?:;[^,;]*+|(?!))*+),", re.IGNORECASE)
_URL_SAFE: Final = str.maketrans("-_", "+/")
_STRAY: Final = re.compile(r"[^A-Za-z0-9+/=]")
_HEADERLESS: Final = frozenset({"pcm16", "pcm", "pcm_s16le"})


class NotMedia(ValueError):
    """The text cannot be decoded; the message is the reason, for the reader."""


@dataclass(frozen=True)
class InlineMedia:
    """Media in a message: `text` as sent, `claimed` the format that the sender declared."""

    text: str
    claimed: str | None = None

    @cached_property
    def digest(self) -> str:
        """The name of the content: 32 hexadecimal digits of the SHA-256 of `kept`."""
        return compute_digest(self.kept)

    @property
    def kept(self) -> bytes:
        """The bytes to cache: the claim if decoding needs it, and the text."""
        claim = self.claimed if self._is_headerless else ""
        return f"{claim}\n{self.text}".encode("utf-8", "surrogatepass")

    @classmethod
    def from_kept(cls, kept: bytes) -> InlineMedia:
        claim, _, text = kept.decode("utf-8", "surrogatepass").partition("\n")
        return cls(text, claim or None)

    def as_pcm16(self) -> InlineMedia:
        """Return the same bytes as headerless sound, unless they have a header."""
        return replace(self, claimed="pcm16")

    @property
    def claim(self) -> str | None:
        """The format declared by the sender or by the `data:` URI, for the reader."""
        said = self.claimed or (self._uri[1] if self._uri else "")
        return "".join(letter for letter in said[:60] if letter.isprintable()) or None

    @cached_property
    def format(self) -> Format:
        """The format by the first bytes; headerless sound is WAV, since that header is added.

        An image is a download if it is too large or its size is unknown.
        """
        found = self.sniffed
        if found is DOWNLOAD and self._is_headerless:
            return WAV
        if found.shown_as == "image":
            width, height = self.image_size or (0, 0)
            return found if 0 < width * height <= MAX_PIXELS else DOWNLOAD
        return found

    @cached_property
    def sniffed(self) -> Format:
        """The format by the first bytes alone."""
        return detect_format(self._head)

    @property
    def is_headerless(self) -> bool:
        """Whether it is sound only because it is declared as samples without a header."""
        return self._is_headerless and self.sniffed is DOWNLOAD

    @cached_property
    def image_size(self) -> tuple[int, int] | None:
        """Width and height in pixels; None if it is not an image or has no readable header."""
        if self.sniffed.shown_as != "image":
            return None
        return read_image_size(self._head) or read_image_size(self._decode_first(_LONG_HEAD))

    @property
    def shown_size(self) -> tuple[int, int] | None:
        """Width and height at which a page shows the image."""
        return fit_height(self.image_size) if self.image_size else None

    @cached_property
    def size(self) -> int:
        """The number of decoded bytes; for base64 computed from its length."""
        if not self._is_base64:
            return len(self._decode(self._body))
        return max(0, len(self._body) * 3 // 4 - self._body[-2:].count("="))

    @cached_property
    def problem(self) -> str | None:
        """Why this cannot be decoded, by its length and both ends; None if nothing is wrong."""
        if self._is_base64 and _STRAY.search(self._body[:_CHECKED] + self._body[-_CHECKED:]):
            return "The data is not base64 (it holds characters that base64 has not)."
        # Padding may be missing without a cut, but not from an image that is not recognized.
        may_be_cut = self.sniffed is DOWNLOAD and (self.claim or "").startswith("image/")
        is_whole = len(self._compact) % 4 == 0 or not may_be_cut
        if self._is_base64 and (len(self._body) % 4 or not is_whole):
            return "The data is not base64 (its length is no multiple of four, as if cut off)."
        try:
            self._decode(self._body[:_CHECKED])
            self._decode(self._body[-_CHECKED:])
        except NotMedia as wrong:
            return str(wrong)
        return None

    def decode(self) -> bytes:
        """Decode the bytes, with a header if they had none. Raise `NotMedia` if decoding fails."""
        if len(self._body) > MAX_CHARACTERS:
            raise NotMedia("The data is too long to be decoded.")
        data = self._decode(self._body)
        if self._is_headerless and detect_format(data) is DOWNLOAD:
            return _build_wav_header(len(data)) + data
        return data

    @cached_property
    def end(self) -> bytes:
        """The last bytes; empty if they cannot be decoded or the length is wrong for base64."""
        if not self._is_base64 or len(self._body) % 4:
            return b""
        try:
            return self._decode(self._body[-_END:])
        except NotMedia:
            return b""

    @cached_property
    def _head(self) -> bytes:
        return self._decode_first(_HEAD)

    def _decode_first(self, characters: int) -> bytes:
        try:
            return self._decode(self._body[:characters])
        except NotMedia:
            return b""

    @property
    def _is_headerless(self) -> bool:
        return self.claimed in _HEADERLESS

    @cached_property
    def _uri(self) -> re.Match[str] | None:
        return _DATA_URI.match(self.text)

    @cached_property
    def _compact(self) -> str:
        """The text to decode. Base64 may be wrapped in lines, and escaped in a `data:` URI."""
        body = self.text[self._uri.end() :] if self._uri else self.text
        if not self._is_base64:
            return body
        if self._uri and "%" in body:
            body = unquote(body)
        body = "".join(body.split()) if any(space in body for space in " \t\r\n") else body
        return body.translate(_URL_SAFE) if "-" in body or "_" in body else body

    @cached_property
    def _body(self) -> str:
        """The text to decode, with the padding that some servers leave out."""
        lacking = -len(self._compact) % 4 if self._is_base64 else 0
        return self._compact + "=" * lacking if lacking in (1, 2) else self._compact

    @property
    def _is_base64(self) -> bool:
        return self._uri is None or self._uri[2].lower().endswith(";base64")

    def _decode(self, body: str) -> bytes:
        if not self._is_base64:
            return unquote_to_bytes(body.encode("utf-8", "surrogatepass"))
        try:
            return base64.b64decode(body.encode("ascii"), validate=True)
        except (UnicodeEncodeError, binascii.Error) as wrong:
            raise NotMedia(f"The data is not base64 ({wrong}).") from wrong


def compute_digest(kept: bytes) -> str:
    """Compute the digest of the media that `kept` holds."""
    return hashlib.sha256(kept).hexdigest()[:32]


def _build_wav_header(size: int) -> bytes:
    """Build the WAV header of `size` bytes of 16-bit samples in one channel."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + size,
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        PCM_RATE,
        PCM_RATE * 2,
        2,
        16,
        b"data",
        size,
    )
