"""Give a request the address that the reader typed, as trusted proxies and the settings say.

Every link, form, script and redirect is built from SCRIPT_NAME, and the checks of the Host and of
the origin read the host of the request, so this comes before all of them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from webapp.addresses.hosts import find_name, is_address

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_WITHOUT_PORT: Final = re.compile(
    r"\A(?:\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5})\Z"
)
"""An address as some proxies write it: with a port, or in brackets."""

Networks = Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]

_PREFIX: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")
CLIENT: Final = "readback.client"
"""The key of the client's address in the environment of a request."""
READING: Final = frozenset(
    ("compare", "completions", "completions.csv", "completions.jsonl", "conversations", "open")
    + ("overview", "remote-image", "saved-filters", "search", "selected", "shares")
)
"""The first segments of the pages of lists and transcripts, which copies have below a path, too."""
_OWN: Final = READING | frozenset(
    ("healthz", "import", "kept", "logged-out", "login", "logout", "readyz", "record", "s")
    + ("sessions", "static", "v1")
)
"""The first segments of the paths that Readback answers itself."""


@dataclass(frozen=True, slots=True)
class Proxies:
    """The networks of proxies that are trusted, and the prefix of the settings."""

    trusted: Networks = ()
    prefix: str = ""

    def trusts(self, remote: str) -> bool:
        """Return whether the headers of the proxy at the address `remote` count."""
        if not self.trusted:
            return False
        try:
            address = ipaddress.ip_address(remote)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.trusted)

    def find_client(self, remote: str, forwarded: str) -> str:
        """Find the address of the client; `forwarded` is X-Forwarded-For.

        Each proxy adds the address that its request came from at the end of the list, so the
        list is read backwards for as long as the proxies are trusted.
        """
        if not forwarded:
            return remote
        for named in reversed(forwarded.split(",")):
            address = _WITHOUT_PORT.sub(r"\1\2", named.strip())
            if not self.trusts(remote) or not is_address(address):
                break
            remote = address
        return remote

    def find_prefix(self, remote: str, forwarded: str) -> str:
        """Find the path that Readback is served under; `forwarded` is X-Forwarded-Prefix."""
        if not forwarded:
            return self.prefix
        named = _read_last(forwarded).rstrip("/")
        return named if is_prefix(named) and self.trusts(remote) else self.prefix


def remove_prefix(path: str, prefix: str) -> str:
    """Remove `prefix` from `path`, if the proxy left it there.

    A proxy that serves Readback under a path like our own must remove it: `/v1/v1/…` and `/v1/…`
    would otherwise be the same.
    """
    if prefix and f"{path}/".startswith(f"{prefix}/") and not is_own_path(prefix):
        return path[len(prefix) :] or "/"
    return path


class Forwarding:
    """A WSGI layer that applies the headers of trusted proxies, and the prefix of the settings.

    X-Forwarded-Proto, -Host, -For and -Prefix count only if the request comes from an address that
    `proxies` trust. Of a list, the last value counts: the nearest proxy wrote it. A value that
    is malformed is ignored.

    A proxy may pass on the path with or without the prefix; both are understood.
    """

    def __init__(self, app: WSGIApplication, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        remote = environ.get("REMOTE_ADDR", "")
        environ[CLIENT] = self._proxies.find_client(remote, environ.get("HTTP_X_FORWARDED_FOR", ""))
        if self._proxies.trusts(remote):
            scheme = _read_last(environ.get("HTTP_X_FORWARDED_PROTO", "")).lower()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
            host = _read_last(environ.get("HTTP_X_FORWARDED_HOST", ""))
            if find_name(host):
                environ["HTTP_HOST"] = host
        prefix = self._proxies.find_prefix(remote, environ.get("HTTP_X_FORWARDED_PREFIX", ""))
        if prefix:
            environ["PATH_INFO"] = remove_prefix(environ.get("PATH_INFO", ""), prefix)
            environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}{prefix}"
        return self._app(environ, start)


def _read_last(values: str) -> str:
    """Read the value of the nearest proxy."""
    return values.rpartition(",")[2].strip()


def is_prefix(path: str) -> bool:
    """Return whether `path` can be put before every path of Readback's.

    `//host` would lead to another server, and `..` out of the prefix again.
    """
    return _PREFIX.fullmatch(path) is not None


def is_own_path(path: str) -> bool:
    """Return whether `path` begins like a path of Readback's own."""
    return path.partition("/")[2].partition("/")[0] in _OWN
