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
    """A request that cannot be answered; `param` names what is wrong, `code` the kind of wrong.

    `kind` is the envelope's `type`.
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

    def envelope(self) -> dict[str, dict[str, str | None]]:
        """The error as the API wraps it."""
        error = {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        }
        return {"error": error}


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
    """Indented by two and without a newline at the end, as recorded."""
    body = json.dumps(error.envelope(), indent=2, ensure_ascii=False)
    return Response(body.encode(errors="replace"), error.status, content_type="application/json")


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    url = f"{request.method} {request.root_path}{request.path}"
    if isinstance(error, NotFound):
        unknown = ApiError(
            f"Unknown request URL: {url}. Please check the URL for typos, or see the docs at "
            "https://platform.openai.com/docs/api-reference/.",
            status=status,
            code="unknown_url",
        )
        return _api_error(unknown)
    if isinstance(error, MethodNotAllowed):
        response = _api_error(
            ApiError(f"Invalid method for URL ({url})", status=status, code="method_not_supported")
        )
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return response
    return _api_error(ApiError(error.description or error.name, status=status))


def _unexpected(error: Exception) -> Response:
    current_app.logger.error("The request failed.", exc_info=error)
    sorry = ApiError(
        "The server had an error while processing your request. Sorry about that!",
        status=500,
        kind="server_error",
    )
    return _api_error(sorry)
