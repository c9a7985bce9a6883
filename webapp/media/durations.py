"""Read the length of a sound, in seconds, from its headers.

Headers may be false: the number of reads is limited, nothing raises, and a sound of implausible
length has no duration.
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
