"""Errors as the API writes them: one envelope for everything that goes wrong.

Owns the texts and codes several routes share. Every error leaves as the JSON envelope, those
that Flask raises and those nobody expected too; the latter without a word about their cause.

    ApiError        a request that cannot be answered as asked
"""

from __future__ import annotations

import json

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound


class ApiError(Exception):
    """A request that cannot be answered; `param` names what is wrong, `code` the kind of wrong."""

    def __init__(
        self, message: str, *, status: int = 400, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.param = param
        self.code = code


def completion_not_found(completion_id: str) -> ApiError:
    return ApiError(
        f"Completion {completion_id} not found",
        status=404,
        param="completion_id",
        code="not_found",
    )


def register_error_handlers(app: Flask) -> None:
    app.register_error_handler(ApiError, _api_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _api_error(error: ApiError) -> Response:
    return _envelope(error.status, error.message, param=error.param, code=error.code)


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    url = f"{request.method} {request.root_path}{request.path}"
    if isinstance(error, NotFound):
        return _envelope(
            status,
            f"Unknown request URL: {url}. Please check the URL for typos, or see the docs at "
            "https://platform.openai.com/docs/api-reference/.",
            code="unknown_url",
        )
    if isinstance(error, MethodNotAllowed):
        response = _envelope(status, f"Invalid method for URL ({url})", code="method_not_supported")
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return response
    return _envelope(status, error.description or error.name)


def _unexpected(error: Exception) -> Response:
    current_app.logger.error("The request failed.", exc_info=error)
    return _envelope(
        500,
        "The server had an error while processing your request. Sorry about that!",
        kind="server_error",
    )


def _envelope(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
) -> Response:
    """Indented by two and without a newline at the end, as recorded."""
    error = {"message": message, "type": kind, "param": param, "code": code}
    body = json.dumps({"error": error}, indent=2, ensure_ascii=False)
    return Response(body.encode(errors="replace"), status, content_type="application/json")
