"""Whole small images and sounds that a browser can show and play, each made here."""

from __future__ import annotations

import base64
import struct
import wave
from io import BytesIO
from typing import Final

from tests.support.media_bytes import box
from webapp.embedded.samples import SAMPLES

_MEDIA: Final = SAMPLES / "media"

# A key frame of AV1, 64 by 48 pixels: a white square on red.
_AV1: Final = base64.b64decode(
    "EgAKDAAAAAKv94A0QENAYTKBARBhACyyyxQSQNmKUL2yhM9ERBV/FD4jFnL4ftel+rIC1L/zXLYmlpa+gy0OjXiUKOP7"
    "i9K3+4Fxuz3LkdvtpxLw9PH5didZUnvcNya9WVw4G+Cwk9LVjVZbWRFoUtFBD9EpVMDDuG8HGnoB4YEN0gLXXF6+3qMr"
    "dixslnqQ/bBBCg=="
)


def images() -> dict[str, bytes]:
    """One image of each format, by its extension."""
    names = ("harbour.png", "fjord.jpg", "beacon.gif", "lighthouse.webp")
    found = {name.rpartition(".")[2]: (_MEDIA / name).read_bytes() for name in names}
    return found | {"avif": avif()}


def sounds() -> dict[str, tuple[bytes, float]]:
    """One sound of each format with its seconds, by its extension."""
    answer = (_MEDIA / "ferry-answer.mp3").read_bytes()
    return {
        "wav": (wav(2.0), 2.0),
        "mp3": (answer, len(answer) / 4_000),
        "flac": (flac(2.0), 2.0),
        "ogg": (opus(100), 2.0),
        "aac": (aac(50), 50 * 1_024 / 24_000),
    }


def samples(seconds: float) -> bytes:
    """A square wave of 200 Hz as headerless samples, 24,000 a second."""
    return b"".join(
        struct.pack("<h", 4_000 if at // 60 % 2 else -4_000) for at in range(int(24_000 * seconds))
    )


def wav(seconds: float) -> bytes:
    out = BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(24_000)
        sound.writeframes(samples(seconds))
    return out.getvalue()


def flac(seconds: float) -> bytes:
    """Frames of 4,800 samples that are all the same, at 48,000 a second."""
    count, size = round(seconds * 10), 4_800
    info = struct.pack(">HH6x", size, size)
    info += (48_000 << 44 | 15 << 36 | count * size).to_bytes(8, "big") + bytes(16)
    out = b"fLaC\x80" + len(info).to_bytes(3, "big") + info
    for number in range(count):
        head = b"\xff\xf8\x7a\x08" + bytes([number]) + struct.pack(">H", size - 1)
        frame = head + bytes([_remainder(head, 8, 0x07)]) + b"\x00\x10\x00"
        out += frame + _remainder(frame, 16, 0x8005).to_bytes(2, "big")
    return out


def opus(packets: int) -> bytes:
    """Silence in packets of 20 ms, in pages of Ogg."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I8sI", 8, b"Readback", 0)
    pages = [(2, 0, [head]), (0, 0, [tags]), (4, 960 * packets, [b"\xf8\xff\xfe"] * packets)]
    return b"".join(_page(at, *page) for at, page in enumerate(pages))


def aac(frames: int) -> bytes:
    """Silence in ADTS frames of AAC-LC, 24 kHz, one channel."""
    body = b"\x00\xc8\x00\x80\x23\x80"
    fields = 0xFFF1 << 40 | 1 << 38 | 6 << 34 | 1 << 30 | (len(body) + 7) << 13 | 0x7FF << 2
    return (fields.to_bytes(7, "big") + body) * frames


def avif() -> bytes:
    """One item, the AV1 frame, described as the format asks."""
    handler = box(b"hdlr", struct.pack(">II4s12xx", 0, 0, b"pict"))
    primary = box(b"pitm", struct.pack(">IH", 0, 1))
    entry = box(b"infe", struct.pack(">IHH4sx", 2 << 24, 1, 0, b"av01"))
    items = box(b"iinf", struct.pack(">IH", 0, 1) + entry)
    shape = box(b"ispe", struct.pack(">III", 0, 64, 48))
    depth = box(b"pixi", struct.pack(">IBBBB", 0, 3, 8, 8, 8))
    codec = box(b"av1C", b"\x81\x00\x0c\x00")
    uses = struct.pack(">IIHBBBB", 0, 1, 1, 3, 1, 2, 0x83)
    properties = box(b"iprp", box(b"ipco", shape + depth + codec) + box(b"ipma", uses))
    kind = box(b"ftyp", b"avif\0\0\0\0avifmif1miaf")
    before = len(kind) + 12 + len(handler + primary + items + properties) + 30
    places = struct.pack(">IBBHHHHII", 0, 0x44, 0, 1, 1, 0, 1, before + 8, len(_AV1))
    meta = box(b"meta", bytes(4) + handler + primary + box(b"iloc", places) + items + properties)
    assert len(kind + meta) == before
    return kind + meta + box(b"mdat", _AV1)


def _page(number: int, flags: int, granule: int, packets: list[bytes]) -> bytes:
    head = b"OggS" + struct.pack("<BBqIII", 0, flags, granule, 1, number, 0)
    page = head + bytes([len(packets), *map(len, packets)]) + b"".join(packets)
    return page[:22] + struct.pack("<I", _remainder(page, 32, 0x04C11DB7)) + page[26:]


def _remainder(data: bytes, bits: int, polynomial: int) -> int:
    """The checksum that FLAC and Ogg ask for, of so many bits."""
    remainder, top = 0, 1 << bits - 1
    for byte in data:
        remainder ^= byte << bits - 8
        for _ in range(8):
            remainder = (remainder << 1 ^ (polynomial if remainder & top else 0)) % (top << 1)
    return remainder
