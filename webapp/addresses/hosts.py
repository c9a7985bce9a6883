"""Distinguish hosts and requests of this machine and network from others, addresses from names.

A server that listens on loopback is still reached from elsewhere through a tunnel, or through a
proxy on the same machine. Both send the name by which they were called, or a forwarding header,
unless configured otherwise.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_NETWORKS: Final = tuple(
    map(
        ipaddress.ip_network,
        # Private, carrier-grade (which overlay networks use), and link-local.
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16")
        + ("fc00::/7", "fe80::/10"),
    )
)
_SUFFIXES: Final = (
    *(".local", ".internal", ".localhost", ".home.arpa"),
    # Suffixes of routers, clusters and offices, as in RFC 6762, appendix G.
    *(".lan", ".home", ".localdomain", ".svc", ".intranet", ".private", ".corp"),
)
"""Never delegated in the public name system."""
_HOST: Final = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._~%-]+)?\])(?::(?P<port>[0-9]{0,5}))?"
)
_HIGHEST_PORT: Final = 65_535
_LONGEST_HOST: Final = 300
_FORWARDING: Final = frozenset(
    f"HTTP_{name}"
    for name in (
        *("CDN_LOOP", "CF_CONNECTING_IP", "CF_RAY", "CLIENT_IP", "DO_CONNECTING_IP"),
        *("FASTLY_CLIENT_IP", "FLY_CLIENT_IP", "FORWARDED", "TAILSCALE_USER_LOGIN"),
        *("TRUE_CLIENT_IP", "VIA", "X_APPENGINE_USER_IP", "X_ARR_LOG_ID", "X_AZURE_CLIENTIP"),
        *("X_CLIENT_IP", "X_CLUSTER_CLIENT_IP", "X_ENVOY_EXTERNAL_ADDRESS", "X_ORIGINAL_HOST"),
        *("X_FORWARD_FOR", "X_NGINX_PROXY", "X_ORIGINAL_FORWARDED_FOR", "X_ORIGINAL_PROTO"),
        *("X_ORIGINAL_URL", "X_PROXYUSER_IP", "X_REAL_IP", "X_REWRITE_URL", "X_SCHEME"),
        *("FRONT_END_HTTPS", "NGROK_TRACE_ID", "X_REQUEST_START"),
    )
)
"""Headers that proxies and tunnels add, and no browser; those of `X-Forwarded-*` besides."""


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Return whether `host`, a name or an address without a port, is this machine only."""
    return host.lower() == "localhost" or (
        is_address(host.strip("[]")) and ipaddress.ip_address(host.strip("[]")).is_loopback
    )


def is_address(host: str) -> bool:
    """Return whether `host` is an IPv4 or IPv6 address, without brackets."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1024)
def name_source(address: str) -> str:
    """Return the source of an address: an IPv4 address, or the network of an IPv6 address.

    A client with one IPv6 address usually has 2^64 of them.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def is_on_this_network(host: str) -> bool:
    """Return whether `host` is this machine, or a name or an address that is not public.

    A name without a dot is found by the search list of the machine, or by that of a container.
    """
    host = host.strip("[]").lower().replace("%25", "%")
    if is_loopback(host):
        return True
    if is_address(host):
        address = ipaddress.ip_address(host)
        mapped = getattr(address, "ipv4_mapped", None)
        address = mapped or address
        # The unspecified address, which servers print when they start, leads to this machine.
        is_here = address.is_loopback or address.is_unspecified
        return is_here or any(address in network for network in _NETWORKS)
    disguised = _find_address_in_disguise(host)
    if disguised is not None:
        return is_on_this_network(disguised)
    return "." not in host or host.removesuffix(".").endswith(_SUFFIXES)


def _find_address_in_disguise(host: str) -> str | None:
    """Find the IPv4 address that the resolver reads in `host`, such as 8.8.8.8 in `134744072`."""
    if re.fullmatch(r"[0-9a-fx.]+", host) is None:
        return None
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def is_local_request(environ: WSGIEnvironment) -> bool:
    """Return whether a request names a loopback host and bears no sign of a proxy.

    HTTP/1.0 is such a sign: no browser speaks it, and nginx does unless configured otherwise.
    """
    if environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
        return False
    # One search of all names: each request comes here, and has forty of them.
    if "\nHTTP_X_FORWARDED" in "\n" + "\n".join(environ) or not _FORWARDING.isdisjoint(environ):
        return False
    name = find_name(environ.get("HTTP_HOST", ""))
    return name is not None and is_loopback(name)


def find_name(host: str) -> str | None:
    """Find the name in a Host header; None if the header is malformed or very long."""
    return _parse_host(host) if len(host) <= _LONGEST_HOST else None


@lru_cache(maxsize=64)
def _parse_host(host: str) -> str | None:
    found = _HOST.fullmatch(host)
    if found is None or int(found["port"] or 0) > _HIGHEST_PORT:
        return None
    return found["name"].strip("[]").lower()
