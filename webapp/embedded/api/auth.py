"""The key that clients must send, and the two answers for those that do not.

Owns reading, comparing and masking keys. Knows nothing of the routes: the key is asked for in
front of all of them, unknown ones included.
"""

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
    """Makes every route of `server` answer only those who send `api_key`.

    It is taken as `Authorization: Bearer KEY`, or as `api-key: KEY`, which Azure's clients send.
    """

    def check() -> None:
        given = _given_key()
        if not given:
            raise Unauthorized(_NO_KEY)
        if not hmac.compare_digest(given.encode(), api_key.encode()):
            raise Unauthorized(
                f"Incorrect API key provided: {masked(given)}. "
                f"You can find your API key at {_ACCOUNT}.",
                code="invalid_api_key",
            )

    server.before_request(check)
    server.register_error_handler(Unauthorized, _unauthorized)


def masked(key: str) -> str:
    """`key` as the API repeats it: the first eight characters and the last four, as recorded.

    A key of up to eight characters is repeated whole.
    """
    if len(key) <= _SHOWN_FIRST:
        return key
    hidden = max(1, len(key) - _SHOWN_FIRST - _SHOWN_LAST)
    return key[:_SHOWN_FIRST] + "*" * hidden + key[_SHOWN_FIRST + hidden :]


def _given_key() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.headers.get("api-key", "").strip()


def _unauthorized(error: Unauthorized) -> Response:
    """Indented by four and with a newline at the end, as recorded."""
    body = json.dumps(error.envelope(), indent=4, ensure_ascii=False) + "\n"
    response = Response(
        body.encode(errors="replace"),
        error.status,
        content_type="application/json; charset=utf-8",
    )
    response.vary.add("Origin")
    return response
