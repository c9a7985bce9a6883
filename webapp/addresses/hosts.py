"""Tell the host names of this machine and of this network from others, addresses from names."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Final

_NETWORKS: Final = tuple(
    map(
        ipaddress.ip_network,
        # Private, carrier-grade (which overlay networks use), and link-local.
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16")
        + ("fc00::/7", "fe80::/10"),
    )
)
_SUFFIXES: Final = (".local", ".internal", ".localhost", ".home.arpa")
"""Never delegated in the public name system."""


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
        return address.is_loopback or any(address in network for network in _NETWORKS)
    if _is_address_in_disguise(host):
        return False
    return "." not in host or host.removesuffix(".").endswith(_SUFFIXES)


def _is_address_in_disguise(host: str) -> bool:
    """Return whether the resolver reads `host` as an IPv4 address, such as `134744072`."""
    if re.fullmatch(r"[0-9a-fx.]+", host) is None:
        return False
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True
