"""Read the size of an image, and the length of a sound in seconds, from their headers.

Headers may be false: the number of reads is limited, nothing raises, and a sound of implausible
length has no duration.
"""

from __future__ import annotations

import io
import re
import struct
from typing import Final

from tinytag import TinyTag

from webapp.media.formats import AAC, AVIF, GIF, JPEG, PNG, WAV, WEBP, Format, detect_format

MAX_PIXELS: Final = 100_000_000
"""A larger image is a download: drawing it would cost the browser 400 MB."""

_MAX_HEIGHT: Final = 512
_MAX_ENTRIES: Final = 200
_ORIENTATION: Final = 0x0112
_ISPE: Final = re.compile(rb"ispe\0\0\0\0")

PCM_RATE: Final = 24_000
"""Samples a second of headerless `pcm16`, one channel, as the API documents it."""

_MAX_READS: Final = 50_000
_MAX_SECONDS: Final = 100 * 3600
_MAX_CHUNKS: Final = 1_000
_AAC_RATES: Final = (
    96_000,
    88_200,
    64_000,
    48_000,
    44_100,
    32_000,
    24_000,
    22_050,
    16_000,
    12_000,
    11_025,
    8_000,
    7_350,
)
_AAC_SAMPLES: Final = 1_024


def read_image_size(data: bytes) -> tuple[int, int] | None:
    """Read width and height in pixels as a browser shows it; None if they cannot be read."""
    try:
        match detect_format(data):
            case found if found is PNG:
                size = struct.unpack(">II", data[16:24])
            case found if found is GIF:
                size = struct.unpack("<HH", data[6:10])
            case found if found is JPEG:
                size = _read_jpeg_size(data)
            case found if found is WEBP:
                size = _read_webp_size(data)
            case found if found is AVIF:
                # Each item has an `ispe` box: the image, its tiles, its alpha.
                boxes = [struct.unpack_from(">II", data, one.end()) for one in _ISPE.finditer(data)]
                size = max(boxes, key=lambda box: int(box[0]) * int(box[1]), default=(0, 0))
            case _:
                return None
    except (struct.error, IndexError):
        return None
    width, height = size
    return (width, height) if width and height else None


def fit_height(size: tuple[int, int]) -> tuple[int, int]:
    """Compute the size at which a page shows an image: its own, or at most 512 pixels high.

    Pages set it as the attributes of the image, so that the browser reserves the space.
    """
    width, height = size
    if height <= _MAX_HEIGHT:
        return size
    return max(1, round(width * _MAX_HEIGHT / height)), _MAX_HEIGHT


def _read_jpeg_size(data: bytes) -> tuple[int, int]:
    """Walk the segments to the frame header; raise IndexError or struct.error without one."""
    at = 2
    turned = False
    while True:
        if data[at] != 0xFF:
            raise IndexError
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return (height, width) if turned else (width, height)
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        if marker == 0xE1 and data.startswith(b"Exif\0\0", at + 4):
            turned = _is_turned(data[at + 10 : at + 2 + length])
        at += 2 + max(length, 2)


def _is_turned(tiff: bytes) -> bool:
    """Return whether browsers turn the picture by a quarter, as its Exif data demand."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return False
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, at)
        for entry in range(min(count, _MAX_ENTRIES)):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, at + 2 + entry * 12)
            if tag == _ORIENTATION:
                return value in (5, 6, 7, 8)
    except struct.error:
        pass
    return False


def _read_webp_size(data: bytes) -> tuple[int, int]:
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


def measure_duration(data: bytes, found: Format) -> float | None:
    """Measure how many seconds `data`, of the format `found`, plays; None if unknown."""
    if found.shown_as != "audio":
        return None
    if found is WAV:
        seconds = _measure_wav(data)
    elif found is AAC:
        seconds = _measure_aac(data)
    else:
        try:
            file = _Reads(data)
            seconds = TinyTag.get(f"sound.{found.extension}", file_obj=file, tags=False).duration
        except Exception:
            # The library does not document its exceptions for malformed files.
            return None
    return seconds if seconds is not None and 0 < seconds < _MAX_SECONDS else None


def format_clock(seconds: float) -> str:
    """Format whole seconds as players do: `0:12`, `1:02:03`; less than one as `0.4 s`."""
    if seconds < 1:
        return f"{max(seconds, 0.1):.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class _Reads(io.BytesIO):
    """A file that can be read only `_MAX_READS` times, so that a scan byte by byte fails."""

    left = _MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise OSError("read too often")
        return super().read(size)


def _measure_wav(data: bytes) -> float | None:
    """Divide the length by bytes a second; a length of 0 means all bytes to the end."""
    at, rate = 12, 0
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(data):
            return None
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"fmt " and at + 20 <= len(data):
            (rate,) = struct.unpack_from("<I", data, at + 16)
        if kind == b"data":
            there = len(data) - at - 8
            return (min(length, there) or there) / rate if rate else None
        at += 8 + length + length % 2
    return None


def _measure_aac(data: bytes) -> float | None:
    """Add up the frames, each of which contains its length and rate."""
    at, seconds = 0, 0.0
    while at + 7 <= len(data) and data[at] == 0xFF and data[at + 1] & 0xF6 == 0xF0:
        rate = data[at + 2] >> 2 & 15
        length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        if rate >= len(_AAC_RATES) or length < 7:
            break
        seconds += _AAC_SAMPLES * ((data[at + 6] & 3) + 1) / _AAC_RATES[rate]
        at += length
    return seconds
