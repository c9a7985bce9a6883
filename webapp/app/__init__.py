"""Create the application from its settings.

services    the client of the server, and all else that views share
own_server  the store and the embedded server, if the pages read from that
copies      the copies beside another server, and their pages
holding     the requests that hold large answers of a server
pages       an application with the templates, and the pages registered on it

This module puts them together, and the layers around them.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from functools import partial
from typing import Final

from flask import Flask, request
from requests.adapters import BaseAdapter

from webapp import access, errors, redaction, security
from webapp.access import Access, LoginCookie
from webapp.addresses.forwarding import Forwarding, Proxies
from webapp.app.copies import add_copies
from webapp.app.holding import HoldAnswers
from webapp.app.own_server import OwnServer, Traces, connect, load_stored, open_own_server
from webapp.app.pages import create_pages, open_templates, read_static_files, register_pages
from webapp.app.services import build_services, build_sharing, open_media_cache, search_in
from webapp.caching.inputs import read_input
from webapp.caching.pages import PAGES, PageCache
from webapp.config import Config
from webapp.database.readiness import Readiness
from webapp.embedded import Spool
from webapp.factories import (
    build_endpoint,
    find_server_kind,
    find_spool_folder,
    open_app_database,
)
from webapp.monitoring.request_log import RequestLog, note_route
from webapp.notes import Notes
from webapp.pins import OWN_STORE, Pins, name_place
from webapp.saved import SavedFilters
from webapp.serving import compression
from webapp.serving.admission import Quotas
from webapp.serving.refusals import AnswerRefusals
from webapp.shares import ShareStore
from webapp.templating.context import VIEW_COOKIE
from webapp.uploads.running import Uploads
from webapp.upstream import SYSTEM_CLOCK, Clock
from webapp.views import health
from webapp.views.actions.changing import DELETED_COOKIE

__all__ = ["close_databases", "create_app", "load_stored", "open_templates"]

_DATABASES: Final = "readback.databases"


def create_app(
    config: Config | None = None,
    *,
    transport: BaseAdapter | None = None,
    clock: Clock = SYSTEM_CLOCK,
    fills_new_store: bool = False,
    completes_store: bool = False,
) -> Flask:
    """Create the application for `config`, by default that of the environment.

    `transport` replaces the network below the client, for tests and embedding. `clock` measures
    the deadlines of pages and upstream requests. If it `fills_new_store`, a store that had to be
    created gets the sample completions. If it `completes_store`, a thread indexes additions,
    and completions that an older program has stored.
    """
    config = config or Config.from_environ(os.environ)
    redaction.remember_secrets(config.secrets)
    static_files = read_static_files()
    create = partial(create_pages, static_files)
    app = create()
    app.secret_key = config.secret_key or secrets.token_hex(32)
    app.session_interface = LoginCookie()
    static_files.serve(app)
    media_cache = open_media_cache(config)
    database = open_app_database(config)
    shares = ShareStore(database)
    guard = Access(config, database, now=clock.wall)
    place = OWN_STORE if config.uses_embedded else name_place(build_endpoint(config).base_url)
    pins = Pins(database, place, now=clock.wall)
    notes = Notes(database, place, now=clock.wall)
    own = None
    if config.uses_embedded:
        spool = Spool(find_spool_folder(config), max_bytes=config.spool_bytes)
        traces = Traces(media_cache, shares, pins, notes, spool, guard.record)
        own = open_own_server(
            config, traces, fills_new_store=fills_new_store, completes_store=completes_store
        )
        transport = transport or connect(own.api)
        app.add_template_global(lambda: read_input(spool.read_state), "spool_state")
    services = replace(
        build_services(config, transport, clock, media_cache),
        sharing=build_sharing(config, shares, clock, create),
        pins=pins,
        notes=notes,
        saved=SavedFilters(database),
    )
    if own is not None:
        uploads = Uploads(own.store, database, max_bytes=config.max_upload_bytes, now=clock.wall)
        services = replace(search_in(own.store, services), uploads=uploads)
    else:
        services = add_copies(
            app, services, create, config, guard, database, clock, completes_store=completes_store
        )
    app.extensions["readback"] = services
    app.extensions[_DATABASES] = [database, own.store] if own else [database]
    app.extensions[health.READINESS] = Readiness(database, access.SCHEMA).find_problem
    app.extensions[PAGES] = PageCache(
        cookies=[VIEW_COOKIE, DELETED_COOKIE], finish=compression.finish_page
    )
    errors.register_error_handlers(app, find_server_kind(services.upstream, config))
    _install_pages(app, config, guard, own, clock)
    return app


def _install_pages(
    app: Flask, config: Config, guard: Access, own: OwnServer | None, clock: Clock
) -> None:
    """Register the pages and their guard, and put the WSGI layers around them.

    The layer that a request comes through first is the last one.
    """
    app.before_request(
        lambda: note_route(request.environ, request.url_rule.rule if request.url_rule else None)
    )
    compression.install(app)
    guard.install(app)
    register_pages(app)
    threads = Quotas.for_config(config).threads
    held = HoldAnswers(app.wsgi_app, threads, monotonic=clock.monotonic)
    # The API reads from the store, so that none of its answers is held.
    wsgi = held if own is None else own.mount(held, guard, config)
    gate = security.Gate(AnswerRefusals(wsgi), config.allowed_hosts)
    forwarding = Forwarding(gate, Proxies(config.trusted_proxies, config.prefix))
    app.wsgi_app = RequestLog(forwarding)  # type: ignore[assignment]


def close_databases(app: Flask) -> None:
    """Close the connections of an application to its databases, after its last request."""
    for database in app.extensions[_DATABASES]:
        database.close()
