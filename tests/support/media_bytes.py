"""The beginnings of images and sounds, and messages' ways of carrying bytes."""

from __future__ import annotations

import base64
import struct

from webapp.media import InlineMedia


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x02\0\0\0"


def gif(width: int, height: int, version: bytes = b"89a") -> bytes:
    return b"GIF" + version + struct.pack("<HH", width, height) + b"\x80\0\0"


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def jpeg(width: int, height: int, *, before: bytes = b"", marker: int = 0xC0) -> bytes:
    frame = struct.pack(">BHHB", 8, height, width, 3) + b"\0" * 9
    return b"\xff\xd8" + segment(0xE0, b"JFIF\0") + before + segment(marker, frame)


def riff(kind: bytes, chunk: bytes, body: bytes) -> bytes:
    inside = kind + chunk + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(inside)) + inside


def webp(width: int, height: int) -> bytes:
    return riff(b"WEBP", b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height))


def webp_lossless(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    return riff(b"WEBP", b"VP8L", b"\x2f" + struct.pack("<I", bits))


def webp_extended(width: int, height: int) -> bytes:
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return riff(b"WEBP", b"VP8X", b"\0\0\0\0" + size)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def avif(*sizes: tuple[int, int], brand: bytes = b"avif") -> bytes:
    boxes = b"".join(box(b"ispe", struct.pack(">III", 0, *size)) for size in sizes)
    return box(b"ftyp", brand + b"\0\0\0\0mif1") + box(b"meta", b"\0\0\0\0" + boxes)


WAVE = riff(b"WAVE", b"fmt ", struct.pack("<HHIIHH", 1, 1, 24_000, 48_000, 2, 16))
MPEG_FRAME = b"\xff\xfb\x90\x64" + b"\0" * 12
AAC_FRAME = b"\xff\xf1\x50\x80" + b"\0" * 12
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def uri(data: bytes, mimetype: str = "image/png") -> str:
    return f"data:{mimetype};base64,{base64.b64encode(data).decode()}"


def media(data: bytes, claimed: str | None = None) -> InlineMedia:
    return InlineMedia(base64.b64encode(data).decode(), claimed)
