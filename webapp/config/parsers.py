"""Parse the text of settings; each `ValueError` completes the sentence "NAME takes …"."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from webapp.hosts import is_loopback


def secret(raw: str) -> str:
    if not (raw.isascii() and raw.isprintable() and " " not in raw):
        raise ValueError("printable ASCII without spaces")
    return raw


def url(raw: str) -> str:
    parts = _split_web_address(raw)
    if parts is None or parts.hostname is None:
        raise ValueError("a URL such as https://api.openai.com/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("a URL without user name, query and fragment")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("an https URL; plain http is for this machine only")
    return raw


def proxy(raw: str) -> str:
    if _split_web_address(raw) is None:
        raise ValueError("a proxy URL such as http://proxy.example:3128")
    return raw


def database_url(raw: str) -> str:
    if not re.match(r"[a-z]+(\+[a-z0-9]+)?://", raw):
        raise ValueError("a database URL such as sqlite:////var/lib/readback/readback.sqlite3")
    return raw


def host(raw: str) -> str:
    host = raw.strip("[]")
    if not re.fullmatch(r"[A-Za-z0-9.:_\-]+", host):
        raise ValueError("a host name or an address, such as 127.0.0.1")
    return host


def hosts(raw: str) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in raw.split(",") if name.strip())
    if not names or not all(re.fullmatch(r"[a-z0-9._\-]+(:[0-9]+)?", name) for name in names):
        raise ValueError("host names separated by commas, such as readback.example")
    return names


def flag(raw: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if raw.lower() not in known:
        raise ValueError("1 or 0")
    return known[raw.lower()]


def whole(low: int, high: int) -> Callable[[str], int]:
    def parse(raw: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", raw) or not low <= int(raw) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(raw)

    return parse


def seconds(raw: str) -> float:
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]+)?", raw) or not 0.05 <= float(raw) <= 3600:
        raise ValueError("a number of seconds from 0.05 to 3600")
    return float(raw)


def readable_file(raw: str) -> str:
    if not os.path.isfile(raw):
        raise ValueError("the path of a file that exists")
    return raw


def _split_web_address(raw: str) -> SplitResult | None:
    """Return the parts of an http or https URL, or None if `raw` is no such URL."""
    try:
        parts = urlsplit(raw)
        has_host = parts.hostname is not None and parts.port != 0
    except ValueError:
        return None
    is_web = has_host and parts.scheme in ("http", "https")
    return parts if is_web and raw.isprintable() and " " not in raw else None
