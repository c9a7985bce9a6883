"""Make the pictures, sounds and the PDF of the sample completions from formulas.

They are in `webapp/embedded/samples/media/`. Without arguments it writes the files that need
only the standard library, the same bytes every time:

    python -m tools.make_sample_media [FOLDER]

With `--encoded` it also makes the formats the standard library has no encoder for: two of the
pictures drawn here become JPEG and WebP with ffmpeg (5.1), and flite (2.2) speaks the
sentences in `SPOKEN`. Those bytes depend on the versions of the two programs, so the results
are committed and not made when Readback is built.
"""

from __future__ import annotations

import argparse
import math
import pathlib
import struct
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

Colour: TypeAlias = tuple[float, float, float]
Scene: TypeAlias = Callable[[float, float], Colour]
"""The colour (channels 0 to 255) at x and y; y is 0 at the top and 1 at the bottom."""

MEDIA: Final = pathlib.Path(__file__).parents[1] / "webapp" / "embedded" / "samples" / "media"
RATE: Final = 16_000
"""Samples a second of the sounds made here, 16 bits each, one channel."""

RAINFALL: Final = (255, 210, 203, 135, 112, 131, 152, 206, 263, 267, 269, 291)
MAJOR_CHORD: Final = (261.63, 329.63, 392.0, 523.25)
SPOKEN: Final = {
    "ferry-question.wav": ("rms", "When does the last ferry leave the harbour on a Sunday?"),
    "ferry-answer.mp3": (
        "slt",
        "On Sundays the last ferry leaves at twenty to ten in the evening, from pier two. "
        "Please be there ten minutes early.",
    ),
    "chord-answer.pcm": ("slt", "That is a C major chord: C, E, G, and C again."),
}
TIMETABLE: Final = (
    "Harbour ferry, winter timetable",
    "Monday to Saturday: every 20 minutes, 06:00 to 23:00",
    "Sunday: every 40 minutes, 08:20 to 21:40",
    "All departures from pier 2. Bicycles travel free.",
)
_ENCODING: Final = {
    ".wav": ("-ar", "16000", "-fflags", "+bitexact"),
    ".mp3": ("-ar", "24000", "-b:a", "32k"),
    ".pcm": ("-ar", "24000", "-f", "s16le"),
    ".jpg": ("-q:v", "4"),
    ".webp": ("-quality", "80"),
}
# Glyphs of three by five dots; each digit is one row, its bits the dots from left to right.
_LETTERS: Final = "0123456789JFMASOND"
_DOTS: Final = (
    "755572622771747717175571174717747577124475757757171115274644577552575534216255526555565556"
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the media of the sample completions.")
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=MEDIA)
    parser.add_argument("--encoded", action="store_true", help="also JPEG, WebP and speech")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name, content in made().items():
        (arguments.folder / name).write_bytes(content)
    if arguments.encoded:
        encode(arguments.folder)


def made() -> dict[str, bytes]:
    """Return the contents of every file that needs only the standard library, by name."""
    fork = tuple(0.6 * math.exp(-2 * t / RATE) * _wave(440.0, t) for t in range(RATE))
    return {
        "harbour.png": png(480, 300, harbour),
        "rainfall.png": png(400, 240, rainfall),
        "beacon.gif": gif(48, [beacon_frame(step, steps=12) for step in range(12)]),
        "arpeggio.wav": wav(arpeggio(MAJOR_CHORD)),
        "tuning-fork.pcm": pcm16(fork),
        "timetable.pdf": pdf(TIMETABLE),
    }


def encode(folder: pathlib.Path) -> None:
    """Make the files that need ffmpeg and flite. Raise `CalledProcessError` on failure."""
    with tempfile.TemporaryDirectory() as temporary:
        source = pathlib.Path(temporary) / "source"
        for name, scene in (("fjord.jpg", fjord), ("lighthouse.webp", lighthouse)):
            source.write_bytes(png(480, 320, scene))
            _ffmpeg(source, folder / name)
        for name, (voice, text) in SPOKEN.items():
            subprocess.run(["flite", "-voice", voice, "-t", text, "-o", source], check=True)
            _ffmpeg(source, folder / name)


def _ffmpeg(source: pathlib.Path, target: pathlib.Path) -> None:
    read = ("ffmpeg", "-y", "-loglevel", "error", "-i", source, "-map_metadata", "-1")
    subprocess.run([*read, *_ENCODING[target.suffix], target], check=True)


def harbour(x: float, y: float) -> Colour:
    """Wooden houses along a quay in the evening, mirrored in the water, and one sail."""
    quay = 0.62
    sail = 0.07 * (y - 0.42) / 0.36
    if 0.42 < y < 0.78 and -sail * 0.8 < x - 1.14 < sail:
        return (250, 246, 236) if x > 1.14 else (226, 214, 200)
    if 0.79 < y < 0.83 and abs(x - 1.15) < 0.11 - (y - 0.79):
        return (120, 52, 44)
    if y < quay:
        return _shore(x, y, quay)
    if y < quay + 0.02:
        return (92, 84, 80)
    depth = y - quay
    ripple = 0.012 * math.sin(190 * depth**0.6 + 3 * math.sin(9 * x)) * (0.4 + 2 * depth)
    return _mix(_shore(x + ripple, quay - depth * 1.15, quay), (38, 74, 104), 0.35 + depth)


def _shore(x: float, y: float, quay: float) -> Colour:
    walls: tuple[Colour, ...]
    walls = ((178, 58, 48), (224, 168, 66), (236, 226, 206), (150, 44, 40), (204, 120, 60))
    house, across = divmod(x / 0.16, 1)
    wall = walls[int(house * 7) % 5]
    eaves = quay - 0.2 - 0.03 * (int(house) % 3)
    ridge = eaves - 0.11 * (1 - abs(across - 0.5) * 2)
    if house >= 0 and y > eaves:
        column, row = (across * 3) % 1, ((quay - y) / 0.075) % 1
        lit = 0.3 < column < 0.7 and 0.3 < row < 0.75
        return (255, 226, 150) if lit else _mix(wall, (60, 40, 60), 0.15 * (across < 0.06))
    if house >= 0 and y > ridge:
        return _mix(wall, (70, 44, 48), 0.45)
    return _evening(x, y)


def _evening(x: float, y: float) -> Colour:
    ridge = 0.34 + 0.05 * math.sin(2.7 * x + 0.4) + 0.03 * math.sin(7.1 * x) - 0.06 * x
    if y > ridge:
        return _mix((74, 92, 112), (58, 76, 84), min(1.0, (y - ridge) * 4))
    sun = math.hypot(x - 0.5, y - 0.2)
    sky = _mix((112, 146, 190), (252, 196, 150), min(1.0, max(0.0, y) * 2.6))
    return _mix(sky, (255, 240, 206), 1.0 if sun < 0.05 else max(0.0, 0.6 - sun * 3))


def fjord(x: float, y: float) -> Colour:
    """Mountains behind mountains, paler the farther they are, above still water."""
    if y > 0.74:
        return _mix(fjord(x, 1.44 - y * 0.95), (30, 66, 96), 0.45)
    colour = _mix((150, 190, 224), (244, 236, 222), y * 1.3)
    for layer in range(4):
        slope = sum(math.sin(x * (2 + 3 * n) + 1.9 * layer + n * n) / (2 + 3 * n) for n in range(5))
        top = 0.34 + 0.1 * layer - 0.16 * slope
        if y > top:
            colour = _mix((196, 208, 222), (34, 60, 62), (layer + 1) / 4.4)
    return colour


def lighthouse(x: float, y: float) -> Colour:
    """A striped tower on a rock at night, its beam to the right."""
    dx, dy = x - 0.45, y - 0.3
    width = 0.045 + 0.03 * (y - 0.3)
    if y > 0.78 - 0.1 * math.exp(-18 * dx * dx) + 0.01 * math.sin(40 * x):
        return (26, 30, 40)
    if y > 0.34 and abs(dx) < width:
        stripe: Colour = (214, 66, 58) if int((y - 0.34) / 0.09) % 2 else (236, 232, 224)
        return _mix(stripe, (20, 24, 50), 0.45 * (dx / width + 1) / 2)
    if abs(dy) < 0.035 and abs(dx) < 0.035:
        return (255, 236, 160)
    if -0.1 < dy + 0.035 < 0 and abs(dx) < 0.045 + dy * 0.9 + 0.03:
        return (60, 30, 36)
    sky = _mix((16, 22, 54), (64, 84, 130), y)
    beam = dx > 0 and abs(dy) < 0.02 + 0.16 * dx
    return _mix(sky, (255, 240, 180), max(0.0, 0.75 - 0.6 * dx)) if beam else sky


def rainfall(x: float, y: float) -> Colour:
    """A bar chart of `RAINFALL`, millimetres a month: 400 by 240 dots, letters 2 dots wide."""
    left, top = round(x * 240 - 20), round(y * 240)
    month, across = divmod(left, 30)
    if not 0 <= month < 12 or top > 226:
        return (255, 255, 255)
    amount = RAINFALL[month]
    height = round(amount * 0.6)
    if _dot(str(amount), across - 2, top - (196 - height)) or _dot(
        "JFMAMJJASOND"[month], across - 9, top - 214
    ):
        return (40, 48, 60)
    if 2 <= across < 24 and 209 - height <= top < 209:
        return (66, 118, 170) if amount > 140 else (226, 148, 62)
    return (150, 156, 164) if top in (209, 210) else (255, 255, 255)


def _dot(text: str, x: int, y: int) -> bool:
    """Return whether the dot at x, y of `text`, drawn at twice the size of the glyphs, is set."""
    place, column, row = x // 8, x % 8 // 2, y // 2
    if not (0 <= place < len(text) and 0 <= row < 5 and column < 3):
        return False
    dots = int(_DOTS[_LETTERS.index(text[place]) * 5 + row])
    return bool(dots >> (2 - column) & 1)


def beacon_frame(step: int, *, steps: int) -> bytes:
    """One picture of 48 by 48 palette indexes: a turning beam; 0 is dark and 3 is bright."""
    turn = 2 * math.pi * step / steps
    return bytes(
        _beacon(column - 23.5, row - 23.5, turn) for row in range(48) for column in range(48)
    )


def _beacon(x: float, y: float, turn: float) -> int:
    distance = math.hypot(x, y)
    if distance < 5:
        return 3
    off = abs((math.atan2(y, x) - turn + math.pi) % (2 * math.pi) - math.pi)
    return 0 if distance > 22 or off > 0.45 else 2 if off < 0.2 else 1


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    share = min(1.0, max(0.0, share))
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return (red, green, blue)


def png(width: int, height: int, scene: Scene) -> bytes:
    """A PNG file of `scene`, four samples a dot, rows stored as differences to the one above."""
    above = bytes(width * 3)
    packed = bytearray()
    for row in range(height):
        line = bytes(_pixels(scene, row=row, width=width, height=height))
        packed.append(2)
        packed += bytes((a - b) % 256 for a, b in zip(line, above, strict=True))
        above = line
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(packed, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _pixels(scene: Scene, *, row: int, width: int, height: int) -> Iterator[int]:
    offsets = [(dx, dy) for dx in (0.25, 0.75) for dy in (0.25, 0.75)]
    for column in range(width):
        samples = [scene((column + dx) / height, (row + dy) / height) for dx, dy in offsets]
        for channel in zip(*samples, strict=True):
            yield round(sum(channel) / len(samples))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def gif(size: int, frames: Iterable[bytes]) -> bytes:
    """A square GIF that repeats for ever, a tenth of a second a frame, in four colours."""
    palette = bytes.fromhex("101830 445078 ffe9a0 fffbe6")
    out = b"GIF89a" + struct.pack("<HHBBB", size, size, 0x91, 0, 0) + palette
    out += b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
    for frame in frames:
        out += b"\x21\xf9\x04\x00\x0a\x00\x00\x00"
        out += b"\x2c" + struct.pack("<HHHHB", 0, 0, size, size, 0) + b"\x02" + _lzw(frame)
    return out + b"\x3b"


def _lzw(indexes: bytes) -> bytes:
    """Two-bit palette indexes as GIF image data: variable-length LZW codes in sub-blocks."""
    codes: dict[bytes, int] = {bytes([n]): n for n in range(4)}
    bits, filled, width, following = 4, 3, 3, 6
    run = b""
    for index in indexes:
        longer = run + bytes([index])
        if longer in codes:
            run = longer
            continue
        bits |= codes[run] << filled
        filled += width
        if following < 4096:
            codes[longer] = following
            width += following == 1 << width
            following += 1
        run = bytes([index])
    bits |= (codes[run] | 5 << width) << filled
    packed = bits.to_bytes((filled + 2 * width + 7) // 8, "little")
    blocks = (packed[at : at + 255] for at in range(0, len(packed), 255))
    return b"".join(bytes([len(block)]) + block for block in blocks) + b"\x00"


def arpeggio(notes: Iterable[float]) -> tuple[float, ...]:
    """The notes (in hertz) one after another, a third of a second each, then all together."""
    played = tuple(notes)
    groups = [*((note,) for note in played), played]
    return tuple(
        sum(math.exp(-5 * t / RATE) * _wave(note, t) for note in group) * 0.6 / len(group) ** 0.7
        for group in groups
        for t in range(RATE // 3 if len(group) == 1 else RATE)
    )


def _wave(hertz: float, sample: int) -> float:
    """A tone with two soft overtones, faded in over 10 ms so that it does not click."""
    phase = 2 * math.pi * hertz * sample / RATE
    tone = math.sin(phase) + 0.3 * math.sin(2 * phase) + 0.1 * math.sin(3 * phase)
    return tone / 1.4 * min(1.0, sample / (RATE * 0.01))


def pcm16(samples: Iterable[float]) -> bytes:
    """Samples from -1 to 1 as 16-bit little-endian integers, without any header."""
    return b"".join(struct.pack("<h", round(32767 * sample)) for sample in samples)


def wav(samples: Iterable[float]) -> bytes:
    data = pcm16(samples)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16)
    chunks = b"WAVE" + form + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(chunks)) + chunks


def pdf(lines: Iterable[str]) -> bytes:
    """One A5 page with `lines` (ASCII) in Helvetica, the cross-reference table included."""
    shown = b" T* ".join(f"({line}) Tj".encode() for line in lines)
    text = b"BT /F1 12 Tf 22 TL 40 540 Td " + shown + b" ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 595] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    out = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(b"%010d 00000 n \n" % len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"xref\n0 6\n0000000000 65535 f \n" + b"".join(places)
    trailer = b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(out)
    return out + table + trailer


if __name__ == "__main__":
    main()
