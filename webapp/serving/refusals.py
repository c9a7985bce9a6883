"""Answers to requests that the server does not take on: one sentence, or the API's envelope."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REFUSED: Final = "readback.refused"
"""The key of a `Refusal` in the environment of a request."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not taken on, and the seconds after which it may be tried again."""

    status: str
    sentence: str
    code: str
    retry_after: int | None = None


class AnswerRefusals:
    """The WSGI layer that answers a request whose environment has a `Refusal`."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        refusal = environ.get(REFUSED)
        if refusal is None:
            return self._app(environ, start)
        is_api = environ.get("PATH_INFO", "").startswith("/v1/")
        body = _build_envelope(refusal) if is_api else f"{refusal.sentence}.\n".encode()
        media_type = "application/json" if is_api else "text/plain; charset=utf-8"
        headers = [("Content-Type", media_type), ("Content-Length", str(len(body)))]
        if refusal.retry_after is not None:
            headers.append(("Retry-After", str(refusal.retry_after)))
        start(refusal.status, headers)
        return [body]


def _build_envelope(refusal: Refusal) -> bytes:
    is_ours = refusal.status.startswith("5")
    error = {
        "message": f"{refusal.sentence}.",
        "type": "server_error" if is_ours else "invalid_request_error",
        "param": None,
        "code": refusal.code,
    }
    return json.dumps({"error": error}, indent=2).encode()
