"""Answer a request of one application by another, which is mounted below a path of the first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextvars import Context
from typing import TYPE_CHECKING, Any

from flask import Response, request
from werkzeug.test import run_wsgi_app

from webapp.static_files import OUTSIDE

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


def answer_nested(
    app: WSGIApplication, environ: Mapping[str, Any], *, mount: str, path: str
) -> Response:
    """Answer with the page of `app` at `path`, whose links stay under `mount`.

    The application reads its requests' state from `environ` alone.
    """
    nested: WSGIEnvironment = {
        **environ,
        "SCRIPT_NAME": f"{request.script_root}{mount}",
        "PATH_INFO": path.encode().decode("latin-1"),
        OUTSIDE: request.script_root,
    }
    # In a context of its own, since a page that streams outlives the request around it.
    context = Context()
    body, status, headers = context.run(run_wsgi_app, app, nested)
    return Response(_Body(context, body), status, headers)


class _Body:
    """The body of an answer, each piece made in the context in which its page began."""

    def __init__(self, context: Context, body: Iterable[bytes]) -> None:
        self._context = context
        self._body = body
        self._pieces = context.run(iter, body)

    def __iter__(self) -> Iterator[bytes]:
        while (piece := self._context.run(next, self._pieces, None)) is not None:
            yield piece

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            self._context.run(close)
