"""Tell this machine's host names from others, and addresses from names."""

from __future__ import annotations

import ipaddress


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
