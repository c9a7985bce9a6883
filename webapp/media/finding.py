"""Where media stand in a message: its parts, and `data:` images anywhere else in its JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from webapp.media.formats import SVG
from webapp.media.inline import InlineMedia
from webapp.messages import Audio, File, Image, InputAudio, Message, Part, Text

MAX_IN_TEXT: Final = 50
"""Images of one text that are looked for; more are text like the rest of it."""

# Slashes may be escaped, once or (for JSON inside a text) several times. No repetition gives
# back what it took, so that a text is read once.
_DATA_IMAGE: Final = re.compile(
    r"data:image\\*+/[A-Za-z0-9.+-]{1,40}+(?:;[A-Za-z0-9.=_+-]{1,60}+){0,4}?;base64,"
    r"(?:[A-Za-z0-9+/]++|\\++/)*+={0,2}+"
)
_MARK: Final = "data:image"


def extract_media(part: object, spoken_as: str | None = None) -> InlineMedia | None:
    """What `part` carries itself; None for parts without data and for remote images.

    `spoken_as` is the format that the request asked spoken answers in.
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
    """What a `data:` address carries itself; None for other addresses."""
    return InlineMedia(url) if url[:5].lower() == "data:" else None


def find_media(message: Message, spoken_as: str | None = None) -> tuple[InlineMedia, ...]:
    """All that `message` holds: its parts first, then the images in the rest of it."""
    own = (extract_media(part, spoken_as) for part in message.parts)
    found = [media for media in own if media is not None]
    for part in message.parts:
        if isinstance(part, Text):
            found += find_images(part.text)
    return (*found, *find_other_images(message))


def find_images(text: str) -> tuple[InlineMedia, ...]:
    """The images that stand in `text` as `data:` URIs, each once, in their order."""
    if _MARK not in text:
        return ()
    return tuple(InlineMedia(uri) for uri in _uris(text) if _is_image(InlineMedia(uri)))


def find_unshown_images(text: str, shown: str = "") -> tuple[InlineMedia, ...]:
    """The images in `text` that its markup `shown` does not show in their place."""
    return tuple(media for media in find_images(text) if media.digest not in shown)


def find_other_images(message: Message) -> tuple[InlineMedia, ...]:
    """The images in fields that are no parts with data of their own, nor texts: whatever else
    was sent, arguments of calls, parts nobody knows."""
    source = message.json.source
    if _MARK not in source:
        return ()
    known = {uri for part in message.parts for uri in _uris(_text_of(part))}
    fresh = (InlineMedia(uri) for uri in _uris(source) if uri not in known)
    return tuple(media for media in fresh if _is_image(media))


def _text_of(part: Part) -> str:
    """Where in `part` its own image stands."""
    match part:
        case Image(url=text) | File(data=str(text)) | Text(text=text):
            return text
    return ""


def _uris(text: str) -> Iterator[str]:
    """The `data:` URIs of images in `text` as they would be without escapes, each once."""
    seen: set[str] = set()
    for match in _DATA_IMAGE.finditer(text):
        uri = match[0].replace("\\", "")
        if uri in seen:
            continue
        seen.add(uri)
        yield uri
        if len(seen) == MAX_IN_TEXT:
            return


def _is_image(media: InlineMedia) -> bool:
    """Whether it can be shown or given: the beginning of one, as in an example, is only text."""
    return media.problem is None and (media.format.shown_as == "image" or media.format is SVG)
