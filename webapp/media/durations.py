"""How long a sound is, by its headers, in seconds.

Headers lie. Nothing here reads more often than a sound of some length needs, keeps more than
it was given, or raises; what is not plausible has no duration.
"""

from __future__ import annotations

import io
import struct
from typing import Final

from tinytag import TinyTag

from webapp.media.formats import AAC, WAV, Format

PCM_RATE: Final = 24_000
"""Samples a second of headerless `pcm16`, one channel, as the API documents it."""

_MAX_READS: Final = 50_000
_MAX_SECONDS: Final = 100 * 3600
_MAX_CHUNKS: Final = 1_000
_AAC_RATES: Final = (
    *(96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000),
    *(22_050, 16_000, 12_000, 11_025, 8_000, 7_350),
)
_AAC_SAMPLES: Final = 1_024


def measure_duration(data: bytes, found: Format) -> float | None:
    """The seconds that `data` plays, a sound of the format `found`; None when nothing tells."""
    if found.shown_as != "audio":
        return None
    if found is WAV:
        seconds = _wav(data)
    elif found is AAC:
        seconds = _aac(data)
    else:
        seconds = _tagged(data, found.extension)
    return seconds if seconds is not None and 0 < seconds < _MAX_SECONDS else None


def format_clock(seconds: float) -> str:
    """Whole seconds, as players show them: `0:12`, `1:02:03`; below one `0.4 s`."""
    if seconds < 1:
        return f"{max(seconds, 0.1):.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class _Reads(io.BytesIO):
    """A file that may be read so many times: a scan byte by byte ends with an error."""

    left = _MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise OSError("read too often")
        return super().read(size)


def _tagged(data: bytes, extension: str) -> float | None:
    try:
        tag = TinyTag.get(f"sound.{extension}", file_obj=_Reads(data), tags=False)
    except Exception:
        # It reads what strangers wrote, and may stumble in ways nobody has listed.
        return None
    return tag.duration


def _wav(data: bytes) -> float | None:
    """By bytes a second; a length that was never filled in means all that is there."""
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


def _aac(data: bytes) -> float | None:
    """By counting frames, each of which says how long it is and at what rate it plays."""
    at, seconds = 0, 0.0
    while at + 7 <= len(data) and data[at] == 0xFF and data[at + 1] & 0xF6 == 0xF0:
        rate = data[at + 2] >> 2 & 15
        length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        if rate >= len(_AAC_RATES) or length < 7:
            break
        seconds += _AAC_SAMPLES * ((data[at + 6] & 3) + 1) / _AAC_RATES[rate]
        at += length
    return seconds
