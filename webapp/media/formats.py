"""What some bytes are, by their first ones; and how large an image says it is.

The claims of a message are not asked: a type is given only to bytes that start like it. SVG
is text that can hold script, so it has no type here and is a download like all the unknown.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_PIXELS: Final = 100_000_000
"""An image that says it has more is a download: drawing it would cost the browser 400 MB."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format: how it is shown (`image`, `audio` or `download`), its type and its word."""

    shown_as: str
    mimetype: str
    word: str
    extension: str


PNG: Final = Format("image", "image/png", "PNG", "png")
JPEG: Final = Format("image", "image/jpeg", "JPEG", "jpg")
GIF: Final = Format("image", "image/gif", "GIF", "gif")
WEBP: Final = Format("image", "image/webp", "WebP", "webp")
AVIF: Final = Format("image", "image/avif", "AVIF", "avif")
WAV: Final = Format("audio", "audio/wav", "WAV", "wav")
MP3: Final = Format("audio", "audio/mpeg", "MP3", "mp3")
FLAC: Final = Format("audio", "audio/flac", "FLAC", "flac")
OGG: Final = Format("audio", "audio/ogg", "Ogg", "ogg")
AAC: Final = Format("audio", "audio/aac", "AAC", "aac")
PDF: Final = Format("download", "application/pdf", "PDF", "pdf")
DOWNLOAD: Final = Format("download", "application/octet-stream", "unknown format", "bin")

_STARTS: Final = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"fLaC", FLAC),
    (b"OggS", OGG),
    (b"ID3", MP3),
    (b"%PDF-", PDF),
)


def format_of(data: bytes) -> Format:
    """The format that `data` starts like; `DOWNLOAD` when it is none we know."""
    for start, found in _STARTS:
        if data.startswith(start):
            return found
    if data[:4] == b"RIFF":
        return {b"WEBP": WEBP, b"WAVE": WAV}.get(data[8:12], DOWNLOAD)
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return AVIF
    return _bare_audio_frames(data)


def _bare_audio_frames(data: bytes) -> Format:
    """MP3 and AAC have no magic number: a frame's eleven or twelve set bits and sane fields."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return DOWNLOAD
    layer, version = data[1] >> 1 & 3, data[1] >> 3 & 3
    if layer == 0:
        return AAC if data[1] & 0xF0 == 0xF0 else DOWNLOAD
    bitrate, rate = data[2] >> 4, data[2] >> 2 & 3
    sane = bitrate not in (0, 15) and rate != 3 and version != 1
    # Layers I and II are not MP3; the byte order mark of UTF-16 text looks like the first.
    return MP3 if layer == 1 and sane else DOWNLOAD


def image_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels as the header of an image says; None when it cannot be read."""
    try:
        match format_of(data):
            case found if found is PNG:
                size = struct.unpack(">II", data[16:24])
            case found if found is GIF:
                size = struct.unpack("<HH", data[6:10])
            case found if found is JPEG:
                size = _jpeg_size(data)
            case found if found is WEBP:
                size = _webp_size(data)
            case found if found is AVIF:
                size = _avif_size(data)
            case _:
                return None
    except (struct.error, IndexError):
        return None
    width, height = size
    return (width, height) if width and height else None


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Walks the segments to the frame header; IndexError or struct.error when there is none."""
    at = 2
    while True:
        if data[at] != 0xFF:
            raise IndexError
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        at += 2 + max(length, 2)


def _avif_size(data: bytes) -> tuple[int, int]:
    """The largest of the `ispe` boxes, which come one an item: the image, its tiles, its alpha."""
    boxes = [struct.unpack(">II", data[at : at + 8]) for at in _ends(data, b"ispe\0\0\0\0")]
    if not boxes:
        raise IndexError
    width, height = max(boxes, key=lambda box: int(box[0]) * int(box[1]))
    return width, height


def _ends(data: bytes, wanted: bytes) -> Iterator[int]:
    at = data.find(wanted)
    while at >= 0:
        yield at + len(wanted)
        at = data.find(wanted, at + 1)


def _webp_size(data: bytes) -> tuple[int, int]:
    match data[12:16]:
        case b"VP8 ":
            width, height = struct.unpack("<HH", data[26:30])
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (bits,) = struct.unpack("<I", data[21:25])
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case _:
            wide, high = data[24:27] + b"\0", data[27:30] + b"\0"
            return struct.unpack("<I", wide)[0] + 1, struct.unpack("<I", high)[0] + 1
