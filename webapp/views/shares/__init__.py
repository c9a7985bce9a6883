"""Shares: the pages of a link, the dialogue that makes one, and the list of them.

links           the cover and the page of a link
snapshot_pages  the application that shows a snapshot
making          choose, look, publish
managing        list, search, revoke, check again
redacted        a transcript or a message as redacted text, without a share
"""

from __future__ import annotations

from flask import Response, abort, request, url_for

from webapp.access import current_reader
from webapp.services import current_sharing
from webapp.shares import Share


def find_owner() -> str | None:
    """Find the owner whose shares the reader may manage; None, for administrators, is all."""
    reader = current_reader()
    return None if reader.administrator else reader.identity


def find_share(share_id: str) -> Share:
    """Find a share that the reader may manage. Abort with 404 if there is none."""
    share = current_sharing().store.find(share_id)
    if share is None or find_owner() not in (None, share.owner):
        abort(404, "There is no such share any more.")
    return share


def keep_in_browser(response: Response, name: str, value: str, share_id: str) -> Response:
    """Set a cookie for the pages of one share, with a value that is stored nowhere else."""
    response.set_cookie(
        name,
        value,
        max_age=3600,
        path=url_for("making.show", share_id=share_id),
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )
    return response
