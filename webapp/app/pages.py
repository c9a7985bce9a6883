"""Create Flask applications with the templates, and register the viewer's pages."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from flask import Flask, Response, request
from htmx_flask import Htmx

from webapp import redaction, templating
from webapp.access import find_reader
from webapp.addresses.building import SharedRule
from webapp.monitoring.request_ids import find_request_id
from webapp.static_files import StaticFiles
from webapp.views import (
    completions,
    conversations,
    finding,
    health,
    listing,
    login,
    media,
    remote_images,
    search,
    texts,
)
from webapp.views.actions import (
    changing,
    code,
    importing,
    keeping,
    noting,
    pinning,
    selecting,
)
from webapp.views.exports import lists, sources, transcripts
from webapp.views.inspecting import checks, compare, confidence
from webapp.views.shares import links, making, managing, redacted

_OF_TRANSCRIPTS: Final = (
    *(listing, completions, checks, search, texts, media, remote_images, conversations, finding),
    *(code, changing, selecting, pinning, noting, compare, confidence),
    *(sources, transcripts, lists, making, redacted),
)
"""The pages of the list and of transcripts, whatever server they are read from."""

_OF_THIS_READBACK: Final = (importing, keeping, links, managing, login, health)

_MAX_FORM_BYTES: Final = 256 * 1024

_PACKAGE: Final = Path(__file__).resolve().parent.parent
_ROOT: Final = _PACKAGE if (_PACKAGE / "templates").is_dir() else _PACKAGE.parent
"""The folder of `templates` and `static`: the package if it is installed."""


@cache
def read_static_files() -> StaticFiles:
    """Read the style sheets and the digests of all static files, once in a process."""
    return StaticFiles(_ROOT / "static")


def create_pages(static_files: StaticFiles) -> Flask:
    """Create an application with the templates and their filters, and without a page."""
    app = Flask("webapp", static_folder=None, template_folder=str(_ROOT / "templates"))
    app.url_rule_class = SharedRule
    app.config["MAX_CONTENT_LENGTH"] = _MAX_FORM_BYTES
    redaction.mask_logger(app.logger)
    Htmx(app)
    templating.install(app)
    static_files.install(app)
    app.add_template_global(lambda: None, "spool_state")
    app.add_template_global(lambda: None, "find_reader")
    app.add_template_global(find_request_id, "request_id")
    return app


def open_templates() -> Flask:
    """Create an application with the templates but no pages, to write files with it."""
    return create_pages(read_static_files())


def register_pages(app: Flask, *, only_transcripts: bool = False) -> None:
    """Register the pages of the viewer, or only those of the list and of transcripts.

    The application of a share has fewer; see `webapp.views.shares.snapshot_pages`.
    """
    app.add_template_global(find_reader, "find_reader")
    app.after_request(_make_redirect_relative)
    for area in (*_OF_TRANSCRIPTS, *(() if only_transcripts else _OF_THIS_READBACK)):
        app.register_blueprint(area.bp)


def _make_redirect_relative(response: Response) -> Response:
    """Remove the scheme and host, which a proxy that is not trusted may have hidden from us."""
    if response.location and response.location.startswith(request.host_url):
        response.location = response.location[len(request.host_url) - 1 :]
    return response
