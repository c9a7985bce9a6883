"""List shares, search them, revoke them, and check old ones by the current rules."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.access import Event, record_event
from webapp.redaction import REDACTION_VERSION
from webapp.services import current_sharing
from webapp.shares import Share, find_new
from webapp.shares.store import MAX_LISTED
from webapp.views.shares import find_owner, find_share

bp = Blueprint("managing", __name__, url_prefix="/shares")


@bp.get("")
def index() -> ResponseReturnValue:
    """Show shares, also those that have ended, the newest first."""
    completion = request.args.get("completion", "")
    wanted = request.args.get("q", "").strip().lower()
    store = current_sharing().store
    listed = store.list_shares(find_owner(), completion=completion)
    shares = [
        share
        for share in listed
        if wanted in f"{share.title}\n{share.maker}\n{share.completion}".lower()
    ]
    return render_template(
        "shares/index.html",
        shares=shares,
        is_cut=len(listed) == MAX_LISTED,
        most=MAX_LISTED,
        now=store.now(),
        rules=REDACTION_VERSION,
        completion=completion,
        query=request.args.get("q", ""),
    )


@bp.post("/revoke")
def revoke_all() -> ResponseReturnValue:
    """Revoke all shares, or all of one completion."""
    completion = request.form.get("completion", "")
    for share in current_sharing().store.revoke_all(find_owner(), completion=completion):
        record_event(Event.SHARE_REVOKED, completion=share.completion, share=share.id)
    return redirect(url_for("managing.index", completion=completion or None), 303)


@bp.post("/<share_id>/revoke")
def revoke(share_id: str) -> ResponseReturnValue:
    """Revoke one share at once, everywhere."""
    share = find_share(share_id)
    if current_sharing().store.revoke(share.id):
        record_event(Event.SHARE_REVOKED, completion=share.completion, share=share.id)
    return redirect(url_for("managing.index"), 303)


@bp.post("/<share_id>/check")
def check(share_id: str) -> ResponseReturnValue:
    """Check a snapshot by the current rules; redirect to a page of the findings, if any."""
    share = find_share(share_id)
    if count_new(share):
        return redirect(url_for("managing.show_check", share_id=share_id), 303)
    current_sharing().store.note_rules(share.id, REDACTION_VERSION)
    return redirect(url_for("managing.index"), 303)


@bp.get("/<share_id>/check")
def show_check(share_id: str) -> ResponseReturnValue:
    """Show the findings of the current rules in a share that was masked by older ones."""
    share = find_share(share_id)
    text = current_sharing().store.read_snapshot(share.id)
    found = find_new(text, share.choices) if text else ()
    return render_template("shares/check.html", share=share, findings=found)


def count_new(share: Share) -> int:
    """Count the unmasked secrets in a snapshot that the current rules find."""
    text = current_sharing().store.read_snapshot(share.id)
    return len(find_new(text, share.choices)) if text else 0
