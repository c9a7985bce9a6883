"""Refuse settings that contradict or lack one another."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from webapp.addresses.hosts import is_on_this_network
from webapp.config.settings import ConfigError

if TYPE_CHECKING:
    from webapp.config import Config


def check_settings(config: Config) -> None:
    """Raise `ConfigError` if settings contradict or lack one another."""
    _check_encryption(config)
    if config.uses_azure and not config.azure_openai_api_key:
        raise ConfigError("AZURE_OPENAI_ENDPOINT needs AZURE_OPENAI_API_KEY as well")
    if config.azure_openai_api_key and not config.uses_azure:
        raise ConfigError("AZURE_OPENAI_API_KEY needs AZURE_OPENAI_ENDPOINT as well")
    if config.uses_azure and (config.openai_api_key or config.openai_base_url):
        raise ConfigError(
            "AZURE_OPENAI_ENDPOINT and OPENAI_API_KEY or OPENAI_BASE_URL are both set; "
            "set the ones of a single server"
        )
    for name, value in (
        ("READBACK_MODEL_API_KEY", config.model_api_key),
        ("READBACK_MODEL_HEADERS", config.model_headers),
    ):
        if value and not config.model_url:
            raise ConfigError(f"{name} needs READBACK_MODEL_URL as well")
    if config.replica_url and not (config.database_url or "").startswith("postgresql"):
        raise ConfigError(
            "READBACK_READ_DATABASE_URL needs DATABASE_URL as well, in PostgreSQL: SQLite has no "
            "replicas"
        )
    if config.headers and config.uses_embedded:
        raise ConfigError("READBACK_HEADERS needs OPENAI_BASE_URL as well")
    _check_access(config)


def _check_access(config: Config) -> None:
    """Raise `ConfigError` unless it is clear who may read."""
    access = config.access
    if access.ways and config.open:
        raise ConfigError(
            "READBACK_OPEN=1 lets in everyone, so READBACK_PASSWORD_HASH, "
            "READBACK_OIDC_ISSUER and READBACK_PROXY_USER_HEADER cannot be set with it"
        )
    if not (config.is_loopback or config.open or access.ways):
        raise ConfigError(
            f"HOST={config.host} would show every transcript to anyone who can reach this "
            "machine; say who may read with READBACK_PASSWORD_HASH (a password of the team, "
            "made by `readback password`), READBACK_OIDC_ISSUER (accounts at an OpenID "
            "Connect provider) or READBACK_PROXY_USER_HEADER (a proxy that authenticates), or "
            "set READBACK_OPEN=1 if everyone may"
        )
    if access.proxy_user_header and not config.trusted_proxies:
        raise ConfigError("READBACK_PROXY_USER_HEADER needs READBACK_TRUSTED_PROXIES as well")
    for name, value in (
        ("READBACK_OIDC_CLIENT_ID", access.oidc_client_id),
        ("READBACK_OIDC_CLIENT_SECRET", access.oidc_client_secret),
        ("READBACK_OIDC_ALLOWED", access.oidc_allowed),
    ):
        if access.oidc_issuer and not value:
            raise ConfigError(f"READBACK_OIDC_ISSUER needs {name} as well")
        if value and not access.oidc_issuer:
            raise ConfigError(f"{name} needs READBACK_OIDC_ISSUER as well")


def _check_encryption(config: Config) -> None:
    """Raise `ConfigError` if a server outside of this network would be sent plain http."""
    for name, url in (
        ("OPENAI_BASE_URL", config.openai_base_url),
        ("AZURE_OPENAI_ENDPOINT", config.azure_openai_endpoint),
        ("READBACK_MODEL_URL", config.model_url),
        ("READBACK_OIDC_ISSUER", config.access.oidc_issuer),
    ):
        parts = urlsplit(url or "")
        is_plain = parts.scheme == "http" and not is_on_this_network(parts.hostname or "")
        if is_plain and not config.allows_plain_http:
            raise ConfigError(
                f"{name} takes an https URL; plain http is for this machine and this network. "
                "READBACK_ALLOW_PLAIN_HTTP=1 allows it for every server"
            )
