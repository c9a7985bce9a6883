"""Errors as answers: a page, or a notice in the place that was to be loaded.

Upstream errors say what happened and what the reader can do; our own say no more than what
the reader needs. The cause is logged, never shown.
"""

from __future__ import annotations

import logging
import math

from flask import Flask, Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError

from webapp.fragments import notice, wants_fragment
from webapp.upstream import NotFound, RateLimited, UpstreamError

log = logging.getLogger("readback")

# Most likely first.
_NOT_FOUND_CAUSES = (
    "It was created without store: true. Only completions created with it are kept.",
    "It belongs to another project or organization than the key that Readback uses.",
    "It was deleted, or it expired: OpenAI keeps stored completions for 30 days.",
    "It was created a moment ago. It takes some seconds to appear: try again.",
)
_SENTENCES = {
    400: "The address has a parameter that Readback does not understand.",
    404: "There is no such page.",
    405: "This address cannot be used that way.",
    413: "That is more than Readback takes at once.",
    500: "Readback failed at this page. The log of the server has the details.",
}


def register(app: Flask) -> None:
    """Makes `app` answer every error in its own look."""
    app.register_error_handler(UpstreamError, upstream_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, unexpected_error)


def upstream_error(error: UpstreamError) -> Response:
    """The page for a call that gave no result, with the status that fits."""
    response = _answer(error.http_status, error=error, title=_title(error), sentence=str(error))
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(math.ceil(error.retry_after))
    return response


def http_error(error: HTTPException) -> Response:
    """Our own 4xx and 5xx; the sentence a view gave to `abort` wins over the usual one."""
    if error.response is not None or (error.code or 500) < 400:
        return make_response(error.get_response())
    code = error.code or 500
    usual = type(error).description
    given = error.description if error.description != usual else None
    sentence = given or _SENTENCES.get(code) or error.name
    response = _answer(code, error=None, title=error.name, sentence=sentence)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def unexpected_error(error: Exception) -> Response:
    log.error("unexpected error at %s", request.endpoint, exc_info=error)
    return http_error(InternalServerError())


def _answer(status: int, *, error: UpstreamError | None, title: str, sentence: str) -> Response:
    if wants_fragment():
        return notice("errors/_notice.html", status=status, error=error, sentence=sentence)
    # An error without a status is ours, about a part of a completion that is there.
    missing = isinstance(error, NotFound) and error.status is not None
    causes = _NOT_FOUND_CAUSES if missing else ()
    page = render_template(
        "errors/error.html",
        error=error,
        title=title,
        sentence=sentence,
        status=status,
        causes=causes,
    )
    return make_response(page, status)


def _title(error: UpstreamError) -> str:
    if isinstance(error, NotFound):
        return "Not found"
    if isinstance(error, RateLimited):
        return "Too many requests"
    return "The server could not be read"
