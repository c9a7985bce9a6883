"""The table of settings: one row each, with its name, parser, default and help."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the settings table."""

    name: str
    parse: Callable[[str], object]
    default: str
    help: str

    @property
    def attribute(self) -> str:
        return self.name.removeprefix("READBACK_").lower()


def is_loopback_host(host: str) -> bool:
    """Whether `host` (a name or an address, without port) is this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


# Parsers raise ValueError with what the setting takes, as the end of "X takes …".


def _secret(raw: str) -> str:
    if not (raw.isascii() and raw.isprintable() and " " not in raw):
        raise ValueError("printable ASCII without spaces")
    return raw


def _web_address(raw: str) -> SplitResult | None:
    """The parts of a URL for http or https; None when it is none."""
    try:
        parts = urlsplit(raw)
        named = parts.hostname is not None and parts.port != 0
    except ValueError:
        return None
    is_one = named and parts.scheme in ("http", "https") and raw.isprintable() and " " not in raw
    return parts if is_one else None


def _url(raw: str) -> str:
    parts = _web_address(raw)
    if parts is None or parts.hostname is None:
        raise ValueError("a URL such as https://api.openai.com/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("a URL without user name, query and fragment")
    if parts.scheme == "http" and not is_loopback_host(parts.hostname):
        raise ValueError("an https URL; plain http is for this machine only")
    return raw


def _proxy(raw: str) -> str:
    if _web_address(raw) is None:
        raise ValueError("a proxy URL such as http://proxy.example:3128")
    return raw


def _database_url(raw: str) -> str:
    if not re.match(r"[a-z]+(\+[a-z0-9]+)?://", raw):
        raise ValueError("a database URL such as sqlite:////var/lib/readback/readback.sqlite3")
    return raw


def _host(raw: str) -> str:
    host = raw.strip("[]")
    if not re.fullmatch(r"[A-Za-z0-9.:_\-]+", host):
        raise ValueError("a host name or an address, such as 127.0.0.1")
    return host


def _hosts(raw: str) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in raw.split(",") if name.strip())
    if not names or not all(re.fullmatch(r"[a-z0-9._\-]+(:[0-9]+)?", name) for name in names):
        raise ValueError("host names separated by commas, such as readback.example")
    return names


def _flag(raw: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if raw.lower() not in known:
        raise ValueError("1 or 0")
    return known[raw.lower()]


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(raw: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", raw) or not low <= int(raw) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(raw)

    return parse


def _seconds(raw: str) -> float:
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]+)?", raw) or not 0.05 <= float(raw) <= 3600:
        raise ValueError("a number of seconds from 0.05 to 3600")
    return float(raw)


def _readable_file(raw: str) -> str:
    if not os.path.isfile(raw):
        raise ValueError("the path of a file that exists")
    return raw


def _folder(raw: str) -> str:
    if not os.path.isdir(raw):
        raise ValueError("the path of a folder that exists")
    return raw


_MB: Final = 1024 * 1024

SETTINGS: Final = (
    Setting("OPENAI_API_KEY", _secret, "", "The key of the server to read from. Sent to it alone."),
    Setting(
        "OPENAI_BASE_URL",
        _url,
        "https://api.openai.com/v1",
        "The server to read from, when it is another OpenAI-compatible one.",
    ),
    Setting("OPENAI_ORG_ID", _secret, "", "Sent as `OpenAI-Organization`."),
    Setting("OPENAI_PROJECT_ID", _secret, "", "Sent as `OpenAI-Project`."),
    Setting(
        "AZURE_OPENAI_ENDPOINT",
        _url,
        "",
        "Azure OpenAI: the resource, such as https://RESOURCE.openai.azure.com.",
    ),
    Setting("AZURE_OPENAI_API_KEY", _secret, "", "Azure OpenAI: the key, sent as `api-key`."),
    Setting(
        "OPENAI_API_VERSION",
        _secret,
        "",
        "Azure OpenAI: set for the classic API; without it the v1 API is used.",
    ),
    Setting(
        "DATABASE_URL",
        _database_url,
        "a SQLite file in the user's data folder",
        "Where the embedded server keeps its completions: SQLite, or `postgresql+psycopg://…`.",
    ),
    Setting(
        "READBACK_API_KEY",
        _secret,
        "",
        "The key that clients of the embedded server must send. Without one it answers at /v1 "
        "only when HOST is loopback.",
    ),
    Setting(
        "READBACK_MODEL_URL",
        _url,
        "",
        "An OpenAI-compatible server that creates completions for the embedded one, such as "
        "http://127.0.0.1:11434/v1.",
    ),
    Setting("READBACK_MODEL_API_KEY", _secret, "", "The key of that server. Sent to it alone."),
    Setting(
        "READBACK_MODEL_FORWARDS_STORE",
        _flag,
        "0",
        "1 forwards `store` and `metadata` to that server too: most have no store, and some "
        "refuse a request that asks for one.",
    ),
    Setting(
        "READBACK_MODEL_TIMEOUT",
        _seconds,
        "600",
        "Seconds to wait for the next bytes of that server.",
    ),
    Setting(
        "READBACK_MAX_REQUEST_BYTES",
        _whole(1024, 1024 * _MB),
        str(64 * _MB),
        "Bytes of a request to create a completion, images and sounds included.",
    ),
    Setting("SECRET_KEY", _secret, "made at start", "Signs what browsers are given to keep."),
    Setting("HOST", _host, "127.0.0.1", "The address to listen on."),
    Setting("PORT", _whole(1, 65535), "8000", "The port to listen on."),
    Setting(
        "READBACK_OPEN",
        _flag,
        "0",
        "1 allows a HOST other than loopback: everyone who reaches it can read everything.",
    ),
    Setting(
        "READBACK_ALLOWED_HOSTS",
        _hosts,
        "",
        "Host names, separated by commas, that readers type; addresses and localhost always work.",
    ),
    Setting("READBACK_WORKERS", _whole(1, 64), "2", "Server processes."),
    Setting(
        "READBACK_THREADS",
        _whole(1, 512),
        "64",
        "Threads a process: how many readers can wait for the upstream at once.",
    ),
    Setting(
        "READBACK_CONNECT_TIMEOUT", _seconds, "5", "Seconds to wait for a connection upstream."
    ),
    Setting("READBACK_READ_TIMEOUT", _seconds, "10", "Seconds to wait for the next bytes."),
    Setting(
        "READBACK_PAGE_TIMEOUT",
        _seconds,
        "20",
        "Seconds a page may take in all, its retries included.",
    ),
    Setting("READBACK_MAX_RETRIES", _whole(0, 10), "2", "Tries after the first one fails."),
    Setting(
        "READBACK_MAX_BYTES",
        _whole(1024, 1024 * _MB),
        str(64 * _MB),
        "Bytes of one upstream answer, decompressed, that are read at the most.",
    ),
    Setting(
        "READBACK_MAX_PAGES",
        _whole(1, 1_000_000),
        "10000",
        "Pages that Load all asks for in one go; a link goes on from there.",
    ),
    Setting(
        "READBACK_MEDIA_CACHE_BYTES",
        _whole(0, 1024 * 1024 * _MB),
        str(256 * _MB),
        "Bytes of images and sounds of pages just shown that are kept for the browser to fetch.",
    ),
    Setting(
        "READBACK_MAX_TEXT_BYTES",
        _whole(1_000, 100 * _MB),
        "200000",
        "Bytes of one text that a page shows at once; a link gives the rest.",
    ),
    Setting(
        "READBACK_MAX_BRACKETS",
        _whole(0, 1_000_000),
        "4000",
        "Brackets, stars and the like in one text, above which it is shown without Markdown.",
    ),
    Setting(
        "READBACK_MAX_PAGE_BRACKETS",
        _whole(0, 100_000_000),
        "40000",
        "The same for all texts of one page.",
    ),
    Setting(
        "READBACK_MAX_LEVELS",
        _whole(2, 1_000),
        "100",
        "Blocks inside blocks, above which a text is shown without Markdown; a list is two.",
    ),
    Setting(
        "READBACK_MAX_CODE_BYTES",
        _whole(0, 10 * _MB),
        "50000",
        "Bytes of one code block, above which it is shown without colours.",
    ),
    Setting(
        "READBACK_MAX_FORMULAS",
        _whole(0, 100_000),
        "500",
        "Formulas of one page that are set; more stay as they were written.",
    ),
    Setting(
        "READBACK_MAX_PARTS",
        _whole(1, 100_000),
        "200",
        "Content parts and tool calls of one message that a page shows at once.",
    ),
    Setting(
        "READBACK_MAX_VALUES",
        _whole(0, 1_000_000),
        "2000",
        "Values of one JSON text that stand in a tree; the rest stands below as text.",
    ),
    Setting(
        "READBACK_MAX_ROWS",
        _whole(1, 100_000),
        "500",
        "Rows of one CSV text that stand in a table; the source has all of them.",
    ),
    Setting(
        "READBACK_RENDER_TIMEOUT",
        _seconds,
        "1.5",
        "Seconds one page may spend on rendering texts; what is left then is shown as it is.",
    ),
    Setting("READBACK_PROXY", _proxy, "", "A proxy for upstream calls; HTTP_PROXY is not read."),
    Setting(
        "READBACK_CA_BUNDLE", _readable_file, "", "A PEM file of the authorities to trust upstream."
    ),
    Setting(
        "READBACK_GALLERY",
        _folder,
        "",
        "A folder of bubbles (JSON) to show at /dev/gallery, for development.",
    ),
)
