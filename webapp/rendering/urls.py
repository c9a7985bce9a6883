"""Decide which URLs of a transcript may become links, and which remote images may be loaded.

Links are checked against an allow-list on the parsed URL: http, https and mailto, with a host
other than ours. A block-list would let through `//host`, `/logout`, `blob:` and
schemes to come.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

MAX_IMAGE_URL: Final = 4_096
"""Characters; browsers and servers do not agree on longer URLs."""

_SCHEMES: Final = ("http", "https")
_MAX_LINK: Final = 8_192
# Control characters, unusual white space, and the marks that reorder or hide text. Spaces, tabs
# and line breaks are fine if percent-encoded: the body of a mailto link contains them.
_DECEPTIVE: Final = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)
_ENCODED_BREAK: Final = re.compile("%0[9ad]", re.IGNORECASE)
_HOST_LIKE: Final = re.compile(r"\W*(?:[a-z]+://)?((?:[\w-]{1,63}\.)+[a-z]{2,24})\b", re.IGNORECASE)
_POLICY_HOST: Final = re.compile(
    r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]*)"
)
_NUMBER: Final = re.compile(r"0x[0-9a-f]*|[0-9]+")
_TRAILING: Final = frozenset("?!.,:;*_~'\u2019\u2026")
_BRACKETS: Final = {")": "(", "]": "[", "}": "{"}
_ENTITY: Final = re.compile(r"&[A-Za-z0-9]{1,28};$")


def is_allowed_link(url: str, *, own_host: str = "") -> bool:
    """Return whether `url` may be an `href`; `own_host` is the Host header of the request."""
    decoded = unquote(_ENCODED_BREAK.sub("%20", url))
    if len(url) > _MAX_LINK or " " in url or _DECEPTIVE.search(url) or _DECEPTIVE.search(decoded):
        return False
    try:
        parts = urlsplit(url)
        server = _parse_server(parts)
        own = _parse_server(urlsplit(f"{parts.scheme}://{own_host}"))
    except ValueError:
        return False
    if parts.scheme == "mailto":
        return "@" in parts.path and not _ENCODED_BREAK.search(parts.path)
    if parts.scheme not in _SCHEMES or "\\" in url:
        return False
    return server is not None and server != own


def get_host(url: str) -> str | None:
    """Return the host of a web URL for display; None if it has none."""
    try:
        parts = urlsplit(url)
        return parts.hostname if parts.scheme in _SCHEMES else None
    except ValueError:
        return None


def trim_address(url: str) -> str:
    """Trim the punctuation and brackets at the end that are not part of a bare URL.

    The rules are those of GitHub.
    """
    end = len(url)
    surplus = {close: url.count(close) - url.count(opens) for close, opens in _BRACKETS.items()}
    while end:
        last = url[end - 1]
        if last == ";" and (entity := _ENTITY.search(url, max(0, end - 30), end)):
            end = entity.start()
        elif last in _TRAILING:
            end -= 1
        elif surplus.get(last, 0) > 0:
            surplus[last] -= 1
            end -= 1
        else:
            break
    return url[:end]


def is_misleading(text: str, url: str) -> bool:
    """Return whether `text` reads like a URL on another host than that of `url`."""
    shown = _HOST_LIKE.match(text.strip())
    actual = get_host(url)
    if shown is None or actual is None:
        return False
    return shown[1].lower().removeprefix("www.") != actual.lower().removeprefix("www.")


@dataclass(frozen=True, slots=True)
class RemoteImage:
    """An image on another server, which a sandboxed frame can load.

    `origin` is ASCII and valid in a Content-Security-Policy as it is.
    """

    url: str
    host: str
    origin: str

    @classmethod
    def parse(cls, url: str, *, own_host: str) -> RemoteImage | None:
        """Parse `url`; None unless it is allowed as a link and a policy can name its origin."""
        if len(url) > MAX_IMAGE_URL or not is_allowed_link(url, own_host=own_host):
            return None
        try:
            parts = urlsplit(url)
            written = parts.hostname or ""
            host, port = _parse_host(written), parts.port
        except ValueError:
            return None
        # Policies cannot contain IPv6 addresses and last dots.
        is_fit = len(host) <= 253 and _POLICY_HOST.fullmatch(host) and not written.endswith(".")
        if not is_fit or parts.scheme not in _SCHEMES:
            return None
        if port is not None:
            host = f"{host}:{port}"
        return cls(url, host, f"{parts.scheme}://{host}")


def _parse_server(parts: SplitResult) -> tuple[str, int] | None:
    """Parse host and port as a browser looks them up, or None if browsers may disagree."""
    if not parts.hostname or "@" in parts.netloc or "%" in parts.netloc:
        return None
    return _parse_host(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)


def _parse_host(written: str) -> str:
    """Parse a host as browsers look it up, without a dot at its end.

    Browsers rewrite a numeric host that is not a plain IPv4 address, perhaps to ours: `ValueError`
    is raised for one.
    """
    host = written.encode("idna").decode("ascii").lower().removesuffix(".")
    if ":" in host:
        return ipaddress.IPv6Address(host).compressed
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        ipaddress.IPv4Address(host)
    return host
