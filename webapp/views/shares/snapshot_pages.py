"""The pages of shared snapshots: an application without a list and without an upstream.

It shows one snapshot a request, under the path of its link, so that every link, fragment and image
of the viewer stays there. It can read only the snapshot in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Final

from flask import Flask, Response, request

from webapp.errors import register_error_handlers
from webapp.recent import RecentValues
from webapp.services import SERVICES, Services
from webapp.shares import SHARED_ID, Share
from webapp.templating.context import VIEW_COOKIE, VIEWS
from webapp.views import completions, media, search, texts
from webapp.views.exports import sources, transcripts
from webapp.views.nesting import answer_nested

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_MAX_CHARACTERS: Final = 32 * 1024 * 1024
"""Of the snapshots that a process keeps; one that is larger is kept alone."""

_OVERHEAD: Final = 4 * 1024 * 1024
"""Characters that a snapshot counts more, for its services."""

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
_PASSED_ON: Final[tuple[str, ...]] = (
    *("REQUEST_METHOD", "QUERY_STRING", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL"),
    *("REMOTE_ADDR", "HTTP_HOST", "HTTP_ACCEPT", "HTTP_RANGE", "HTTP_IF_RANGE", "HTTP_REFERER"),
    *("HTTP_IF_NONE_MATCH", "HTTP_HX_REQUEST", "HTTP_HX_HISTORY_RESTORE_REQUEST"),
    *("HTTP_HX_CURRENT_URL", "HTTP_HX_TARGET", "HTTP_SEC_FETCH_SITE", "HTTP_SEC_FETCH_MODE"),
    *("HTTP_SEC_FETCH_DEST", "wsgi.version", "wsgi.url_scheme", "wsgi.input", "wsgi.errors"),
    *("wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once"),
)
"""The parts of a request that a snapshot's pages get: no session, no key, no proxy headers."""


class SnapshotPages:
    """Answers with the pages of snapshots.

    `create` makes the application, when it is first needed; `build` the services that read one
    snapshot.
    """

    def __init__(self, create: Callable[[], Flask], build: Callable[[str], Services]) -> None:
        self._create = create
        self._build = build
        self._lock = Lock()
        self._app: Flask | None = None
        self._kept: RecentValues[str, Services] = RecentValues(_MAX_CHARACTERS)

    def answer(
        self, share: Share, read: Callable[[], str | None], *, mount: str, path: str
    ) -> Response | None:
        """Answer with the page at `path` of a share, whose links stay under `mount`.

        `read` returns the snapshot, or None if it was deleted; then this does as well.
        """
        services = self._find(share, read)
        if services is None:
            return None
        environ = {name: request.environ[name] for name in _PASSED_ON if name in request.environ}
        if (view := request.cookies.get(VIEW_COOKIE, "")) in VIEWS:
            environ["HTTP_COOKIE"] = f"{VIEW_COOKIE}={view}"
        environ[SERVICES] = services
        response = answer_nested(
            self._get_app(), environ, mount=mount, path=f"/{path or f'completions/{SHARED_ID}'}"
        )
        response.headers.update(HEADERS)
        return response

    def _find(self, share: Share, read: Callable[[], str | None]) -> Services | None:
        """Find the services of a snapshot; those of a draft are not kept, since it changes."""
        kept = self._kept.get(share.id)
        if kept is not None:
            return kept
        text = read()
        if text is None:
            return None
        services = replace(self._build(text), share=share)
        if not share.is_draft:
            size = min(len(text) + _OVERHEAD, _MAX_CHARACTERS)
            self._kept.keep(share.id, services, size)
        return services

    def _get_app(self) -> WSGIApplication:
        with self._lock:
            if self._app is None:
                app = self._create()
                register_error_handlers(app, "share")
                for area in (completions, search, texts, media, sources, transcripts):
                    app.register_blueprint(area.bp)
                self._app = app
            return self._app.wsgi_app
