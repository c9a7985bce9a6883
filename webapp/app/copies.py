"""Keep copies beside the server that the pages read from; see `webapp.keeping`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from flask import Flask

from webapp import errors, keeping
from webapp.access import Access
from webapp.app.own_server import begin_retention, begin_upkeep, connect, open_model, open_store
from webapp.app.pages import register_pages
from webapp.app.services import build_services, open_media_cache, search_in
from webapp.config import Config
from webapp.database import DatabaseOpener
from webapp.embedded import Store, create_server
from webapp.factories import (
    find_upstream_days,
    lists_input_only,
    open_upstream,
    widen_for_copy,
    without_upstream,
)
from webapp.notes import Notes
from webapp.pins import OWN_STORE, Pins
from webapp.services import Services
from webapp.upstream import Clock, Upstream


def add_copies(
    app: Flask,
    services: Services,
    create: Callable[[], Flask],
    config: Config,
    guard: Access,
    database: DatabaseOpener,
    clock: Clock,
    *,
    completes_store: bool,
) -> Services:
    """Add the copies that are kept beside the server that `app` reads from to `services`.

    `create` makes the application of their pages, without a page. With a model server, completions
    are run again into the same store.
    """
    alone = without_upstream(config)
    store = open_store(config)
    if completes_store:
        begin_upkeep(store)
    pins = Pins(database, now=clock.wall)
    notes = Notes(database, OWN_STORE, now=clock.wall)
    media_cache = open_media_cache(alone)

    def forget(completion_id: str, was_stored: bool = True) -> None:
        pins.remove(completion_id)
        notes.remove_all(completion_id)
        media_cache.forget(completion_id)

    server = create_server(store, model=open_model(config), on_delete=forget)
    built = build_services(alone, connect(server), clock, media_cache)
    again = replace(services.again, model=built.again.model)
    own = replace(built, pins=pins, notes=notes, sharing=services.sharing, again=again)
    own = search_in(store, own)
    begin_retention(config, store, pins, guard.record, forget)
    create_shown = partial(_create_pages, create, own, store, app, guard)
    source = _describe_source(services.upstream, config, clock)
    copies = keeping.KeptCopies(store, source, create_shown, own)
    return replace(services, again=again, copies=copies)


def _create_pages(
    create: Callable[[], Flask], own: Services, store: Store, around: Flask, guard: Access
) -> Flask:
    """Create the application of the pages of copies, for the same readers as those around it."""
    pages = create()
    pages.secret_key = around.secret_key
    pages.extensions["readback"] = own
    guard.attach(pages)
    errors.register_error_handlers(pages, "kept")
    keeping.surround(pages, around, store)
    register_pages(pages, only_transcripts=True)
    return pages


def _describe_source(upstream: Upstream, config: Config, clock: Clock) -> keeping.Source:
    """Describe the server that is copied from, with room for whole transcripts."""
    return keeping.Source(
        open=lambda: open_upstream(config, limits=widen_for_copy(config.limits), clock=clock),
        input_only=lists_input_only(upstream, config),
        days=find_upstream_days(upstream, config),
        seconds=config.transfer_timeout,
    )
