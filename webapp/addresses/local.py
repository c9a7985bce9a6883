"""Distinguish requests of this machine's own browser from those that are passed on.

A server that listens on loopback is still reached from elsewhere through a tunnel, or through a
proxy on the same machine. Both send the name by which they
were called, or a forwarding header, unless configured otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from webapp.addresses.hosts import is_loopback

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_FORWARDING: Final = frozenset(
    {
        "HTTP_CF_CONNECTING_IP",
        "HTTP_FORWARDED",
        "HTTP_TRUE_CLIENT_IP",
        "HTTP_VIA",
        "HTTP_X_CLIENT_IP",
        "HTTP_X_ORIGINAL_HOST",
        "HTTP_X_REAL_IP",
    }
)


def is_local_request(environ: WSGIEnvironment) -> bool:
    """Return whether a request names a loopback host and bears no sign of a proxy.

    HTTP/1.0 is such a sign: no browser speaks it, and nginx does unless configured otherwise.
    """
    if environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
        return False
    if any(name in _FORWARDING or name.startswith("HTTP_X_FORWARDED") for name in environ):
        return False
    try:
        name = urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname
    except ValueError:
        return False
    return name is not None and is_loopback(name)
