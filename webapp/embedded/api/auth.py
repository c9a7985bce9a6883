"""The API key that clients must send, and the answers if it is missing or wrong."""

from __future__ import annotations

import hmac
import json
from typing import Final

from flask import Flask, Response, request

from webapp.embedded.errors import ApiError

_ACCOUNT: Final = "https://platform.openai.com/account/api-keys"
_NO_KEY: Final = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header "
    "using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with "
    "blank username) if you're accessing the API from your browser and are prompted for a "
    f"username and password. You can obtain an API key from {_ACCOUNT}."
)
_SHOWN_FIRST: Final = 8
_SHOWN_LAST: Final = 4


class Unauthorized(ApiError):
    """The key is missing or wrong."""

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message, status=401, code=code)


def require_key(server: Flask, api_key: str) -> None:
    """Make every URL of `server`, unknown ones included, answer 401 without `api_key`.

    Clients send it as `Authorization: Bearer KEY`; those of Azure as `api-key: KEY`, those of
    Anthropic as `x-api-key: KEY`.
    """

    def check_key() -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        is_bearer = scheme.lower() == "bearer"
        others = request.headers.get("api-key") or request.headers.get("x-api-key", "")
        sent = (token if is_bearer else others).strip()
        if not sent:
            raise Unauthorized(_NO_KEY)
        if not hmac.compare_digest(sent.encode(), api_key.encode()):
            raise Unauthorized(
                f"Incorrect API key provided: {redact_key(sent)}. "
                f"You can find your API key at {_ACCOUNT}.",
                code="invalid_api_key",
            )

    server.before_request(check_key)
    server.register_error_handler(Unauthorized, render_unauthorized)


def redact_key(key: str) -> str:
    """Hide the middle of `key`, between its first eight and last four characters, as recorded.

    A key of up to eight characters is returned as it is.
    """
    if len(key) <= _SHOWN_FIRST:
        return key
    hidden = max(1, len(key) - _SHOWN_FIRST - _SHOWN_LAST)
    return key[:_SHOWN_FIRST] + "*" * hidden + key[_SHOWN_FIRST + hidden :]


def render_unauthorized(error: Unauthorized) -> Response:
    """Render the envelope, indented by four and with a final newline, as recorded."""
    body = json.dumps(error.envelope, indent=4, ensure_ascii=False) + "\n"
    response = Response(
        body.encode(errors="replace"),
        error.status,
        content_type="application/json; charset=utf-8",
    )
    response.vary.add("Origin")
    return response
