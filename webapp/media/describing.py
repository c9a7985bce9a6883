"""What a reader is told of media: claims that the bytes contradict, why something is withheld."""

from __future__ import annotations

from threading import Lock
from typing import Final

from webapp.media import formats
from webapp.media.durations import clock, duration
from webapp.media.formats import DOWNLOAD, GIF, JPEG, PNG, Format
from webapp.media.inline import InlineMedia, NotMedia

MAX_TIMED: Final = 32 * 1024 * 1024
"""Larger sounds are played, but nobody reads how long they are."""

_KNOWN: Final[tuple[Format, ...]] = tuple(
    value for value in vars(formats).values() if isinstance(value, Format) and value is not DOWNLOAD
)
# What the last bytes of an image hold; others may follow, which no browser looks at.
_ENDS: Final = {PNG: b"IEND", JPEG: b"\xff\xd9", GIF: b"\x00;"}
_SAYS_NOTHING: Final = frozenset({"application/octet-stream", "binary/octet-stream", "*/*"})
_MAX_REMEMBERED: Final = 2_000

_lengths: dict[str, str | None] = {}
_lock = Lock()


def contradiction(media: InlineMedia) -> str | None:
    """A sentence when the bytes are not what they are said to be."""
    claim = media.claim
    if claim is None or claim.lower() in _SAYS_NOTHING or media.is_headerless:
        return None
    if media.sniffed is not DOWNLOAD:
        agrees = media.sniffed.is_called(claim)
        return None if agrees else f"Said to be {claim}; the bytes are {media.sniffed.word}."
    if any(known.is_called(claim) for known in _KNOWN):
        return f"Said to be {claim}; the bytes do not look like it."
    return None


def kind_of_file(media: InlineMedia) -> str:
    """The format in words; what is said of it where the bytes tell nothing."""
    if media.sniffed is not DOWNLOAD:
        return media.sniffed.word
    if media.claim and media.claim.lower() not in _SAYS_NOTHING:
        return f"said to be {media.claim}"
    return media.sniffed.word


def withheld(media: InlineMedia) -> str:
    """Why an image is given as a download only."""
    if media.sniffed.shown_as != "image":
        return "not shown as an image"
    if media.image_size is None:
        return "it does not say how large it is"
    return "more pixels than are safe to show"


def lacks_end(media: InlineMedia) -> bool:
    """Whether an image breaks off: browsers then show a part of it, or an empty place."""
    mark = _ENDS.get(media.sniffed)
    return mark is not None and bool(media.end) and mark not in media.end


def length(media: InlineMedia) -> str | None:
    """How long a sound is, as `0:12`; remembered, since telling needs all of its bytes."""
    if media.format.shown_as != "audio" or media.size > MAX_TIMED:
        return None
    with _lock:
        if media.digest in _lengths:
            return _lengths[media.digest]
    try:
        seconds = duration(media.decode(), media.format)
    except NotMedia:
        seconds = None
    found = clock(seconds) if seconds is not None else None
    with _lock:
        while len(_lengths) >= _MAX_REMEMBERED:
            del _lengths[next(iter(_lengths))]
        _lengths[media.digest] = found
    return found
