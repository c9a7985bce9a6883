"""Parse the text of settings; each `ValueError` completes the sentence "NAME takes …"."""

from __future__ import annotations

import ipaddress as ip
import json
import os
import re
from collections.abc import Callable
from typing import Final, Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from webapp.addresses.forwarding import is_own_path, is_prefix

LogFormat: TypeAlias = Literal["text", "json"]

_HEADER_FORMS: Final = "text of `Name: value` lines, or a JSON object of strings"
_NETWORK_FORMS: Final = "a list of addresses or networks, such as 127.0.0.1, 10.0.0.0/8"

# People copy these from an example of a request, after the base URL.
_OPERATION: Final = re.compile(
    r"/chat/completions?(/.*)?$"
    r"|(?<=/v1)/(audio|batches|chat|completions|embeddings|files|fine_tuning|images|messages"
    r"|models|moderations|rerank|responses)(/[\w.:-]*)?$"
)
_WITHOUT_SCHEME: Final = re.compile(r"[\w.-]+(?::[0-9]{1,5})?(?:/[\w/.-]*)?")
_OF_OLLAMA: Final = re.compile(r"/api/(chat|embed|embeddings|generate|ps|show|tags|version)/?$")
_HEADERS_OF_A_CONNECTION: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def names(raw: str) -> tuple[str, ...]:
    if raw.strip().lower() == "none":
        return ()
    found = tuple(name.strip() for name in raw.split(","))
    if not all(name and name.isprintable() for name in found):
        raise ValueError("names separated by commas, or none")
    return tuple(dict.fromkeys(found))


def token(raw: str) -> str:
    if not (raw.isascii() and raw.isprintable() and " " not in raw):
        raise ValueError("printable ASCII without spaces")
    return raw


def url(raw: str) -> str:
    parts = _split_web_address(raw)
    if parts is None:
        if _WITHOUT_SCHEME.fullmatch(raw):
            # Not repeated: a key may have been set here by mistake.
            raise ValueError("a URL that begins with http:// or https://")
        raise ValueError("a URL such as https://api.openai.com/v1")
    if "@" in parts.netloc or "#" in raw:
        raise ValueError("a URL without user name and fragment")
    if operation := _OPERATION.search(parts.path):
        base = f"{parts.scheme}://{parts.netloc}{parts.path[: operation.start()]}"
        query = " and its query" if parts.query else ""
        raise ValueError(f"a base URL, without {operation[0]}: set it to {base}{query}")
    if operation := _OF_OLLAMA.search(parts.path):
        base = f"{parts.scheme}://{parts.netloc}{parts.path[: operation.start()]}/v1"
        raise ValueError(
            f"the base URL of an API like OpenAI's, not Ollama's own: set it to {base}"
        )
    return parts.scheme + raw[len(parts.scheme) :]


def url_without_query(raw: str) -> str:
    found = url(raw)
    if "?" in found:
        raise ValueError("a URL without a query")
    return found


def headers(raw: str) -> tuple[tuple[str, str], ...]:
    """Parse headers in lines of `Name: value`, or in a JSON object of strings."""
    if raw.startswith("{"):
        pairs = _parse_json_headers(raw)
    else:
        lines = [line.partition(":") for line in raw.splitlines() if line.strip()]
        pairs = tuple((name.strip(), value.strip()) for name, _, value in lines)
    known = [name.lower() for name, _ in pairs]
    for (name, value), lowered in zip(pairs, known, strict=True):
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ValueError(_HEADER_FORMS)
        if not value or not (value.isascii() and value.isprintable()):
            raise ValueError(f"printable ASCII as the value of {name}")
        if lowered in _HEADERS_OF_A_CONNECTION:
            raise ValueError(f"a header other than {name}, which Readback sets itself")
        if known.count(lowered) > 1:
            raise ValueError(f"the header {name} only once")
    return pairs


def _parse_json_headers(raw: str) -> tuple[tuple[str, str], ...]:
    try:
        pairs = json.loads(raw, object_pairs_hook=tuple)
    except (ValueError, RecursionError) as error:
        raise ValueError(_HEADER_FORMS) from error
    if not all(isinstance(value, str) for _, value in pairs):
        raise ValueError(_HEADER_FORMS)
    return tuple((name, value.strip()) for name, value in pairs)


def networks(raw: str) -> tuple[ip.IPv4Network | ip.IPv6Network, ...]:
    try:
        # Bits after the prefix do not matter: `ip addr` prints 172.17.0.1/16.
        found = tuple(ip.ip_network(one, strict=False) for one in raw.replace(",", " ").split())
    except ValueError as error:
        raise ValueError(_NETWORK_FORMS) from error
    if not found:
        raise ValueError(_NETWORK_FORMS)
    return found


def prefix(raw: str) -> str:
    """Parse a path, without the slash at its end; the root is the empty string."""
    path = raw.rstrip("/")
    if path and not is_prefix(path):
        raise ValueError("a path such as /readback")
    if is_own_path(path):
        raise ValueError(f"a path that is not one of Readback's own, as {raw} is")
    return path


def proxy(raw: str) -> str:
    if _split_web_address(raw) is None:
        raise ValueError("a proxy URL such as http://proxy.example:3128")
    return raw


def database_url(raw: str) -> str:
    if not re.match(r"[a-z]+(\+[a-z0-9]+)?://", raw):
        raise ValueError("a database URL such as sqlite:////var/lib/readback/readback.sqlite3")
    return raw


def replica_url(raw: str) -> str:
    if not re.match(r"postgresql(\+psycopg)?://", raw):
        raise ValueError(
            "a URL of a database in PostgreSQL, such as postgresql+psycopg://replica/readback"
        )
    return raw


def host(raw: str) -> str:
    bare = raw.strip("[]")
    if not re.fullmatch(r"[A-Za-z0-9.:_\-]+", bare):
        raise ValueError("a host name or an address, such as 127.0.0.1")
    return bare


def hosts(raw: str) -> tuple[str, ...]:
    found = _split_list(raw.lower())
    if not found or not all(re.fullmatch(r"[a-z0-9._\-]+(:[0-9]+)?", one) for one in found):
        raise ValueError("host names separated by commas, such as readback.example")
    return found


def flag(raw: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if raw.lower() not in known:
        raise ValueError("1 or 0")
    return known[raw.lower()]


def log_format(raw: str) -> LogFormat:
    known: dict[str, LogFormat] = {"text": "text", "json": "json"}
    if raw not in known:
        raise ValueError("text or json")
    return known[raw]


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


def certificates(raw: str) -> str:
    """Check the path of a file with certificates of authorities."""
    # Imported here, since most commands open no connection.
    import ssl

    try:
        ssl.create_default_context(cafile=raw)
    except OSError as error:
        raise ValueError("the path of a PEM file of certificates") from error
    return raw


def folder(raw: str) -> str:
    if not os.path.isabs(raw) or not raw.isprintable():
        raise ValueError("the absolute path of a folder")
    return raw


def password_hash(raw: str) -> str:
    """Check a hash as `readback password` prints it, with bounds on the cost of a check."""
    match = re.fullmatch(
        r"scrypt:([0-9]{1,7}):([0-9]{1,2}):([0-9]{1,2})\$\S{8,64}\$[0-9a-f]{128}", raw
    )
    if match is None:
        raise ValueError("a hash that `readback password` has printed")
    cost, block, lanes = map(int, match.groups())
    if cost & (cost - 1) or cost < 2**14 or not 0 < cost * block * lanes <= 2**22:
        raise ValueError("a hash as strong as `readback password` makes it")
    return raw


def header_name(raw: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,100}", raw):
        raise ValueError("the name of a header, such as X-Forwarded-User")
    return raw


def people(raw: str) -> tuple[str, ...]:
    """Parse domains and addresses, to lower case; `*@example.com` would mean `example.com`."""
    found = _split_list(raw.lower())
    name = r"(?:everyone|(?:[^\s@*,]+@)?[^\s@*,=/:]+\.[^\s@*,=/:]+)"
    if not found or not all(re.fullmatch(name, one) for one in found):
        raise ValueError("a list of domains and addresses separated by commas, or everyone")
    return found


def admins(raw: str) -> tuple[str, ...]:
    found = _split_list(raw)
    if not found or not all(re.fullmatch(r"[^\s=]+|[A-Za-z0-9_.:/-]+=[^=]+", one) for one in found):
        raise ValueError(
            "a list of addresses, names or CLAIM=VALUE separated by commas, or everyone"
        )
    return found


def rate_limit_storage(raw: str) -> str:
    """Parse the address of a server, whose drivers know it by the scheme of Redis."""
    form = r"memory://|(?:redis|rediss|valkey|valkeys)://[^\s/]+(?:/[0-9]*)?"
    try:
        is_known = re.fullmatch(form, raw) is not None and urlsplit(raw).port != 0
    except ValueError:
        is_known = False
    if not is_known:
        raise ValueError("an address such as redis://127.0.0.1:6379, or memory://")
    return re.sub(r"\Avalkey", "redis", raw)


def _split_list(raw: str) -> tuple[str, ...]:
    """Split at commas; a text that cannot be seen whole has no items."""
    listed = raw.strip()
    return tuple(one.strip() for one in listed.split(",") if one.strip() and listed.isprintable())


def _split_web_address(raw: str) -> SplitResult | None:
    """Split an http or https URL; None for anything else."""
    try:
        parts = urlsplit(raw)
        has_host = parts.hostname is not None and parts.port != 0
    except ValueError:
        return None
    is_web = has_host and parts.scheme in ("http", "https")
    return parts if is_web and raw.isprintable() and " " not in raw else None
