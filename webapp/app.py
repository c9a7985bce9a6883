"""The application, assembled: settings, client, the server we bring, pages, errors."""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from htmx_flask import Htmx
from requests.adapters import BaseAdapter
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from webapp import errors, security, templating
from webapp.config import Config
from webapp.embedded import ModelLimits, ModelServer, Store, create_server
from webapp.factories import (
    database_url,
    lists_input_only,
    media_folder,
    open_upstream,
    upstream_limits,
)
from webapp.loopback import LoopbackAdapter
from webapp.media import MediaCache
from webapp.reading import TranscriptLoader
from webapp.reading.previews import Previews
from webapp.rendering import Budgets
from webapp.services import Services
from webapp.static_files import StaticFiles
from webapp.upstream import Limits
from webapp.views import completions, gallery, health, media, messages, remote_images, texts

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def assemble(config: Config | None, *, transport: BaseAdapter | None) -> Flask:
    """See `webapp.create_app`."""
    config = config or Config.from_environ(os.environ)
    root = _files_root()
    app = Flask("webapp", static_folder=None, template_folder=str(root / "templates"))
    app.secret_key = config.secret_key or secrets.token_hex(32)
    app.config["MAX_CONTENT_LENGTH"] = 256 * 1024
    Htmx(app)
    embedded = _embedded(config) if config.uses_embedded else None
    if embedded is not None:
        transport = transport or LoopbackAdapter(embedded, mount="/v1")
    app.extensions["readback"] = _services(config, transport)
    StaticFiles(root / "static").install(app)
    templating.install(app)
    errors.register(app)
    for area in (completions, messages, texts, media, remote_images, health):
        app.register_blueprint(area.bp)
    if config.gallery:
        app.register_blueprint(gallery.blueprint(Path(config.gallery)))
    wsgi: WSGIApplication = app.wsgi_app
    if embedded is not None and (config.is_loopback or config.api_key):
        wsgi = DispatcherMiddleware(wsgi, {"/v1": embedded})
    app.wsgi_app = security.Gate(wsgi, config.allowed_hosts)  # type: ignore[assignment]
    return app


def _embedded(config: Config) -> Flask:
    """The server we bring, over the configured store; it creates where a model server is set."""
    store = Store(database_url(config))
    return create_server(store, api_key=config.api_key, model=_model_server(config))


def _model_server(config: Config) -> ModelServer | None:
    if config.model_url is None:
        return None
    limits = ModelLimits(
        connect_timeout=config.connect_timeout,
        read_timeout=config.model_timeout,
        max_request_bytes=config.max_request_bytes,
    )
    return ModelServer(
        config.model_url,
        api_key=config.model_api_key,
        forwards_store=config.model_forwards_store,
        limits=limits,
        proxy=config.proxy,
        ca_bundle=config.ca_bundle,
    )


def _services(config: Config, transport: BaseAdapter | None) -> Services:
    limits = upstream_limits(config)
    upstream = open_upstream(config, limits, transport)
    reader = TranscriptLoader(
        upstream, input_only=lists_input_only(upstream, config), threads=config.threads
    )
    return Services(
        upstream=upstream,
        reader=reader,
        previews=Previews(open_upstream(config, _preview_limits(limits), transport)),
        media_cache=MediaCache(media_folder(config), max_bytes=config.media_cache_bytes),
        page_timeout=config.page_timeout,
        max_pages=config.max_pages,
        budgets=_budgets(config),
    )


def _budgets(config: Config) -> Budgets:
    return Budgets(
        text_bytes=config.max_text_bytes,
        brackets=config.max_brackets,
        page_brackets=config.max_page_brackets,
        levels=config.max_levels,
        code_bytes=config.max_code_bytes,
        formulas=config.max_formulas,
        parts=config.max_parts,
        values=config.max_values,
        tree_levels=config.max_tree_levels,
        rows=config.max_rows,
        seconds=config.render_timeout,
    )


def _preview_limits(limits: Limits) -> Limits:
    """A preview is worth one small call and no waiting."""
    return replace(limits, max_bytes=min(limits.max_bytes, 2 * 1024 * 1024), max_retries=0)


def _files_root() -> Path:
    """Where `templates` and `static` are: beside the package, or in it when installed."""
    package = Path(__file__).resolve().parent
    return package if (package / "templates").is_dir() else package.parent
