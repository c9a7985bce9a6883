"""Which addresses a link in a transcript may have.

An allow-list on the parsed address: http, https and mailto, with a host that is not ours. A
block-list would let through `//host`, `/logout`, `blob:` and whatever comes next.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

_SCHEMES: Final = ("http", "https")
_MAX_LENGTH: Final = 8_192
# Control characters, odd white space, and the marks that reorder or hide text. Spaces, tabs and
# line breaks may be there when they are encoded: the text of a mail has them.
_DECEIVING: Final = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)
_ENCODED_BREAK: Final = re.compile("%0[9ad]", re.IGNORECASE)
_HOST_LIKE: Final = re.compile(r"\W*(?:[a-z]+://)?((?:[\w-]{1,63}\.)+[a-z]{2,24})\b", re.IGNORECASE)


def is_allowed_link(url: str, *, own_host: str = "") -> bool:
    """Whether `url` may stand in an `href`; `own_host` is the Host header of the request."""
    if len(url) > _MAX_LENGTH or " " in url or _deceives(url):
        return False
    try:
        parts = urlsplit(url)
        server = _server(parts)
        own = _server(urlsplit(f"{parts.scheme}://{own_host}"))
    except ValueError:
        return False
    if parts.scheme == "mailto":
        return "@" in parts.path and not _ENCODED_BREAK.search(parts.path)
    if parts.scheme not in _SCHEMES or "\\" in url:
        return False
    return server is not None and server != own


def _deceives(url: str) -> bool:
    decoded = unquote(_ENCODED_BREAK.sub("%20", url))
    return _DECEIVING.search(url) is not None or _DECEIVING.search(decoded) is not None


def foreign_host(url: str) -> str | None:
    """The host of a web address, for the reader to see; None when it has none."""
    try:
        parts = urlsplit(url)
        return parts.hostname if parts.scheme in _SCHEMES else None
    except ValueError:
        return None


def misleads(text: str, url: str) -> bool:
    """Whether `text` reads like an address on another host than that of `url`."""
    shown = _HOST_LIKE.match(text.strip())
    actual = foreign_host(url)
    if shown is None or actual is None:
        return False
    return _bare(shown[1]) != _bare(actual)


def _bare(host: str) -> str:
    return host.lower().removeprefix("www.")


def _server(parts: SplitResult) -> tuple[str, int] | None:
    """Host and port as a browser would look them up; None for what it may read in another way."""
    if not parts.hostname or "@" in parts.netloc or "%" in parts.netloc:
        return None
    host = parts.hostname.encode("idna").decode("ascii").removesuffix(".")
    return host, parts.port or (443 if parts.scheme == "https" else 80)
