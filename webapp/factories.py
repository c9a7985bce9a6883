"""What the settings name: the server upstream and its client, the database, the folder of media.

Knows nothing of pages, so that a command needs not load what shows them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import platformdirs
from requests.adapters import BaseAdapter

from webapp.config import Config
from webapp.upstream import Endpoint, Limits, Upstream

EMBEDDED_URL: Final = "http://127.0.0.1/v1"


def database_url(config: Config) -> str:
    """The configured database, by default a SQLite file in the user's data folder."""
    if config.database_url:
        return config.database_url
    folder = platformdirs.user_data_path("readback", appauthor=False)
    return f"sqlite:///{folder / 'readback.sqlite3'}"


def endpoint(config: Config) -> Endpoint:
    """Where the client sends its calls. Raises ValueError for an address it refuses."""
    if config.uses_embedded:
        return Endpoint.openai(base_url=EMBEDDED_URL, api_key=config.api_key)
    if config.azure_openai_endpoint:
        return Endpoint.azure(
            config.azure_openai_endpoint,
            config.azure_openai_api_key or "",
            api_version=config.openai_api_version,
        )
    return Endpoint.openai(
        base_url=config.openai_base_url or "https://api.openai.com/v1",
        api_key=config.openai_api_key,
        organization=config.openai_org_id,
        project=config.openai_project_id,
    )


def upstream_limits(config: Config) -> Limits:
    """The bounds on each call, as configured."""
    return Limits(
        connect_timeout=config.connect_timeout,
        read_timeout=config.read_timeout,
        page_timeout=config.page_timeout,
        max_bytes=config.max_bytes,
        max_retries=config.max_retries,
        pool_size=config.threads * 2,
    )


def open_upstream(config: Config, limits: Limits, transport: BaseAdapter | None = None) -> Upstream:
    """A client of the configured server. Raises ValueError for an address it refuses."""
    return Upstream(
        endpoint(config),
        limits=limits,
        transport=transport,
        proxy=config.proxy,
        ca_bundle=config.ca_bundle,
    )


def lists_input_only(upstream: Upstream, config: Config) -> bool:
    """Whether the server is one of those known to list the input messages alone."""
    host = upstream.host.rsplit(":", 1)[0]
    known = host == "api.openai.com" or host.endswith((".openai.azure.com", ".azure.com"))
    return config.uses_embedded or config.uses_azure or known


def media_folder(config: Config) -> Path:
    """One folder a server, shared by the workers; whoever clears caches may clear it away."""
    name = hashlib.sha256(endpoint(config).base_url.encode()).hexdigest()[:12]
    return platformdirs.user_cache_path("readback", appauthor=False) / "media" / name
