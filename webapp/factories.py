"""Build the client that the settings name, and find its database and folders.

Knows nothing of pages, so that a command need not load their code.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal, TypeAlias
from urllib.parse import parse_qsl

import platformdirs
from requests.adapters import BaseAdapter

from webapp import access, notes, pins, saved, shares
from webapp.addresses.credentials import drop_login
from webapp.config import OPENAI_BASE_URL, Config
from webapp.database import DatabaseOpener, open_later
from webapp.snippets import Server
from webapp.uploads.reports import SCHEMA as UPLOADS
from webapp.upstream import SYSTEM_CLOCK, Clock, Endpoint, Limits, Upstream

ServerKind: TypeAlias = Literal["embedded", "openai", "azure", "compatible"]

APP_SCHEMAS: Final = (
    *(access.SCHEMA, shares.SCHEMA, pins.SCHEMA, saved.SCHEMA, UPLOADS),
    notes.SCHEMA,
)
"""The tables beside those of the store."""

_COPY_SECONDS: Final = 120.0
_COPY_BYTES: Final = 512 * 1024 * 1024
"""A page of a hundred messages with images in them; one is read at a time."""
_DAYS: Final = 30
"""For which OpenAI and Azure keep a completion."""

EMBEDDED_URL: Final = "http://127.0.0.1/v1"


def find_database_url(config: Config) -> str:
    """Find the configured database, by default a SQLite file in the user's data folder."""
    if config.database_url:
        return config.database_url
    folder = platformdirs.user_data_path("readback", appauthor=False)
    return f"sqlite:///{folder / 'readback.sqlite3'}"


def open_app_database(config: Config, *, is_patient: bool = False) -> DatabaseOpener:
    """Open the database of sessions, the record, shares, pins, notes, filters and uploads.

    It is opened on first use, and is the same one, whatever server the pages read from.
    """
    return open_later(find_database_url(config), *APP_SCHEMAS, is_patient=is_patient)


def find_media_folder(config: Config) -> Path:
    """Find the cache folder of the upstream's media, shared by the workers.

    Each server, and each account on one, has its own. Raises `ValueError` for a refused URL.
    """
    if config.uses_embedded:
        return find_store_media_folder(config)
    endpoint = build_endpoint(config)
    headers = [f"{name}: {value.reveal()}" for name, value in endpoint.headers]
    return _name_media_folder("\n".join((endpoint.base_url, endpoint.query, *headers)))


def find_message_folder(config: Config) -> Path:
    """Find the cache folder of the upstream's messages, one a server and account."""
    media = find_media_folder(config)
    return media.parent.parent / "messages" / media.name


def find_store_media_folder(config: Config) -> Path:
    """Find the cache folder of the embedded server's media, one a database.

    It is the same in every working folder and with every password, so that `readback delete`
    finds the folder of a running server.
    """
    url = find_database_url(config)
    scheme, is_file, path = url.partition(":///")
    if is_file and scheme.startswith("sqlite"):
        return _name_media_folder(os.path.realpath(path.partition("?")[0]))
    return _name_media_folder(drop_login(url))


def _name_media_folder(place: str) -> Path:
    name = hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return platformdirs.user_cache_path("readback", appauthor=False) / "media" / name


def find_spool_folder(config: Config) -> Path:
    """Find the configured spool, by default a folder of this store in the user's data folder."""
    if config.spool_dir:
        return Path(config.spool_dir)
    # The folder stays the same if the database gets another password.
    place = drop_login(find_database_url(config))
    name = hashlib.sha256(place.encode()).hexdigest()[:12]
    return platformdirs.user_data_path("readback", appauthor=False) / "spool" / name


def build_endpoint(config: Config) -> Endpoint:
    """Build the server that the client reads from. Raises `ValueError` for a refused URL."""
    if config.uses_embedded:
        return Endpoint.openai(base_url=EMBEDDED_URL, api_key=config.api_key)
    if config.azure_openai_endpoint:
        endpoint = Endpoint.azure(
            config.azure_openai_endpoint,
            config.azure_openai_api_key or "",
            api_version=config.openai_api_version,
            allows_plain_http=config.allows_plain_http,
        )
    else:
        endpoint = Endpoint.openai(
            base_url=config.openai_base_url or OPENAI_BASE_URL,
            api_key=config.openai_api_key,
            organization=config.openai_org_id,
            project=config.openai_project_id,
            allows_plain_http=config.allows_plain_http,
        )
    return endpoint.with_headers(config.headers)


def open_upstream(
    config: Config,
    *,
    limits: Limits | None = None,
    transport: BaseAdapter | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> Upstream:
    """Open a client of the configured server, by default within the configured limits.

    Raises `ValueError` for a refused URL.
    """
    return Upstream(
        build_endpoint(config),
        limits=limits or config.limits,
        # A page sends up to four requests side by side.
        pool_size=config.threads * 4,
        transport=transport,
        proxy=config.proxy,
        ca_bundle=config.ca_bundle,
        clock=clock,
    )


def without_upstream(config: Config) -> Config:
    """Return the settings to read our own store alone; its model server, with its key, stays."""
    return replace(
        config,
        openai_api_key=None,
        openai_base_url=None,
        azure_openai_endpoint=None,
        azure_openai_api_key=None,
        headers=(),
        api_key=None,
        proxy=None,
    )


def without_servers(config: Config) -> Config:
    """Remove every server and every key of one from the settings, to read a snapshot alone."""
    return replace(without_upstream(config), model_url=None, model_api_key=None, model_headers=())


def find_server_kind(upstream: Upstream, config: Config) -> ServerKind:
    """Find out which kind of server the client reads from."""
    if config.uses_embedded:
        return "embedded"
    host = upstream.host.rsplit(":", 1)[0]
    if config.uses_azure or host.endswith(".azure.com"):
        return "azure"
    is_openai = host == "api.openai.com" or host.endswith(".api.openai.com")
    return "openai" if is_openai else "compatible"


def find_snippet_servers(config: Config) -> tuple[Server, Server]:
    """Find the servers that code asks for stored messages, and for another run.

    Raises `ValueError` for a refused URL.
    """
    if config.uses_embedded:
        own = Server(is_own=True)
        return own, own if config.model_url else Server()
    endpoint = build_endpoint(config)
    query = dict(parse_qsl(endpoint.query))
    reads = Server(
        None if endpoint.base_url == OPENAI_BASE_URL else endpoint.base_url,
        api_version=query.get("api-version"),
        keyed_by_header=config.uses_azure,
    )
    if not config.uses_azure:
        return reads, reads
    # The classic API names a deployment in the address, which is not known.
    v1 = f"{endpoint.base_url.removesuffix('/v1')}/v1"
    return reads, replace(reads, base_url=v1, api_version=None)


def widen_for_copy(limits: Limits) -> Limits:
    """Lengthen the limits for a copy of a completion, whose pages may be large and take long.

    The copier retries by itself.
    """
    return replace(
        limits,
        page_timeout=max(limits.page_timeout, _COPY_SECONDS),
        max_bytes=max(limits.max_bytes, _COPY_BYTES),
        max_retries=0,
    )


def find_upstream_days(upstream: Upstream, config: Config) -> int | None:
    """Find after how many days the server deletes a completion; None if that is not known."""
    if config.upstream_days is not None:
        return config.upstream_days or None
    return _DAYS if find_server_kind(upstream, config) in ("openai", "azure") else None


def lists_input_only(upstream: Upstream, config: Config) -> bool:
    """Return whether the server is known to list only the input messages."""
    return find_server_kind(upstream, config) != "compatible"
