"""Build the services that views share, for the pages of a server, of copies or of a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from flask import Flask
from requests.adapters import BaseAdapter

from webapp.app.own_server import connect
from webapp.config import Config
from webapp.embedded import SnapshotStore, Store, StoreFinder, StoreOverview, create_server
from webapp.factories import (
    find_media_folder,
    find_message_folder,
    find_server_kind,
    find_snippet_servers,
    lists_input_only,
    open_upstream,
    without_servers,
)
from webapp.folders import FolderCache
from webapp.media import MediaCache
from webapp.reading import TranscriptLoader
from webapp.reading.kept import MessageCache
from webapp.reading.previews import Previews
from webapp.reading.whole import WholeReader
from webapp.services import RerunServers, Services, Sharing
from webapp.shares import Policy, RecentSnapshots, ShareStore
from webapp.upstream import Clock, Upstream
from webapp.views.shares.snapshot_pages import SnapshotPages

_MAX_PREVIEW_BYTES: Final = 2 * 1024 * 1024


def open_media_cache(config: Config) -> MediaCache:
    """Open the cache of the upstream's media, and delete files that are too old or too many."""
    media_cache = MediaCache(
        FolderCache(
            find_media_folder(config),
            max_bytes=config.media_cache_bytes,
            max_age=config.media_cache_seconds,
        )
    )
    media_cache.sweep()
    return media_cache


def build_services(
    config: Config, transport: BaseAdapter | None, clock: Clock, media_cache: MediaCache
) -> Services:
    """Build the services that read from the configured server, through `transport` if given."""
    upstream = open_upstream(config, transport=transport, clock=clock)
    input_only = lists_input_only(upstream, config)
    kept = FolderCache(
        find_message_folder(config),
        max_bytes=0 if config.uses_embedded else config.message_cache_bytes,
        max_age=config.message_cache_seconds,
    )
    kept.sweep()
    messages_cache = MessageCache(kept)
    loader = TranscriptLoader(
        upstream,
        input_only=input_only,
        threads=config.threads,
        cache=messages_cache,
        is_own_server=config.uses_embedded,
    )
    # A preview is worth one small request and no waiting.
    max_bytes = min(config.limits.max_bytes, _MAX_PREVIEW_BYTES)
    limits = replace(config.limits, max_bytes=max_bytes, max_retries=0)
    return Services(
        upstream=upstream,
        loader=loader,
        runs=WholeReader(
            loader,
            messages_cache,
            input_only=input_only,
            most=config.whole_requests,
            is_eager=config.uses_embedded,
            may_be_unfinished=upstream.may_be_unfinished,
            is_openai=find_server_kind(upstream, config) == "openai",
        ),
        previews=Previews(open_upstream(config, limits=limits, transport=transport, clock=clock)),
        media_cache=media_cache,
        page_timeout=config.limits.page_timeout,
        max_pages=config.max_pages,
        budgets=config.budgets,
        allows_writes=config.allows_writes,
        again=_build_again(config, upstream, transport, clock),
    )


def _build_again(
    config: Config, upstream: Upstream, transport: BaseAdapter | None, clock: Clock
) -> RerunServers:
    reads, creates = find_snippet_servers(config)
    model = None
    if config.uses_embedded and config.model_url is not None:
        limits = replace(
            config.limits, max_bytes=config.model_limits.max_stored_bytes, max_retries=0
        )
        model = open_upstream(config, limits=limits, transport=transport, clock=clock)
    return RerunServers(
        reads,
        creates,
        leaves_defaults=find_server_kind(upstream, config) in ("openai", "azure"),
        timeout=config.model_limits.create_timeout,
        model=model,
    )


def search_in(store: Store, services: Services) -> Services:
    """Add the searches over all completions of `store` to `services`."""
    return replace(
        services, conversations=store, finder=StoreFinder(store), overview=StoreOverview(store)
    )


def build_sharing(
    config: Config, shares: ShareStore, clock: Clock, create: Callable[[], Flask]
) -> Sharing:
    """Build the shares, in the database of this Readback also if its pages read from elsewhere.

    The services of a snapshot read nothing else: they have no address, no key and no cache.
    """
    alone = without_servers(config)
    nothing = MediaCache(FolderCache(find_media_folder(alone), max_bytes=0, max_age=0))
    policy = Policy(
        allows=config.allows_shares,
        max_seconds=config.share_days * 86400,
        needs_passphrase=config.shares_need_passphrase,
    )

    def build(text: str) -> Services:
        return build_services(alone, connect(create_server(SnapshotStore(text))), clock, nothing)

    return Sharing(shares, policy, SnapshotPages(create, build), RecentSnapshots())
