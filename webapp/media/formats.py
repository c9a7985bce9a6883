"""Detect the format of some bytes by the first of them, and sanitize the names of files.

The type that a message declares is ignored. SVG can contain scripts, so it is a download, as is
any unknown format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_LONGEST: Final = 120
# Characters with a meaning to a shell or a file system; white space and
# control characters; and the marks that reorder or hide text, so that `.exe` reads as it is.
_UNFIT: Final = re.compile(
    '[\x00-\x1f\x7f-\x9f"*:<>?|\xad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff'
    "\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class Format:
    """A format: how it is shown (`image`, `audio` or `download`), its type and its word.

    `names` are those that senders use, apart from the extension.
    """

    shown_as: str
    mimetype: str
    word: str
    extension: str
    names: tuple[str, ...] = ()

    def is_called(self, claim: str) -> bool:
        """Return whether `claim`, a type or a short name, means this format."""
        name = claim.lower().rpartition("/")[2].removeprefix("x-")
        return name in (self.extension, *self.names)


PNG: Final = Format("image", "image/png", "PNG", "png", ("apng", "vnd.mozilla.apng"))
JPEG: Final = Format("image", "image/jpeg", "JPEG", "jpg", ("jpeg", "jfif", "pjpeg"))
GIF: Final = Format("image", "image/gif", "GIF", "gif")
WEBP: Final = Format("image", "image/webp", "WebP", "webp")
AVIF: Final = Format("image", "image/avif", "AVIF", "avif", ("avif-sequence",))
WAV: Final = Format("audio", "audio/wav", "WAV", "wav", ("wave", "vnd.wave", "pn-wav"))
MP3: Final = Format("audio", "audio/mpeg", "MP3", "mp3", ("mpeg", "mpeg3", "mpga", "mpg"))
FLAC: Final = Format("audio", "audio/flac", "FLAC", "flac")
OGG: Final = Format("audio", "audio/ogg", "Ogg", "ogg", ("oga", "opus", "vorbis"))
AAC: Final = Format("audio", "audio/aac", "AAC", "aac", ("adts", "aacp"))
M4A: Final = Format("audio", "audio/mp4", "MPEG-4 audio", "m4a", ("mp4", "aac"))
PDF: Final = Format("download", "application/pdf", "PDF", "pdf")
MP4: Final = Format(
    "download", "application/octet-stream", "MPEG-4", "mp4", ("m4v", "3gpp", "3gpp2")
)
QUICKTIME: Final = Format(
    "download", "application/octet-stream", "QuickTime video", "mov", ("quicktime",)
)
MATROSKA: Final = Format(
    "download", "application/octet-stream", "Matroska or WebM", "webm", ("matroska", "mkv")
)
AVI: Final = Format("download", "application/octet-stream", "AVI video", "avi", ("msvideo",))
HEIC: Final = Format("download", "application/octet-stream", "HEIC image", "heic", ("heif",))
SVG: Final = Format("download", "application/octet-stream", "SVG image", "svg", ("svg+xml",))
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
    (b"\x1aE\xdf\xa3", MATROSKA),
)
_RIFF: Final = {b"WEBP": WEBP, b"WAVE": WAV, b"AVI ": AVI}
_BOXES: Final = {
    **dict.fromkeys((b"avif", b"avis"), AVIF),
    b"M4A ": M4A,
    b"qt  ": QUICKTIME,
    **dict.fromkeys((b"heic", b"heix", b"mif1", b"msf1"), HEIC),
    **dict.fromkeys((b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"avc1", b"dash"), MP4),
    **dict.fromkeys((b"mp41", b"mp42", b"M4V ", b"3gp4", b"3gp5", b"3gp6"), MP4),
}
_BEFORE_SVG: Final = (b"<?xml", b"<!--", b"<!doctype svg")
_SVG_HEAD: Final = 4_096


def detect_format(data: bytes) -> Format:
    """Detect the format of `data` by its start; `DOWNLOAD` if it is unknown."""
    for start, found in _STARTS:
        if data.startswith(start):
            return found
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12], DOWNLOAD)
    if data[4:8] == b"ftyp":
        return _BOXES.get(data[8:12], DOWNLOAD)
    head = data[:_SVG_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith(b"<svg") or (head.startswith(_BEFORE_SVG) and b"<svg" in head):
        return SVG
    return _detect_audio_frame(data)


def _detect_audio_frame(data: bytes) -> Format:
    """Detect MP3 and AAC, which have no magic number, by the bits and fields of a frame."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return DOWNLOAD
    layer, version = data[1] >> 1 & 3, data[1] >> 3 & 3
    if layer == 0:
        return AAC if data[1] & 0xF0 == 0xF0 else DOWNLOAD
    bitrate, rate = data[2] >> 4, data[2] >> 2 & 3
    sane = bitrate not in (0, 15) and rate != 3 and version != 1
    # Layers I and II are not MP3; the byte order mark of UTF-16 text looks like the first.
    return MP3 if layer == 1 and sane else DOWNLOAD


def sanitize_file_name(name: str, *, otherwise: str) -> str:
    """Strip unfit characters from the last part of `name`; `otherwise` if nothing is left."""
    last = re.split(r"[\\/]", name[-1_000:])[-1]
    fit = _UNFIT.sub("", last).strip(" .")
    if len(fit) > _LONGEST:
        stem, dot, extension = fit.rpartition(".")
        tail = dot + extension if stem and len(extension) < 12 else ""
        fit = fit[: _LONGEST - len(tail)] + tail
    return fit or otherwise
