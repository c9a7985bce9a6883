"""The address that a reader typed, behind proxies and under a path, as the request's own.

Every link, form, script and redirect is built from SCRIPT_NAME, and the checks of the Host and of
the origin compare with the scheme and the host of the request, so this comes before all of them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from webapp.addresses.prefixes import is_own_path, is_prefix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")

Networks = Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]


class Forwarding:
    """A WSGI layer that applies what trusted proxies say, and the prefix of the settings.

    X-Forwarded-Proto, -Host and -Prefix count only if the request comes from an address in
    `trusted`. Of a list, the last value counts: the nearest proxy wrote it. A value that is
    malformed is ignored.

    A proxy may pass on the path with or without the prefix; both are understood.
    """

    def __init__(self, app: WSGIApplication, *, trusted: Networks = (), prefix: str = "") -> None:
        self._app = app
        self._trusted = trusted
        self._prefix = prefix

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        prefix = self._prefix
        if self._is_trusted(environ.get("REMOTE_ADDR", "")):
            scheme = _read(environ, "PROTO").lower()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
            host = _read(environ, "HOST")
            if _HOST.fullmatch(host):
                environ["HTTP_HOST"] = host
            named = _read(environ, "PREFIX").rstrip("/")
            prefix = named if is_prefix(named) else prefix
        if prefix:
            _enter(environ, prefix)
        return self._app(environ, start)

    def _is_trusted(self, remote: str) -> bool:
        if not self._trusted:
            return False
        try:
            address = ipaddress.ip_address(remote)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._trusted)


def _read(environ: WSGIEnvironment, name: str) -> str:
    """Return the value of the nearest proxy."""
    value: str = environ.get(f"HTTP_X_FORWARDED_{name}", "")
    return value.rpartition(",")[2].strip()


def _enter(environ: WSGIEnvironment, prefix: str) -> None:
    """Move `prefix` to SCRIPT_NAME, from PATH_INFO if the proxy left it there."""
    path: str = environ.get("PATH_INFO", "")
    # A proxy that serves Readback under a path like our own must remove it: `/v1/v1/…` and
    # `/v1/…` would otherwise be the same.
    if f"{path}/".startswith(f"{prefix}/") and not is_own_path(prefix):
        environ["PATH_INFO"] = path[len(prefix) :] or "/"
    environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}{prefix}"
