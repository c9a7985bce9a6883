"""Images on other servers: which may be loaded, and the one origin that their frame may ask."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from webapp.rendering.urls import is_allowed_link

MAX_LENGTH: Final = 4_096
"""Longer addresses are not loaded; browsers and servers would not agree on them either."""

_HOST: Final = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]*)")
_NUMBER: Final = re.compile(r"0x[0-9a-f]*|[0-9]+")


@dataclass(frozen=True, slots=True)
class RemoteImage:
    """An image that a frame of ours can show: its address, its host, the origin it comes from.

    `origin` is ASCII and can stand in a policy as it is.
    """

    url: str
    host: str
    origin: str

    @classmethod
    def of(cls, url: str, *, own_host: str) -> RemoteImage | None:
        """None for what is no image of another server, or cannot be named in a policy."""
        if len(url) > MAX_LENGTH or not is_allowed_link(url, own_host=own_host):
            return None
        try:
            parts = urlsplit(url)
            host = _policy_host(parts)
            port = parts.port
        except ValueError:
            return None
        if host is None or parts.scheme not in ("http", "https"):
            return None
        place = host if port is None else f"{host}:{port}"
        return cls(url, place, f"{parts.scheme}://{place}")


def _policy_host(parts: SplitResult) -> str | None:
    """The host as browsers send and policies write it.

    A policy has no way to write an IPv6 address. A number that is no plain IPv4 address is one
    that browsers rewrite, perhaps to ours.
    """
    host = (parts.hostname or "").encode("idna").decode("ascii").lower()
    if len(host) > 253 or not _HOST.fullmatch(host):
        return None
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        ipaddress.IPv4Address(host)
    return host
