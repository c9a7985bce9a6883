"""Find media: in the parts of a message, and `data:` URIs and base64 in any other text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Final, NamedTuple

from webapp.exact_json import Value
from webapp.media.formats import DOWNLOAD, SVG
from webapp.media.inline import InlineMedia
from webapp.messages import (
    Audio,
    File,
    Image,
    InputAudio,
    Message,
    Reasoning,
    Refusal,
    Text,
)

MAX_IN_TEXT: Final = 50
"""The limit of images found in one text; further ones are treated as text."""

# Slashes may be escaped, once or (for JSON inside a text) several times. All repetitions are
# possessive, so that a text is read once.
_DATA_IMAGE: Final = re.compile(
    r"data:image\\*+/[A-Za-z0-9.+-]{1,40}+(?:;[A-Za-z0-9.=_+-]{1,60}+){0,4}?;base64,"
    r"(?:[A-Za-z0-9+/]++|\\++/|(?!))*+={0,2}+"
)
_MARK: Final = "data:image"

ENCODED: Final = (
    r"data:[A-Za-z0-9.+/\\-]{0,80}(?:;[A-Za-z0-9.=_+-]{1,60}){0,4};base64,"
    r"(?:[A-Za-z0-9+/_-]++|\\++/|(?!))*+={0,2}+"
    r"|(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{256,}+={0,2}+"
)
"""A pattern without groups. In JSON, slashes may be escaped."""

_LEAST: Final = 200
"""Characters of a `data:` URI; a shorter one, as in an example, can be read as text."""

_LETTERS_OF_A_NAME: Final = 12
"""Paths and slugs have more slashes and hyphens than one in so many characters."""

_ENCODED: Final = re.compile(ENCODED)


def extract_media(part: object, spoken_as: str | None = None) -> InlineMedia | None:
    """Extract the media within `part`; None if it has no data or is a remote image.

    `spoken_as` is the format in which the request asked for spoken answers.
    """
    match part:
        case Image(url=url) if part.is_inline:
            return InlineMedia(url)
        case InputAudio(data=str(data), format=claimed) if data:
            return InlineMedia(data, claimed)
        case Audio(data=str(data)) if data:
            return InlineMedia(data, spoken_as)
        case File(data=str(data)) if data:
            return InlineMedia(data)
    return None


def parse_data_uri(url: str) -> InlineMedia | None:
    """Parse the media within a `data:` URI; None for other addresses."""
    return InlineMedia(url) if url[:5].lower() == "data:" else None


def find_media(message: Message, spoken_as: str | None = None) -> tuple[InlineMedia, ...]:
    """Find all media in `message`: those of its parts, then the images in its other fields."""
    own = (extract_media(part, spoken_as) for part in message.parts)
    found = [media for media in own if media is not None]
    for part in message.parts:
        if isinstance(part, Text | Refusal | Reasoning):
            found += find_images(part.text)
    return (*found, *find_other_images(message))


def find_images(text: str) -> tuple[InlineMedia, ...]:
    """Find the images in `text` that are `data:` URIs, each once, in their order."""
    if _MARK not in text:
        return ()
    return tuple(filter(_is_image, map(InlineMedia, _iter_uris(text))))


def find_unshown_images(text: str, shown: str = "") -> tuple[InlineMedia, ...]:
    """Find the images in `text` that its markup `shown` does not contain."""
    return tuple(media for media in find_images(text) if media.digest not in shown)


def find_other_images(message: Message) -> tuple[InlineMedia, ...]:
    """Find the images outside the parts that are shown: in arguments of calls, unknown parts
    and other fields."""
    json = message.json
    if not json.contains(_MARK):
        return ()
    shown = list(_iter_shown_texts(message))
    fresh = list(_iter_json_uris(json, shown))
    # Seldom are there any: then texts of megabytes that the parts show need not be read.
    known = set(chain.from_iterable(map(_iter_uris, shown))) if fresh else ()
    return tuple(filter(_is_image, (InlineMedia(uri) for uri in fresh if uri not in known)))


def _iter_shown_texts(message: Message) -> Iterator[str]:
    """Yield the texts of parts whose images are shown with the part."""
    for part in message.parts:
        match part:
            case Image(url=text) | File(data=str(text)):
                yield text
            case Text() | Refusal() | Reasoning():
                yield part.text


def _iter_json_uris(json: Value, shown: Sequence[str]) -> Iterator[str]:
    """Yield the same of the source of a value, which may be too large to be copied.

    Those in strings held apart that are among the texts `shown` are left out.
    """
    document = json.document
    if isinstance(document, str):
        return _iter_uris(document, json.start, json.end)
    known = set(map(id, shown))
    pieces = document.iter_pieces(json.start, json.end)
    others = (piece for piece in pieces if id(piece) not in known)
    found = dict.fromkeys(chain.from_iterable(map(_iter_uris, others)))
    return islice(found, MAX_IN_TEXT)


def _iter_uris(text: str, start: int = 0, end: int | None = None) -> Iterator[str]:
    """Yield the `data:` URIs of images from `start` to `end`, without escapes, each once."""
    found = _DATA_IMAGE.finditer(text, start, len(text) if end is None else end)
    seen: set[str] = set()
    for match in found:
        uri = match[0].replace("\\", "")
        if len(uri) == len(text):
            # Not a copy of it.
            uri = text
        if uri in seen:
            continue
        seen.add(uri)
        yield uri
        if len(seen) == MAX_IN_TEXT:
            return


def _is_image(media: InlineMedia) -> bool:
    """Return whether it is a complete image; the beginning of one, as in an example, is text."""
    return media.problem is None and (media.format.shown_as == "image" or media.format is SVG)


class Encoded(NamedTuple):
    """Media at the characters `start` to `end` (exclusive) of a text."""

    start: int
    end: int
    media: InlineMedia


def find_encoded(text: str) -> Iterator[Encoded]:
    """Yield the media in `text` in order, each time that it occurs."""
    if len(text) < _LEAST:
        return
    for found in _ENCODED.finditer(text):
        media = InlineMedia(found[0].replace("\\", ""))
        if len(found[0]) >= _LEAST and (found[0].startswith("data:") or _is_base64(media)):
            yield Encoded(*found.span(), media)


def _is_base64(media: InlineMedia) -> bool:
    """Return whether a run without blanks is base64: of a known format, or by its characters."""
    if media.sniffed is not DOWNLOAD:
        return True
    text = media.text[:10_000]
    is_mixed = all(any(map(test, text)) for test in (str.isupper, str.islower, str.isdigit))
    is_path = sum(map(text.count, "/-_")) > len(text) / _LETTERS_OF_A_NAME
    return is_mixed and not is_path and media.problem is None
