"""Which addresses a link in a transcript may have.

An allow-list on the parsed address: http, https and mailto, with a host that is not ours. A
block-list would let through `//host`, `/logout`, `blob:` and whatever comes next.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote, urlsplit

_SCHEMES: Final = ("http", "https")
_MAX_LENGTH: Final = 8_192
# Control characters, white space, and the marks that reorder or hide text.
_DECEIVING: Final = re.compile(
    "[\x00-\x20\x7f-\xa0\xad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)
_HOST_LIKE: Final = re.compile(r"(?:https?://)?((?:[\w-]{1,63}\.)+[a-z]{2,24})\b", re.IGNORECASE)


def is_allowed_link(url: str, *, own_host: str = "") -> bool:
    """Whether `url` may stand in an `href`; `own_host` is the Host header of the request."""
    if len(url) > _MAX_LENGTH or _DECEIVING.search(unquote(url)):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
        port = parts.port
    except ValueError:
        return False
    if parts.scheme == "mailto":
        return "@" in parts.path
    if parts.scheme not in _SCHEMES or not host or "@" in parts.netloc or "\\" in url:
        return False
    own = urlsplit(f"//{own_host}")
    return (host, port or _default_port(parts.scheme)) != (
        own.hostname,
        own.port or _default_port(parts.scheme),
    )


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


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80
