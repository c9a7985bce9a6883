"""The settings as one frozen value, read once from the environment.

A value that does not parse stops the start with one line that names the variable and says what
it takes. For every setting `X`, `X_FILE` names a file to read it from, so that secrets need
not stand in the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from webapp.config.table import SETTINGS, Setting, is_loopback_host

__all__ = ["SETTINGS", "Config", "ConfigError", "is_loopback_host"]


class ConfigError(ValueError):
    """A setting is missing or malformed; the text is one line for whoever starts Readback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Readback's settings, parsed. Times are in seconds, sizes in bytes.

    The keys, and the addresses that may hold a password, are left out of the repr.
    """

    openai_api_key: str | None = field(default=None, repr=False)
    openai_base_url: str | None = None
    openai_org_id: str | None = None
    openai_project_id: str | None = None
    azure_openai_endpoint: str | None = None
    azure_openai_api_key: str | None = field(default=None, repr=False)
    openai_api_version: str | None = None
    database_url: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    model_url: str | None = None
    model_api_key: str | None = field(default=None, repr=False)
    model_forwards_store: bool = False
    model_timeout: float = 600.0
    max_request_bytes: int = 64 * 1024 * 1024
    secret_key: str | None = field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    open: bool = False
    allowed_hosts: tuple[str, ...] = ()
    workers: int = 2
    threads: int = 64
    connect_timeout: float = 5.0
    read_timeout: float = 10.0
    page_timeout: float = 20.0
    max_retries: int = 2
    max_bytes: int = 64 * 1024 * 1024
    max_pages: int = 10_000
    media_cache_bytes: int = 256 * 1024 * 1024
    max_text_bytes: int = 200_000
    max_brackets: int = 4_000
    max_page_brackets: int = 40_000
    max_levels: int = 100
    max_code_bytes: int = 50_000
    max_formulas: int = 500
    max_parts: int = 200
    max_values: int = 2_000
    max_tree_levels: int = 20
    max_rows: int = 500
    render_timeout: float = 1.0
    proxy: str | None = field(default=None, repr=False)
    ca_bundle: str | None = None
    gallery: str | None = None

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
        if self.model_api_key and not self.model_url:
            raise ConfigError("READBACK_MODEL_API_KEY needs READBACK_MODEL_URL as well")
        if self.gallery and not self.is_loopback:
            raise ConfigError("READBACK_GALLERY is for development; it needs a HOST on loopback")
        if not self.is_loopback and not self.open:
            raise ConfigError(
                f"HOST={self.host} would show every transcript to anyone who can reach this "
                "machine; set READBACK_OPEN=1 if that is meant"
            )


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
