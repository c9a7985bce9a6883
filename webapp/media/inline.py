"""A part's own bytes: base64 or a `data:` URI, kept as text until somebody asks for it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import unquote_to_bytes

from webapp.media.formats import DOWNLOAD, MAX_PIXELS, WAV, Format, format_of, image_size
from webapp.messages import Audio, File, Image, InputAudio, Message

_HEAD: Final = 64 * 1024
_LONG_HEAD: Final = 2 * 1024 * 1024
"""Characters read to tell format and size; the second is for a JPEG with much in front of it."""

_DATA_URI = re.compile(r"data:([^,;]*)((?:;[^,;]*)*),", re.IGNORECASE)
_PCM_RATE: Final = 24_000
"""Samples a second of headerless `pcm16`, one channel, as the API documents it."""


class NotMedia(ValueError):
    """The text does not decode; says why, for the reader."""


@dataclass(frozen=True)
class InlineMedia:
    """Bytes in a message: `text` is what was sent, `claimed` the format it is said to be."""

    text: str
    claimed: str | None = None

    @classmethod
    def of(cls, part: object, spoken_as: str | None = None) -> InlineMedia | None:
        """What `part` carries itself; None for parts without data and for remote images.

        `spoken_as` is the format that the request asked spoken answers in.
        """
        match part:
            case Image(url=url) if part.is_inline:
                return cls(url)
            case InputAudio(data=str(data), format=claimed) if data:
                return cls(data, claimed)
            case Audio(data=str(data)) if data:
                return cls(data, spoken_as)
            case File(data=str(data)) if data:
                return cls(data)
        return None

    @classmethod
    def all_of(cls, message: Message, spoken_as: str | None = None) -> tuple[InlineMedia, ...]:
        found = (cls.of(part, spoken_as) for part in message.parts)
        return tuple(media for media in found if media is not None)

    @cached_property
    def digest(self) -> str:
        """Names the content: 32 hexadecimal digits of the SHA-256 of what is kept of it."""
        return hashlib.sha256(self.kept).hexdigest()[:32]

    @property
    def kept(self) -> bytes:
        """All that decoding needs, for a store: the claim when it matters, and the text."""
        claim = self.claimed if self._is_headerless else ""
        return f"{claim}\n{self.text}".encode("utf-8", "surrogatepass")

    @classmethod
    def from_kept(cls, kept: bytes) -> InlineMedia:
        claim, _, text = kept.decode("utf-8", "surrogatepass").partition("\n")
        return cls(text, claim or None)

    @cached_property
    def format(self) -> Format:
        """By the first bytes; headerless sound counts as WAV, since it is given that header.

        An image that is too large, or does not say how large it is, is a download.
        """
        found = format_of(self._head)
        if found is DOWNLOAD and self._is_headerless:
            return WAV
        if found.shown_as == "image" and not 0 < self._pixels <= MAX_PIXELS:
            return DOWNLOAD
        return found

    @cached_property
    def image_size(self) -> tuple[int, int] | None:
        """Width and height in pixels; None for what is no image."""
        if format_of(self._head).shown_as != "image":
            return None
        return image_size(self._head) or image_size(self._first(_LONG_HEAD))

    @property
    def size(self) -> int:
        """Bytes when decoded, reckoned from the length of the base64."""
        body = len(self.text) - self._start
        if not self._is_base64:
            return body
        return max(0, body * 3 // 4 - self.text[-2:].count("="))

    @property
    def problem(self) -> str | None:
        """Why this cannot be shown, by its first bytes; None when all looks well."""
        try:
            self._decode(self.text[self._start : self._start + 64])
        except NotMedia as wrong:
            return str(wrong)
        return None

    def decode(self) -> bytes:
        """The bytes, playable as they are. Raises `NotMedia`."""
        data = self._decode(self.text[self._start :])
        if self._is_headerless and format_of(data) is DOWNLOAD:
            return _wav_header(len(data)) + data
        return data

    @cached_property
    def _head(self) -> bytes:
        return self._first(_HEAD)

    def _first(self, characters: int) -> bytes:
        try:
            return self._decode(self.text[self._start : self._start + characters])
        except NotMedia:
            return b""

    @property
    def _pixels(self) -> int:
        width, height = self.image_size or (0, 0)
        return width * height

    @property
    def _is_headerless(self) -> bool:
        return self.claimed == "pcm16"

    @cached_property
    def _uri(self) -> re.Match[str] | None:
        return _DATA_URI.match(self.text)

    @property
    def _start(self) -> int:
        return self._uri.end() if self._uri else 0

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


def _wav_header(size: int) -> bytes:
    """The 44 bytes in front of `size` bytes of 16-bit samples, one channel."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1),
        *(_PCM_RATE, _PCM_RATE * 2, 2, 16, b"data", size),
    )
