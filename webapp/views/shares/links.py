"""The pages of a link to a share: a cover, the snapshot, or the page of a link that opens nothing.

Following a link never counts, extends or records anything, not even the export of a share, since
chat programs and mail scanners follow every link that they see. Only the form takes a view.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.access import Event, record_event
from webapp.access.sessions import describe_browser
from webapp.fragments import render_notice, wants_fragment
from webapp.services import current_sharing
from webapp.shares import OPENING_SECONDS, Share, Tried
from webapp.templating.addresses import own_url
from webapp.views.shares.snapshot_pages import HEADERS

bp = Blueprint("links", __name__, url_prefix="/s/<token>")

_SENTENCES: Final = {
    Tried.WRONG: "That is not the passphrase.",
    Tried.TOO_SOON: "Too many passphrases were tried. Wait a minute and try again.",
}


@bp.get("", strict_slashes=False)
@bp.get("/<path:rest>")
def show(token: str, rest: str = "") -> ResponseReturnValue:
    """Show the snapshot, or its cover if it has a limit or a passphrase."""
    sharing = current_sharing()
    ticket = request.cookies.get(_cookie_name(), "")
    share = sharing.find_open(token, ticket)
    if share is None:
        return _render_nothing()
    if share.is_counted and not (ticket and sharing.store.has_ticket(share, ticket)):
        if wants_fragment():
            return render_notice("shares/_cover_notice.html", status=403, token=token)
        return _render_cover(share)
    answer = sharing.pages.answer(
        share, lambda: sharing.store.read_snapshot(share.id), mount=f"/s/{token}", path=rest
    )
    return _render_nothing() if answer is None else answer


@bp.post("", strict_slashes=False)
@bp.post("/<path:rest>")
def open_share(token: str, rest: str = "") -> ResponseReturnValue:
    """Take one view, and remember it in a cookie for an hour."""
    sharing = current_sharing()
    share = sharing.find_open(token)
    if share is None:
        return _render_nothing()
    if not share.is_counted:
        return redirect(own_url(), 303)
    tried = sharing.store.try_passphrase(share, request.form.get("passphrase", ""))
    if tried is not Tried.RIGHT:
        return _render_cover(share, tried)
    ticket = sharing.store.take_view(
        share,
        token,
        agent=describe_browser(request.headers.get("User-Agent", ""), otherwise="Another program"),
    )
    if ticket is None:
        return _render_nothing()
    record_event(Event.SHARE_OPENED, completion=share.completion, share=share.id)
    response = make_response(redirect(own_url(), 303))
    response.set_cookie(
        _cookie_name(),
        ticket,
        max_age=OPENING_SECONDS,
        path=url_for("links.show", token=token),
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )
    return response


@bp.after_request
def finish(response: Response) -> Response:
    """Keep whatever is answered out of caches, indexes and referrers, errors as well."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _cookie_name() -> str:
    """Return the name of the cookie, which other sites of the host cannot set over plain http."""
    return f"{'__Secure-' if request.is_secure else ''}readback-share"


def _render_cover(share: Share, tried: Tried = Tried.RIGHT) -> Response:
    page = render_template("shares/cover.html", share=share, problem=_SENTENCES.get(tried))
    status = {Tried.RIGHT: 200, Tried.WRONG: 403, Tried.TOO_SOON: 429}[tried]
    response = make_response(page, status)
    # Without a referrer the form would send `Origin: null`, and be refused.
    response.headers["Referrer-Policy"] = "same-origin"
    if tried is Tried.TOO_SOON:
        response.headers["Retry-After"] = "60"
    return response


def _render_nothing() -> Response:
    """Render the one answer to a link that is wrong, expired, revoked or used up."""
    if wants_fragment():
        # A page of the share is still open.
        return render_notice("shares/_nothing_notice.html", status=404)
    return make_response(render_template("shares/nothing.html"), 404)
