"""Say once in the list which completions were deleted, after the redirect to it.

A signed cookie carries that, so that neither a link nor another program of the host can say so.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Final, NamedTuple

from flask import Response, current_app, make_response, redirect, request

DELETED_COOKIE: Final = "readback-deleted"
_SECONDS: Final = 60


class Deleted(NamedTuple):
    """The `number` of completions that were deleted, and the id of the first."""

    number: int
    id: str


def redirect_after_deletion(ids: Sequence[str], url: str) -> Response:
    """Redirect to the list at `url`, which says once that these completions were deleted."""
    response = make_response(redirect(url, 303))
    response.set_cookie(
        DELETED_COOKIE,
        _sign(f"{len(ids)}.{ids[0]}"),
        max_age=_SECONDS,
        path=request.script_root or "/",
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )
    return response


def read_deleted() -> Deleted | None:
    """Read what was deleted just before this request; None if nothing was."""
    for signed in request.cookies.getlist(DELETED_COOKIE):
        _, _, written = signed.partition(".")
        if hmac.compare_digest(signed.encode(), _sign(written).encode()):
            number, _, first = written.partition(".")
            return Deleted(int(number), first)
    return None


def forget_deleted(response: Response) -> None:
    """Let the next page say nothing of it."""
    response.delete_cookie(DELETED_COOKIE, path=request.script_root or "/")


def _sign(written: str) -> str:
    key = current_app.secret_key
    assert isinstance(key, str)
    # The cookie of the list reaches that of the copies as well, which cannot delete it.
    signed = f"{DELETED_COOKIE}.{request.script_root}.{written}"
    signature = hmac.digest(key.encode(), signed.encode(), "sha256")
    return f"{signature.hex()}.{written}"
