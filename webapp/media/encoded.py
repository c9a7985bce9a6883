"""Find media inside a text of any kind: `data:` URIs and long runs of base64."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from webapp.media.formats import DOWNLOAD
from webapp.media.inline import InlineMedia

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
