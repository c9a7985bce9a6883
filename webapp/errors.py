"""Answer errors with a page, or with a notice where a fragment was to be loaded.

Upstream errors name the fault and how the reader can help; our own say only as much as the
reader needs. The cause is logged, never shown.
"""

from __future__ import annotations

import math

from flask import Flask, Response, current_app, make_response, render_template, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable

from webapp.database import Outage, StoreError, find_outage
from webapp.fragments import render_notice, wants_fragment
from webapp.redaction import get_logger
from webapp.upstream import Busy, NotFound, RateLimited, UpstreamError

log = get_logger("readback")

_NOT_STORED = "It was created without store: true. Only completions created with it are kept."
_TOO_NEW = "It was created a moment ago. It takes some seconds to appear: try again."
# By the kind of server, as `webapp.factories` names them; most likely first.
_NOT_FOUND_CAUSES = {
    "embedded": (
        f"{_NOT_STORED} READBACK_STORE_ALL=1 keeps the others as well.",
        "It was deleted, here or through the API.",
        "It was created through another server, or is in another database than DATABASE_URL's.",
        "Its answer is still being streamed. It is stored once the answer is complete.",
    ),
    "openai": (
        _NOT_STORED,
        "It belongs to another project or organization than the key that Readback uses.",
        "It was deleted, or it expired: OpenAI keeps stored completions for 30 days.",
        _TOO_NEW,
    ),
    "azure": (
        _NOT_STORED,
        "It belongs to another resource than that of AZURE_OPENAI_ENDPOINT.",
        "It was deleted, or it expired.",
        _TOO_NEW,
    ),
    "compatible": (
        _NOT_STORED,
        "It belongs to another project of this server, or to another server.",
        "It was deleted, or the server keeps completions for a limited time.",
        _TOO_NEW,
    ),
    "share": (),
    "kept": ("No copy of it was kept, or its copy was deleted.",),
}
_NO_DATABASE = "Readback cannot use its database now. Try again in a moment."
_RETRY_SECONDS = 10
_NO_ROOM = "The disk for temporary files is full, and this needs one. Try again when there is room."
_SHARES = "/s/"
_CAUSES = "readback_not_found_causes"
_SENTENCES = {
    400: "The address has a parameter that Readback does not understand.",
    401: "Log in to read this.",
    404: "There is no such page.",
    405: "This address cannot be used that way.",
    413: "That is more than Readback takes at once.",
    500: "Readback failed at this page. The log of the server has the details.",
}
_TITLES = {
    401: "You are not logged in",
    500: "Readback failed",
    503: "Readback is not available",
}


class FullDisk(HTTPException):
    """There is no room for a temporary file."""

    code = 507
    name = "Insufficient Storage"


def register_error_handlers(app: Flask, server: str) -> None:
    """Make `app` answer every error with a page or notice.

    `server` is the kind of server that `app` reads from.
    """
    app.extensions[_CAUSES] = _NOT_FOUND_CAUSES[server]
    app.register_error_handler(UpstreamError, handle_upstream_error)
    app.register_error_handler(StoreError, handle_database_error)
    app.register_error_handler(SQLAlchemyError, handle_database_error)
    app.register_error_handler(HTTPException, handle_http_error)
    app.register_error_handler(Exception, handle_unexpected_error)


def handle_upstream_error(error: UpstreamError) -> Response:
    """Answer a failed upstream request, with the fitting status."""
    response = _render_error(
        error.http_status, error=error, title=_find_title(error), sentence=str(error)
    )
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(math.ceil(error.retry_after))
    return response


def handle_database_error(error: StoreError | SQLAlchemyError) -> Response:
    """Answer while the database of sessions and shares cannot be used."""
    outage = find_outage(error)
    if outage is None and not isinstance(error, StoreError):
        return handle_unexpected_error(error)
    reason = outage.sentence if outage else str(error)
    log.error("the database failed at %s: %s", request.endpoint, reason)
    return handle_http_error(ServiceUnavailable(_NO_DATABASE, retry_after=_RETRY_SECONDS))


def handle_http_error(error: HTTPException) -> Response:
    """Answer with our own 4xx or 5xx; a sentence passed to `abort` replaces the usual one."""
    if error.response is not None or (error.code or 500) < 400:
        return make_response(error.get_response())
    code = error.code or 500
    usual = type(error).description
    given = error.description if error.description != usual else None
    sentence = given or _SENTENCES.get(code) or error.name
    title = _TITLES.get(code) or error.name.capitalize()
    response = _render_error(code, error=None, title=title, sentence=sentence)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def handle_unexpected_error(error: Exception) -> Response:
    if isinstance(error, OSError) and find_outage(error) is Outage.FULL:
        log.error("a temporary file could not be written: %s", error.strerror)
        return handle_http_error(FullDisk(_NO_ROOM))
    log.error("unexpected error at %s", request.endpoint, exc_info=error)
    return handle_http_error(InternalServerError())


def _render_error(
    status: int, *, error: UpstreamError | None, title: str, sentence: str
) -> Response:
    if wants_fragment():
        return render_notice(
            "errors/_notice.html", status=status, code=status, error=error, sentence=sentence
        )
    # An error without a status is ours, about a part of a completion that is there.
    missing = isinstance(error, NotFound) and error.status is not None
    causes = current_app.extensions[_CAUSES] if missing else ()
    # Who follows a link to a share learns of the share alone.
    is_share = request.path.startswith(_SHARES)
    page = render_template(
        "shares/error.html" if is_share else "errors/error.html",
        error=error,
        title=title,
        sentence=sentence,
        status=status,
        causes=causes,
    )
    return make_response(page, status)


def _find_title(error: UpstreamError) -> str:
    if isinstance(error, NotFound):
        return "Not found"
    if isinstance(error, RateLimited):
        return "Too many requests"
    if isinstance(error, Busy):
        return "Readback is busy"
    if request.method == "POST":
        return "The server did not do this"
    return "The server could not be read"
