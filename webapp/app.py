"""Create the application: settings, client, embedded server, pages, errors."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flask import Flask, Response, request
from htmx_flask import Htmx
from requests.adapters import BaseAdapter
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from webapp import access, errors, keeping, redaction, security, templating
from webapp.access import RETENTION, Access, Event, LoginCookie, Record, client_address, find_reader
from webapp.addresses.forwarding import CLIENT, Forwarding, Proxies
from webapp.addresses.rules import SharedRule
from webapp.caching.inputs import read_input
from webapp.caching.pages import PAGES, PageCache
from webapp.config import Config
from webapp.database.readiness import Readiness
from webapp.embedded import (
    AS_GIVEN,
    ModelServer,
    Recovery,
    Retention,
    Snapshot,
    Spool,
    Store,
    StoreFinder,
    StoreOverview,
    Upkeep,
    create_server,
    load_samples,
)
from webapp.factories import (
    build_endpoint,
    find_database_url,
    find_media_folder,
    find_message_folder,
    find_server_kind,
    find_snippet_servers,
    find_spool_folder,
    find_upstream_days,
    lengthen,
    lists_input_only,
    open_app_database,
    open_upstream,
    without_servers,
)
from webapp.folders import FolderCache
from webapp.loopback import LoopbackAdapter
from webapp.media import MediaCache
from webapp.monitoring.request_ids import find_request_id
from webapp.monitoring.request_log import RequestLog, note_route
from webapp.pins import OWN_STORE, Pins, name_place
from webapp.reading import TranscriptLoader
from webapp.reading.kept import MessageCache
from webapp.reading.previews import Previews
from webapp.reading.whole import WholeReader
from webapp.saved import SavedFilters
from webapp.services import Again, Services, Sharing
from webapp.serving import compression
from webapp.serving.refusals import AnswerRefusals
from webapp.shares import Policy, RecentSnapshots, ShareStore
from webapp.static_files import StaticFiles
from webapp.templating.context import VIEW_COOKIE
from webapp.uploads.running import Uploads
from webapp.upstream import SYSTEM_CLOCK, Clock, Upstream
from webapp.views import (
    checks,
    completions,
    health,
    listing,
    login,
    media,
    messages,
    record,
    remote_images,
    search,
    sessions,
    texts,
)
from webapp.views.actions import changing, code, importing, pinning, rerun, selecting
from webapp.views.actions import keeping as kept
from webapp.views.exports import lists, sources, transcripts
from webapp.views.finding import conversations, overview, saving
from webapp.views.finding import search as finding
from webapp.views.inspecting import compare, confidence
from webapp.views.shares import links, making, managing, redacted
from webapp.views.shares.snapshot_pages import SnapshotPages

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_MAX_FORM_BYTES: Final = 256 * 1024
_OF_TRANSCRIPTS: Final = (
    *(listing, completions, checks, search, messages, texts, media, remote_images),
    *(code, rerun, changing, selecting, pinning, compare, confidence, conversations),
    *(finding, overview, saving, sources, transcripts, lists),
)
"""The pages of the list and of transcripts, whatever server they are read from."""
_DATABASES: Final = "readback.databases"
_MAX_PREVIEW_BYTES: Final = 2 * 1024 * 1024


def create_app(
    config: Config | None = None,
    *,
    transport: BaseAdapter | None = None,
    clock: Clock = SYSTEM_CLOCK,
    fills_new_store: bool = False,
    completes_store: bool = False,
) -> Flask:
    """Return the application for `config`, by default that of the environment.

    `transport` replaces the network below the client, for tests and embedding. `clock` measures
    the deadlines of pages and upstream requests. If it `fills_new_store`, a store that had to be
    created gets the sample completions. If it `completes_store`, a thread indexes additions,
    and completions that an older program has stored.
    """
    config = config or Config.from_environ(os.environ)
    root = _find_root()
    static_files = StaticFiles(root / "static")
    redaction.remember_secrets(config.secrets)
    app = _create_pages(root, static_files)
    app.secret_key = config.secret_key or secrets.token_hex(32)
    app.config["MAX_CONTENT_LENGTH"] = _MAX_FORM_BYTES
    app.session_interface = LoginCookie()
    static_files.serve(app)
    media_cache = _open_media_cache(config)
    database = open_app_database(config)
    shares = ShareStore(database)
    guard = Access(config, database, now=clock.wall)
    place = OWN_STORE if config.uses_embedded else name_place(build_endpoint(config).base_url)
    pins = Pins(database, place, now=clock.wall)
    embedded, spool, store, uploads = None, None, None, None
    if config.uses_embedded:
        spool = Spool(find_spool_folder(config), max_bytes=config.spool_bytes)
        forget = partial(_forget, media_cache, shares, pins, spool, guard.record)
        store = Store(
            find_database_url(config),
            opens_later=True,
            conversation_keys=config.conversation_keys,
        )
        uploads = Uploads(store, database, max_bytes=config.max_upload_bytes, now=clock.wall)
        embedded = _create_embedded(
            config,
            store,
            spool,
            guard.record,
            forget,
            pins.list_everywhere,
            fills_new_store=fills_new_store,
            completes_store=completes_store,
        )
    if embedded is not None:
        transport = transport or LoopbackAdapter(embedded, mount="/v1", variables={AS_GIVEN: True})
    create = partial(_create_pages, root, static_files)
    services = replace(
        _build_services(config, transport, clock, media_cache),
        conversations=store,
        finder=StoreFinder(store) if store else None,
        overview=StoreOverview(store) if store else None,
        shares=_build_sharing(config, shares, clock, create),
        uploads=uploads,
        pinned=pins,
        saved=SavedFilters(database),
    )
    if not config.uses_embedded:
        services = _add_copies(
            app, create, services, config, clock, guard, Pins(database, now=clock.wall)
        )
    app.extensions["readback"] = services
    app.extensions[_DATABASES] = [database] if store is None else [database, store]
    app.extensions[health.READINESS] = Readiness(database, access.SCHEMA).find_problem
    app.before_request(_note_route)
    compression.install(app)
    guard.install(app)
    app.add_template_global(lambda: read_input(spool.read_state) if spool else None, "spool_state")
    app.extensions[PAGES] = PageCache(cookies=[VIEW_COOKIE])
    errors.register_error_handlers(app, find_server_kind(services.upstream, config))
    _add_pages(app)
    wsgi: WSGIApplication = app.wsgi_app
    if embedded is not None:
        wsgi = _mount_api(wsgi, embedded, guard, has_key=config.api_key is not None)
    wsgi = AnswerRefusals(wsgi)
    wsgi = security.Gate(wsgi, config.allowed_hosts)
    wsgi = Forwarding(wsgi, Proxies(config.trusted_proxies, config.prefix))
    app.wsgi_app = RequestLog(wsgi)  # type: ignore[assignment]
    return app


def close_databases(app: Flask) -> None:
    """Close the connections of an application to its databases, after its last request."""
    for database in app.extensions[_DATABASES]:
        database.close()


def _note_route() -> None:
    note_route(request.environ, request.url_rule.rule if request.url_rule else None)


def open_templates() -> Flask:
    """Return an application with the templates and without a page, to write files without it."""
    root = _find_root()
    return _create_pages(root, StaticFiles(root / "static"))


def load_stored(store: Store, config: Config) -> TranscriptLoader:
    """Return the loader of the transcripts of `store`, for commands."""
    transport = LoopbackAdapter(create_server(store), mount="/v1", variables={AS_GIVEN: True})
    upstream = open_upstream(without_servers(config), transport=transport)
    return TranscriptLoader(upstream, input_only=True, threads=1, believes_end=True)


def _find_root() -> Path:
    """Return the folder of `templates` and `static`: the package if it is installed."""
    package = Path(__file__).resolve().parent
    return package if (package / "templates").is_dir() else package.parent


def _add_pages(app: Flask) -> None:
    """Add every page of the viewer to `app`; a share has an application with fewer."""
    app.add_template_global(find_reader, "find_reader")
    app.after_request(_make_redirect_relative)
    for area in (
        *_OF_TRANSCRIPTS,
        *(importing, kept, links, making, managing, redacted, login, sessions, record, health),
    ):
        app.register_blueprint(area.bp)


def _add_copies(
    app: Flask,
    create: Callable[[], Flask],
    services: Services,
    config: Config,
    clock: Clock,
    guard: Access,
    pins: Pins,
) -> Services:
    """Return `services` with the copies that are kept beside the server that `app` reads from.

    With a model server, completions are run again into the same store. `pins` are those of copies
    as such.
    """
    alone = without_servers(config)
    store = Store(
        find_database_url(config), opens_later=True, conversation_keys=config.conversation_keys
    )
    media_cache = _open_media_cache(alone)

    def forget(completion_id: str) -> None:
        pins.remove(completion_id)
        media_cache.forget(completion_id)

    server = create_server(store, model=_open_model(config), on_delete=forget)
    transport = LoopbackAdapter(server, mount="/v1", variables={AS_GIVEN: True})
    own = replace(_build_services(alone, transport, clock, media_cache), pinned=pins)
    again = replace(services.again, model=own.again.model)
    if config.keep_days:
        Retention(
            store,
            days=config.keep_days,
            on_delete=forget,
            on_deleted=lambda one: guard.record.add(Event.DELETE, RETENTION, completion=one),
            list_kept=pins.list_everywhere,
        ).begin()

    def create_pages() -> Flask:
        pages = create()
        pages.config["MAX_CONTENT_LENGTH"] = _MAX_FORM_BYTES
        pages.extensions["readback"] = replace(
            own,
            shares=services.shares,
            again=again,
            conversations=store,
            finder=StoreFinder(store),
            overview=StoreOverview(store),
        )
        pages.after_request(_make_redirect_relative)
        pages.add_template_global(find_reader, "find_reader")
        guard.attach(pages)
        errors.register_error_handlers(pages, "kept")
        keeping.surround(pages, app, store)
        for area in (*_OF_TRANSCRIPTS, making, redacted):
            pages.register_blueprint(area.bp)
        return pages

    source = keeping.Source(
        open=lambda: open_upstream(config, limits=lengthen(config.limits), clock=clock),
        input_only=lists_input_only(services.upstream, config),
        days=find_upstream_days(services.upstream, config),
        seconds=config.transfer_timeout,
    )
    copies = keeping.KeptCopies(store, source, create_pages, own)
    return replace(services, again=again, copies=copies)


def _create_pages(root: Path, static_files: StaticFiles) -> Flask:
    """Return an application with the templates and their filters, and without a page."""
    app = Flask("webapp", static_folder=None, template_folder=str(root / "templates"))
    app.url_rule_class = SharedRule
    redaction.mask_logger(app.logger)
    Htmx(app)
    templating.install(app)
    static_files.install(app)
    app.add_template_global(lambda: None, "spool_state")
    app.add_template_global(lambda: None, "find_reader")
    app.add_template_global(find_request_id, "request_id")
    return app


def _open_media_cache(config: Config) -> MediaCache:
    media_cache = MediaCache(
        FolderCache(
            find_media_folder(config),
            max_bytes=config.media_cache_bytes,
            max_age=config.media_cache_seconds,
        )
    )
    media_cache.sweep()
    return media_cache


def _mount_api(
    pages: WSGIApplication, embedded: WSGIApplication, guard: Access, *, has_key: bool
) -> WSGIApplication:
    """Return `pages` with the API at `/v1`, which without a key is for this machine only."""
    mounted = DispatcherMiddleware(pages, {"/v1": embedded})

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        return (mounted if has_key or guard.is_local(environ) else pages)(environ, start)

    return answer


def _make_redirect_relative(response: Response) -> Response:
    """Remove the scheme and host, which a proxy that is not trusted may have hidden from us."""
    if response.location and response.location.startswith(request.host_url):
        response.location = response.location[len(request.host_url) - 1 :]
    return response


def _forget(
    media_cache: MediaCache,
    shares: ShareStore,
    pins: Pins,
    spool: Spool,
    record: Record,
    completion_id: str,
    *,
    reader: access.Reader | None,
    revokes: bool = True,
    **details: str,
) -> None:
    """Delete the files of a completion; revoke its shares unless told not to, and record that.

    A client that deletes cannot be asked whether its shares should stay, so they do not.
    """
    for share in shares.revoke_all(completion=completion_id) if revokes else ():
        record.add(Event.SHARE_REVOKED, reader, completion=completion_id, share=share.id, **details)
    pins.remove(completion_id)
    media_cache.forget(completion_id)
    spool.forget(completion_id)


def _open_model(config: Config) -> ModelServer | None:
    if config.model_url is None:
        return None
    return ModelServer(
        config.model_url,
        api_key=config.model_api_key,
        headers=config.model_headers,
        forwards_store=config.model_forwards_store,
        stores_all=config.stores_all,
        limits=config.model_limits,
        proxy=config.proxy,
        ca_bundle=config.ca_bundle,
    )


def _create_embedded(
    config: Config,
    store: Store,
    spool: Spool,
    record: Record,
    forget: Callable[..., None],
    list_kept: Callable[[], Collection[str]],
    *,
    fills_new_store: bool,
    completes_store: bool,
) -> Flask:
    """Return the embedded server; it creates completions if a model server is configured.

    It does without its database until that can be reached.
    """
    model = _open_model(config)
    if model is not None:
        spool.prepare()
    recovery = Recovery(store, spool, fill=load_samples if fills_new_store else None)
    recovery.open_store()
    if completes_store:
        Upkeep(store).begin()
    if config.keep_days:
        Retention(
            store,
            days=config.keep_days,
            on_delete=partial(forget, reader=RETENTION),
            on_deleted=lambda one: record.add(Event.DELETE, RETENTION, completion=one),
            list_kept=list_kept,
        ).begin()

    def forget_deleted(completion_id: str) -> None:
        details = {"address": client_address(), "by": "API"}
        # A request of our own pages comes from no client; its reader chose what becomes of the
        # shares, and the page records it.
        is_of_client = CLIENT in request.environ
        forget(completion_id, reader=None, revokes=is_of_client, **details)
        if is_of_client:
            record.add(Event.DELETE, None, completion=completion_id, **details)

    return create_server(
        store, api_key=config.api_key, model=model, recovery=recovery, on_delete=forget_deleted
    )


def _build_sharing(
    config: Config, shares: ShareStore, clock: Clock, create: Callable[[], Flask]
) -> Sharing:
    """Return the shares, in the database of this Readback also if its pages read from elsewhere.

    The services of a snapshot read nothing else: they have no address, no key and no cache.
    """
    alone = without_servers(config)
    nothing = MediaCache(FolderCache(find_media_folder(alone), max_bytes=0, max_age=0))

    def build(text: str) -> Services:
        server = create_server(Snapshot(text))
        transport = LoopbackAdapter(server, mount="/v1", variables={AS_GIVEN: True})
        return _build_services(alone, transport, clock, nothing)

    return Sharing(
        shares,
        Policy(
            allows=config.allows_shares,
            max_seconds=config.share_days * 86400,
            needs_passphrase=config.shares_need_passphrase,
        ),
        SnapshotPages(create, build),
        RecentSnapshots(),
    )


def _build_services(
    config: Config, transport: BaseAdapter | None, clock: Clock, media_cache: MediaCache
) -> Services:
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
        believes_end=config.uses_embedded,
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
) -> Again:
    reads, creates = find_snippet_servers(config)
    model = None
    if config.uses_embedded and config.model_url is not None:
        limits = replace(
            config.limits, max_bytes=config.model_limits.max_stored_bytes, max_retries=0
        )
        model = open_upstream(config, limits=limits, transport=transport, clock=clock)
    return Again(
        reads,
        creates,
        leaves_defaults=find_server_kind(upstream, config) in ("openai", "azure"),
        timeout=config.model_limits.create_timeout,
        model=model,
    )
