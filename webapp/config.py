"""The settings: a frozen value read once from the environment.

One row a setting: name, default, parser and the sentence the README shows. A value that does
not parse stops the start with one line that names the variable and says what it takes. For
every setting `X`, `X_FILE` names a file to read it from, so that secrets need not stand in
the environment.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit


class ConfigError(ValueError):
    """A setting is missing or malformed; the text is one line for whoever starts Readback."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Readback's settings, parsed. Times are in seconds, sizes in bytes.

    The keys are left out of the repr.
    """

    openai_api_key: str | None = field(default=None, repr=False)
    openai_base_url: str | None = None
    openai_org_id: str | None = None
    openai_project_id: str | None = None
    azure_openai_endpoint: str | None = None
    azure_openai_api_key: str | None = field(default=None, repr=False)
    openai_api_version: str | None = None
    database_url: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    open: bool = False
    allowed_hosts: tuple[str, ...] = ()
    workers: int = 2
    threads: int = 32
    connect_timeout: float = 5.0
    read_timeout: float = 10.0
    page_timeout: float = 20.0
    max_retries: int = 2
    max_bytes: int = 64 * 1024 * 1024
    media_cache_bytes: int = 256 * 1024 * 1024
    proxy: str | None = None
    ca_bundle: str | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Config:
        """The settings in `environ`. Raises `ConfigError`."""
        values = {
            setting.attribute: _value(setting, environ)
            for setting in SETTINGS
            if _raw(setting, environ) is not None
        }
        config = cls(**values)  # type: ignore[arg-type]
        config._check()
        return config

    @property
    def is_loopback(self) -> bool:
        """Whether the server listens for this machine only."""
        return is_loopback_host(self.host)

    @property
    def uses_azure(self) -> bool:
        return self.azure_openai_endpoint is not None

    @property
    def uses_embedded(self) -> bool:
        """Whether Readback brings its own server: neither a key nor an address is set."""
        return not (self.openai_api_key or self.openai_base_url or self.uses_azure)

    def _check(self) -> None:
        if self.uses_azure and not self.azure_openai_api_key:
            raise ConfigError("AZURE_OPENAI_ENDPOINT needs AZURE_OPENAI_API_KEY as well")
        if self.azure_openai_api_key and not self.uses_azure:
            raise ConfigError("AZURE_OPENAI_API_KEY needs AZURE_OPENAI_ENDPOINT as well")
        if self.uses_azure and (self.openai_api_key or self.openai_base_url):
            raise ConfigError(
                "AZURE_OPENAI_ENDPOINT and OPENAI_API_KEY or OPENAI_BASE_URL are both set; "
                "set the ones of a single server"
            )
        if not self.is_loopback and not self.open:
            raise ConfigError(
                f"HOST={self.host} would show every transcript to anyone who can reach this "
                "machine; set READBACK_OPEN=1 if that is meant"
            )


def is_loopback_host(host: str) -> bool:
    """Whether `host` (a name or an address, without port) is this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _raw(setting: Setting, environ: Mapping[str, str]) -> str | None:
    """The text set for it, directly or in a file; blank counts as not set."""
    value = environ.get(setting.name, "").strip()
    path = environ.get(f"{setting.name}_FILE", "").strip()
    if value and path:
        raise ConfigError(f"{setting.name} and {setting.name}_FILE are both set; set one of them")
    if path:
        value = _file_text(f"{setting.name}_FILE", path)
    return value or None


def _file_text(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"{name} names a file that cannot be read: {problem}") from problem


def _value(setting: Setting, environ: Mapping[str, str]) -> object:
    raw = _raw(setting, environ)
    assert raw is not None
    try:
        return setting.parse(raw)
    except ValueError as problem:
        raise ConfigError(f"{setting.name} takes {problem}") from problem


# Parsers raise ValueError with what the setting takes, as the end of "X takes …".


def _text(raw: str) -> str:
    if not raw.isprintable():
        raise ValueError("text without control characters")
    return raw


def _secret(raw: str) -> str:
    if not (raw.isascii() and raw.isprintable() and " " not in raw):
        raise ValueError("printable ASCII without spaces")
    return raw


def _url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a URL such as https://api.openai.com/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("a URL without user name, query and fragment")
    if parts.scheme == "http" and not is_loopback_host(parts.hostname):
        raise ValueError("an https URL; plain http is for this machine only")
    return raw


def _proxy(raw: str) -> str:
    if urlsplit(raw).scheme not in ("http", "https") or not urlsplit(raw).hostname:
        raise ValueError("a proxy URL such as http://proxy.example:3128")
    return raw


def _database_url(raw: str) -> str:
    if not re.match(r"[a-z]+(\+[a-z0-9]+)?://", raw):
        raise ValueError("a database URL such as sqlite:////var/lib/readback/readback.sqlite3")
    return raw


def _host(raw: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:_\-\[\]]+", raw):
        raise ValueError("a host name or an address, such as 127.0.0.1")
    return raw.strip("[]")


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
    if not Path(raw).is_file():
        raise ValueError("the path of a file that exists")
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
        "Where the embedded server keeps its completions.",
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
        "32",
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
        "READBACK_MEDIA_CACHE_BYTES",
        _whole(0, 1024 * 1024 * _MB),
        str(256 * _MB),
        "Bytes of images and sounds of pages just shown that are kept for the browser to fetch.",
    ),
    Setting("READBACK_PROXY", _proxy, "", "A proxy for upstream calls; HTTP_PROXY is not read."),
    Setting(
        "READBACK_CA_BUNDLE", _readable_file, "", "A PEM file of the authorities to trust upstream."
    ),
)
