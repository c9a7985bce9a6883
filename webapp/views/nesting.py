"""Answer a request of one application by another, which is mounted below a path of the first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextvars import Context
from typing import TYPE_CHECKING

from flask import Response
from werkzeug.test import run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


def answer_nested(app: WSGIApplication, environ: WSGIEnvironment) -> Response:
    """Answer with `app`, which reads its requests' state from `environ` alone."""
    # In a context of its own, since a page that streams outlives the request around it.
    context = Context()
    body, status, headers = context.run(run_wsgi_app, app, environ)
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
