"""Errors as the API sends them: every failure becomes one JSON envelope.

ApiError
    CompletionNotFound      404
    MissingParameter        400, in `api.parameters`
    WrongType               400, in `api.parameters`
    Unauthorized            401, in `api.auth`
    ModelServerError        502 or 504, in `recording.model_server`
"""

from __future__ import annotations

import json
from typing import Final

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from webapp.database import Outage, find_outage

_RETRY_SECONDS: Final = 5


class ApiError(Exception):
    """A request that cannot be answered.

    `param` names the parameter at fault. `kind` is the envelope's `type`.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.param = param
        self.code = code

    @property
    def envelope(self) -> dict[str, dict[str, str | None]]:
        """The JSON body of the answer."""
        error = {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        }
        return {"error": error}


class CompletionNotFound(ApiError):
    """The store has no completion with this id."""

    def __init__(self, completion_id: str) -> None:
        super().__init__(
            f"Completion {completion_id} not found",
            status=404,
            param="completion_id",
            code="not_found",
        )


class ServerBusy(ApiError):
    """The server is busy with other large requests; this one can be repeated soon."""

    def __init__(self) -> None:
        super().__init__(
            "The server is busy with other large requests. Try again in a few seconds.",
            status=503,
            kind="server_error",
            code="server_busy",
        )


def register_error_handlers(app: Flask) -> None:
    """Make `app` answer every error with the envelope, also those of Flask and of bugs."""
    app.register_error_handler(ApiError, render_error)
    app.register_error_handler(HTTPException, render_http_error)
    app.register_error_handler(Exception, render_unexpected_error)


def render_error(error: ApiError) -> Response:
    """Render the envelope, indented by two and without a final newline, as recorded."""
    body = json.dumps(error.envelope, indent=2, ensure_ascii=False).encode(errors="replace")
    response = Response(body, error.status, content_type="application/json")
    if isinstance(error, ServerBusy):
        response.headers["Retry-After"] = str(_RETRY_SECONDS)
    return response


def render_http_error(error: HTTPException) -> Response:
    """Render Flask's own error, such as an unknown URL or method, in the API's words."""
    status = error.code or 500
    url = f"{request.method} {request.root_path}{request.path}"
    if isinstance(error, NotFound):
        unknown = ApiError(
            f"Unknown request URL: {url}. Please check the URL for typos, or see the docs at "
            "https://platform.openai.com/docs/api-reference/.",
            status=status,
            code="unknown_url",
        )
        return render_error(unknown)
    if isinstance(error, MethodNotAllowed):
        response = render_error(
            ApiError(f"Invalid method for URL ({url})", status=status, code="method_not_supported")
        )
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return response
    return render_error(ApiError(error.description or error.name, status=status))


def render_unexpected_error(error: Exception) -> Response:
    """Log `error` and return a 500 that does not reveal it; if the store failed, say so."""
    outage = find_outage(error)
    if isinstance(error, OSError) and outage is Outage.FULL:
        # A database has errors of its own; this is of a temporary file.
        current_app.logger.error("A temporary file could not be written: %s", error.strerror)
        return _render_lasting(
            ApiError(
                "The disk for temporary files is full, and this needs one. "
                "The request can be repeated when there is room.",
                status=507,
                kind="server_error",
                code="temporary_disk_full",
            )
        )
    if outage:
        current_app.logger.error("The store failed: %s", str(error).partition("\n")[0])
        may_end = outage in (Outage.DOWN, Outage.LOCKED, Outage.CANCELLED)
        return _render_lasting(
            ApiError(
                f"The stored completions cannot be read or changed now: {outage.sentence}. "
                "The request can be repeated when that is over.",
                # After a 500, only the operator can end the outage.
                status=503 if may_end else 500,
                kind="server_error",
                code="store_unavailable",
            )
        )
    current_app.logger.error("The request failed.", exc_info=error)
    sorry = ApiError(
        "The server had an error while processing your request. Sorry about that!",
        status=500,
        kind="server_error",
    )
    return render_error(sorry)


def _render_lasting(error: ApiError) -> Response:
    """Render an error that outlasts the attempts of clients, which need not repeat the request."""
    response = render_error(error)
    response.headers["Retry-After"] = str(_RETRY_SECONDS)
    response.headers["x-should-retry"] = "false"
    return response
