"""Sentences about media: false declarations, lengths of sounds, why an image is not shown."""

from __future__ import annotations

from threading import Lock
from typing import Final

from webapp.media import formats
from webapp.media.formats import DOWNLOAD, GIF, JPEG, PNG, Format
from webapp.media.headers import format_clock, measure_duration
from webapp.media.inline import InlineMedia, NotMedia

MAX_TIMED: Final = 32 * 1024 * 1024
"""Bytes; the length of larger sounds is not read."""

_KNOWN: Final[tuple[Format, ...]] = tuple(
    value for value in vars(formats).values() if isinstance(value, Format) and value is not DOWNLOAD
)
# The end marks of images; other bytes may follow, which browsers ignore.
_ENDS: Final = {PNG: b"IEND", JPEG: b"\xff\xd9", GIF: b"\x00;"}
_SAYS_NOTHING: Final = frozenset({"application/octet-stream", "binary/octet-stream", "*/*"})
_MAX_REMEMBERED: Final = 2_000

_lengths: dict[str, str | None] = {}
_lock = Lock()


def describe_contradiction(media: InlineMedia) -> str | None:
    """Describe in a sentence that the bytes are not of the declared type, if so."""
    claim = media.claim
    if claim is None or claim.lower() in _SAYS_NOTHING or media.is_headerless:
        return None
    if media.sniffed is not DOWNLOAD:
        agrees = media.sniffed.is_called(claim)
        return None if agrees else f"Declared as {claim}, but the data is {media.sniffed.word}."
    if any(known.is_called(claim) for known in _KNOWN):
        return f"Declared as {claim}, but the data does not look like it."
    return None


def describe_format(media: InlineMedia) -> str:
    """Describe the format in words; the declared type if the bytes have no known one."""
    if media.sniffed is not DOWNLOAD:
        return media.sniffed.word
    if media.claim and media.claim.lower() not in _SAYS_NOTHING:
        return f"declared as {media.claim}"
    return media.sniffed.word


def explain_download(media: InlineMedia) -> str:
    """Explain why an image can only be downloaded."""
    if media.sniffed.shown_as != "image":
        return "not shown as an image"
    if media.image_size is None:
        return "its width and height are unknown"
    return "it has too many pixels to show safely"


def is_cut_off(media: InlineMedia) -> bool:
    """Return whether an image is cut off: browsers then show a part of it, or nothing."""
    mark = _ENDS.get(media.sniffed)
    return mark is not None and bool(media.end) and mark not in media.end


def describe_length(media: InlineMedia) -> str | None:
    """Describe how long a sound is, as `0:12`.

    The length is remembered, since finding it takes all bytes of the sound.
    """
    if media.format.shown_as != "audio" or media.size > MAX_TIMED:
        return None
    with _lock:
        if media.digest in _lengths:
            return _lengths[media.digest]
    try:
        seconds = measure_duration(media.decode(), media.format)
    except NotMedia:
        seconds = None
    found = format_clock(seconds) if seconds is not None else None
    with _lock:
        while len(_lengths) >= _MAX_REMEMBERED:
            del _lengths[next(iter(_lengths))]
        _lengths[media.digest] = found
    return found
