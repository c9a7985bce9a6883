"""Make the small pictures and sounds that `tests/fixtures/bubbles` contains as base64.

Prints one JSON object, names to base64. Files that the standard library can write have the
same bytes every time; JPEG, WebP and the AV1 picture of the AVIF come from a Chromium's own
encoders (given as argument), so they depend on its version:

    python -m tools.make_bubble_media /usr/bin/chromium
"""

from __future__ import annotations

import base64
import json
import struct
import sys
from typing import Final

from tools.make_sample_media import Colour, gif, pcm16, pdf, png

RATE: Final = 24_000

DRAW: Final = """
async () => {
  const canvas = new OffscreenCanvas(48, 32);
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#2f6f8f"; pen.fillRect(0, 0, 48, 32);
  pen.fillStyle = "#f2b544"; pen.beginPath(); pen.arc(24, 16, 10, 0, 7); pen.fill();
  const bytes = async type => Array.from(new Uint8Array(
    await (await canvas.convertToBlob({type, quality: 0.7})).arrayBuffer()));
  const frames = [];
  const encoder = new VideoEncoder({
    output: (chunk, {decoderConfig} = {}) => {
      const data = new Uint8Array(chunk.byteLength);
      chunk.copyTo(data);
      frames.push(Array.from(data));
    },
    error: problem => { throw problem; },
  });
  encoder.configure({codec: "av01.0.00M.08", width: 48, height: 32});
  encoder.encode(new VideoFrame(canvas, {timestamp: 0}), {keyFrame: true});
  await encoder.flush();
  return {jpeg: await bytes("image/jpeg"), webp: await bytes("image/webp"), av1: frames[0]};
}
"""


def main() -> None:
    from playwright.sync_api import sync_playwright

    made = plain()
    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=sys.argv[1], args=["--no-sandbox"])
        page = browser.new_page()
        # Encoders need a secure page; this one is answered here, without a request.
        page.route("**", lambda route: route.fulfill(body="<!doctype html>"))
        page.goto("https://media.test/")
        drawn = page.evaluate(DRAW)
        browser.close()
    made |= {"jpeg": bytes(drawn["jpeg"]), "webp": bytes(drawn["webp"])}
    made["avif"] = avif(bytes(drawn["av1"]), 48, 32)
    encoded = {name: base64.b64encode(data).decode() for name, data in made.items()}
    print(json.dumps(encoded, indent=1))


def plain() -> dict[str, bytes]:
    """Return the files that need only the standard library."""
    samples = tuple(0.4 * ((t // 27) % 2 * 2 - 1) * (1 - t / 960) for t in range(960))
    return {
        "png": png(48, 32, _sun),
        "tall": png(24, 480, lambda x, y: (40 + 160 * y, 90.0, 200 - 120 * y)),
        "dot": png(1, 1, lambda x, y: (200.0, 30.0, 30.0)),
        "gif": gif(
            24,
            [
                bytes((3 if abs(at % 24 - 2 * turn) < 4 else 1) for at in range(576))
                for turn in range(12)
            ],
        ),
        "wav": wav(samples),
        "pcm16": pcm16(samples),
        "mp3": mp3(6),
        "flac": flac(samples),
        "ogg": ogg(8),
        "aac": aac(8),
        "pdf": pdf(("A page about lighthouses",)),
    }


def _sun(x: float, y: float) -> Colour:
    if (x - 0.75) ** 2 + (y - 0.5) ** 2 < 0.1:
        return (242, 181, 68)
    return (47, 111 + 60 * y, 143)


def wav(samples: tuple[float, ...]) -> bytes:
    data = pcm16(samples)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16)
    chunks = b"WAVE" + form + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(chunks)) + chunks


def mp3(frames: int) -> bytes:
    """Silence: MPEG-2 layer III frames of 8 kbit/s and 24 kHz, all of their fields zero."""
    return (b"\xff\xf3\x14\xc4" + bytes(20)) * frames


def aac(frames: int) -> bytes:
    """Silence: ADTS frames of AAC-LC, 24 kHz, one channel, with an element that holds nothing."""
    body = b"\x00\xc8\x00\x80\x23\x80"
    size = len(body) + 7
    fields = (0xFFF1 << 40) | (1 << 38) | (6 << 34) | (1 << 30) | (size << 13) | (0x7FF << 2)
    return (fields.to_bytes(7, "big") + body) * frames


def flac(samples: tuple[float, ...]) -> bytes:
    """One verbatim frame a block: 16 bits, one channel."""
    values = [round(32767 * one) for one in samples]
    size = 480
    info = struct.pack(">HH", size, size) + bytes(6)
    info += ((RATE << 44) | (0 << 41) | (15 << 36) | len(values)).to_bytes(8, "big") + bytes(16)
    out = b"fLaC" + struct.pack(">B", 0x80) + len(info).to_bytes(3, "big") + info
    for number, start in enumerate(range(0, len(values), size)):
        head = b"\xff\xf8" + bytes([0x77, 0x08, number]) + struct.pack(">H", size - 1)
        head += bytes([_crc(head, 8, 0x07)])
        frame = (
            head + b"\x02" + b"".join(struct.pack(">h", v) for v in values[start : start + size])
        )
        out += frame + _crc(frame, 16, 0x8005).to_bytes(2, "big")
    return out


def ogg(packets: int) -> bytes:
    """Opus: frames of 20 ms that code silence, in Ogg pages."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, RATE, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 8) + b"Readback" + struct.pack("<I", 0)
    pages = [(2, 0, [head]), (0, 0, [tags]), (4, 960 * packets, [b"\xf8\xff\xfe"] * packets)]
    return b"".join(_ogg_page(at, *page) for at, page in enumerate(pages))


def _ogg_page(number: int, flags: int, granule: int, packets: list[bytes]) -> bytes:
    head = b"OggS" + struct.pack("<BBqIII", 0, flags, granule, 1, number, 0)
    head += bytes([len(packets), *map(len, packets)])
    page = head + b"".join(packets)
    return page[:22] + struct.pack("<I", _crc(page, 32, 0x04C11DB7)) + page[26:]


def _crc(data: bytes, bits: int, polynomial: int) -> int:
    found, top = 0, 1 << (bits - 1)
    for byte in data:
        found ^= byte << (bits - 8)
        for _ in range(8):
            found = (found << 1) ^ (polynomial if found & top else 0)
        found &= (1 << bits) - 1
    return found


def avif(frame: bytes, width: int, height: int) -> bytes:
    """An AV1 key frame as a still picture: the boxes that a reader asks for, and no more."""
    at = frame.index(b"\x0a") if frame[0] != 0x12 else 2
    obus = frame[at:]
    form = _box(b"ftyp", b"avif", bytes(4), b"avifmif1miaf")
    sequence = obus[2 : 2 + obus[1]]
    profile, level = sequence[0] >> 5, _level(sequence)
    av1c = _box(b"av1C", bytes([0x81, profile << 5 | level, 0x0C, 0]), obus[: 2 + obus[1]])
    ispe = _full(b"ispe", struct.pack(">II", width, height))
    pixi = _full(b"pixi", bytes([3, 8, 8, 8]))
    ipma = _full(b"ipma", struct.pack(">IHB", 1, 1, 3) + bytes([1, 2, 0x83]))
    iprp = _box(b"iprp", _box(b"ipco", ispe, pixi, av1c), ipma)
    infe = _full(b"infe", struct.pack(">HH", 1, 0) + b"av01\0", version=2)
    # The offset of the picture is known once the rest has its size.
    iloc = _full(b"iloc", struct.pack(">BBHHHHII", 0x44, 0, 1, 1, 0, 1, 0, len(obus)))
    meta = _full(
        b"meta",
        _full(b"hdlr", bytes(4) + b"pict" + bytes(13)),
        _full(b"pitm", struct.pack(">H", 1)),
        iloc,
        _full(b"iinf", struct.pack(">H", 1) + infe),
        iprp,
    )
    start = len(form) + len(meta) + 8
    meta = meta.replace(iloc, iloc[:-8] + struct.pack(">II", start, len(obus)))
    return form + meta + _box(b"mdat", obus)


def _level(sequence: bytes) -> int:
    """`seq_level_idx[0]` of a sequence header without timing information."""
    return (
        int.from_bytes(sequence[1:4], "big") >> 11 & 0x1F
        if sequence[0] & 0x08 == 0
        else sequence[0] & 7
    )


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def _full(kind: bytes, *parts: bytes, version: int = 0) -> bytes:
    return _box(kind, bytes([version, 0, 0, 0]), *parts)


if __name__ == "__main__":
    main()
