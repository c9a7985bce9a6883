"""Distinguish requests of this machine's own browser from those that are passed on.

A server that listens on loopback is still reached from elsewhere through a tunnel, or through a
proxy on the same machine. Both send the name by which they
were called, or a forwarding header, unless configured otherwise.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from webapp.addresses.hosts import is_loopback

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_LONGEST_HOST: Final = 300
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
    """Check whether a request names a loopback host and bears no sign of a proxy.

    HTTP/1.0 is such a sign: no browser speaks it, and nginx does unless configured otherwise.
    """
    if environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
        return False
    # One search of all names: each request comes here, and has forty of them.
    if "\nHTTP_X_FORWARDED" in "\n" + "\n".join(environ) or not _FORWARDING.isdisjoint(environ):
        return False
    host = environ.get("HTTP_HOST", "")
    return len(host) <= _LONGEST_HOST and _is_loopback_host(host)


@lru_cache(maxsize=64)
def _is_loopback_host(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return name is not None and is_loopback(name)
