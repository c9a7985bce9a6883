"""Read the size of an image from its header."""

from __future__ import annotations

import re
import struct
from typing import Final

from webapp.media.formats import AVIF, GIF, JPEG, PNG, WEBP, detect_format

MAX_PIXELS: Final = 100_000_000
"""A larger image is a download: drawing it would cost the browser 400 MB."""

_MAX_HEIGHT: Final = 512
_MAX_ENTRIES: Final = 200
_ORIENTATION: Final = 0x0112
_ISPE: Final = re.compile(rb"ispe\0\0\0\0")


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
