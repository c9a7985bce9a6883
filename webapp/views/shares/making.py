"""Make a share: choose its content, see exactly the reader's page, then publish it.

The snapshot is stored as a draft, and publishing changes nothing in it: the reader gets exactly
the snapshot that the maker saw. If the choices have changed since, publishing shows a new preview.
The maker's own words to mask, and the link, are kept in the maker's browser and nowhere else.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time
from functools import wraps
from typing import Final, ParamSpec

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.access import Event, current_reader, record_event
from webapp.exact_json import Object
from webapp.formatting import parse_whole_number
from webapp.ids import is_valid_id
from webapp.media import InlineMedia, find_media
from webapp.messages import Message
from webapp.notes import MEMBER
from webapp.redaction import SecretFinding
from webapp.redaction.redactor import WORD
from webapp.security import CONTENT_SECURITY_POLICY
from webapp.services import current_sharing
from webapp.shares import SHARED_ID, Share, ShareChoices, Snapshot, Terms, TooLarge
from webapp.shares.policy import DAY
from webapp.templating.notes import list_notes
from webapp.views import read_whole
from webapp.views.shares import find_share, keep_in_browser

bp = Blueprint("making", __name__)

P = ParamSpec("P")

WORDS: Final = "readback-words"
"""The cookie with the maker's own words to mask."""

LINK: Final = "readback-link"
"""The cookie with the token of a link that was made just now."""

_MAX_WORDS: Final = 50
_MAX_IN_COOKIE: Final = 3000
_MAX_NAME: Final = 80
_MAX_PASSPHRASE: Final = 1000
# The preview is a frame of the dialogue.
_PREVIEW_POLICY: Final = CONTENT_SECURITY_POLICY.replace(
    "frame-ancestors 'none'", "frame-ancestors 'self'"
)


def _needs_sharing(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Answer 403 in place of `view` where sharing is turned off."""

    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if not current_sharing().policy.allows:
            abort(403, "Sharing is turned off here.")
        return view(*args, **kwargs)

    return checked


@bp.get("/completions/<completion_id>/share")
@_needs_sharing
def choose(completion_id: str) -> ResponseReturnValue:
    """Show the form of choices, before anything is read."""
    return render_template(
        "shares/choose.html", completion_id=completion_id, choices=ShareChoices()
    )


@bp.post("/completions/<completion_id>/share")
@_needs_sharing
def draft(completion_id: str) -> ResponseReturnValue:
    """Make a draft by the choices, and redirect to it."""
    words = _read_words()
    snapshot = _make(completion_id, _read_choices(), words)
    share_id = current_sharing().store.add_draft(current_reader().identity, completion_id, snapshot)
    return _redirect_to_draft(share_id, words)


@bp.get("/shares/<share_id>")
def show(share_id: str) -> ResponseReturnValue:
    """Show a draft with its findings and its preview, or a share with its openings."""
    share = find_share(share_id)
    return _show_draft(share) if share.is_draft else _show_published(share)


def _show_draft(share: Share) -> ResponseReturnValue:
    reader = current_reader()
    # Only the browser has the words: the stored draft has them masked, and does not name them.
    words = _recall_words()
    snapshot = _make(share.completion, share.choices, words)
    return render_template(
        "shares/draft.html",
        share=share,
        snapshot=snapshot,
        findings=[(one, describe_place(one)) for one in snapshot.findings if one.kind != WORD],
        words="\n".join(words),
        maker=reader.name if reader.way in ("openid", "proxy") else "",
        media=_list_media(share, snapshot),
        policy=current_sharing().policy,
        is_changed="changed" in request.args,
        today=datetime.now(UTC).date(),
    )


def _show_published(share: Share) -> ResponseReturnValue:
    store = current_sharing().store
    token = request.cookies.get(LINK)
    link = url_for("links.show", token=token, _external=True) if token else None
    return render_template(
        "shares/share.html",
        share=share,
        link=link if token and store.find_open(token) == share else None,
        openings=store.list_openings(share.id),
        now=store.now(),
        has_ended=share.has_ended(store.now()),
    )


@bp.post("/shares/<share_id>")
@_needs_sharing
def update(share_id: str) -> ResponseReturnValue:
    """Publish a draft as it was seen, or replace it if the choices have changed, and show it."""
    share = find_share(share_id)
    store = current_sharing().store
    if not share.is_draft:
        abort(409, "This share has been published, so it cannot be changed.")
    words = _read_words()
    chosen = replace(_read_choices(), key=share.choices.key)
    is_same = chosen == share.choices and words == _recall_words()
    if request.form.get("action") == "publish" and is_same:
        token = store.publish(share_id, _read_terms())
        if token is None:
            abort(409, "The draft is too old. Share the transcript again.")
        record_event(Event.SHARE_MADE, completion=share.completion, share=share_id)
        return _show_link(share_id, token)
    if not is_same:
        store.replace_draft(share_id, _make(share.completion, chosen, words))
    return _redirect_to_draft(share_id, words, changed=None if is_same else 1)


@bp.post("/shares/<share_id>/link")
@_needs_sharing
def renew(share_id: str) -> ResponseReturnValue:
    """Replace the link of a share; the old one no longer opens anything."""
    share = find_share(share_id)
    token = current_sharing().store.renew_token(share.id)
    if token is None:
        abort(409, "This share has ended. Share the transcript again.")
    return _show_link(share.id, token)


@bp.get("/shares/<share_id>/preview", strict_slashes=False)
@bp.get("/shares/<share_id>/preview/<path:rest>")
def preview(share_id: str, rest: str = "") -> ResponseReturnValue:
    """Show the page that the reader sees, or will see."""
    share = find_share(share_id)
    sharing = current_sharing()
    answer = sharing.pages.answer(
        share,
        lambda: sharing.store.read_snapshot(share.id),
        mount=f"/shares/{share.id}/preview",
        path=rest,
    )
    if answer is None:
        abort(404, "This share has ended, and its snapshot was deleted.")
    answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers.setdefault("Content-Security-Policy", _PREVIEW_POLICY)
    return answer


def _make(completion_id: str, choices: ShareChoices, words: list[str]) -> Snapshot:
    completion, messages = read_whole(completion_id)
    try:
        return current_sharing().recent.make(
            completion,
            [message.given for message in messages],
            choices,
            words=words,
            notes=list_notes(completion_id) if choices.notes else (),
        )
    except TooLarge as problem:
        abort(413, f"{problem} Choose fewer messages.")


def _redirect_to_draft(
    share_id: str, words: list[str], *, changed: int | None = None
) -> ResponseReturnValue:
    address = url_for("making.show", share_id=share_id, changed=changed)
    response = make_response(redirect(address, 303))
    text = base64.urlsafe_b64encode(json.dumps(words).encode()).decode()
    return keep_in_browser(response, WORDS, text, share_id)


def _show_link(share_id: str, token: str) -> ResponseReturnValue:
    response = make_response(redirect(url_for("making.show", share_id=share_id), 303))
    response.delete_cookie(WORDS, path=url_for("making.show", share_id=share_id))
    return keep_in_browser(response, LINK, token, share_id)


def _read_choices() -> ShareChoices:
    form = request.form
    first, last = _read_number("first") or 1, _read_number("last")
    if last is not None and last < first:
        abort(400, "The last message comes before the first.")
    return ShareChoices(
        first=first,
        last=last,
        answer="answer" in form,
        calls="calls" in form,
        system="system" in form,
        notes="notes" in form,
        settings="settings" in form,
        keep=tuple(one for one in form.getlist("keep") if is_valid_id(one)),
    )


def _read_terms() -> Terms:
    policy = current_sharing().policy
    passphrase = request.form.get("passphrase", "")[:_MAX_PASSPHRASE] or None
    if policy.needs_passphrase and passphrase is None:
        abort(400, "Every share needs a passphrase here.")
    lifetime = request.form.get("lifetime", "")
    if lifetime == "date":
        seconds = _read_date(request.form.get("until", ""))
    elif lifetime.isascii() and lifetime.isdigit() and len(lifetime) < 10:
        seconds = int(lifetime)
    else:
        abort(400, "Choose how long the share lasts.")
    if not 0 < seconds <= policy.max_seconds:
        abort(400, f"A share lasts at most {policy.max_seconds // DAY} days here.")
    return Terms(
        maker=request.form.get("maker", "").strip()[:_MAX_NAME],
        seconds=seconds,
        view_limit=_read_number("view_limit"),
        passphrase=passphrase,
    )


def _read_date(text: str) -> int:
    """Read the seconds to the end of a day, in UTC."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        abort(400, "A date has the form 2026-11-30.")
    end = int(datetime.combine(day, time(), UTC).timestamp()) + DAY
    return end - current_sharing().store.now()


def _read_number(name: str) -> int | None:
    raw = request.form.get(name, "").strip()
    if not raw:
        return None
    number = parse_whole_number(raw, low=1, high=9_999_999)
    if number is None:
        abort(400, "Messages and views are whole numbers from 1.")
    return number


def _read_words() -> list[str]:
    lines = (line.strip() for line in request.form.get("words", "").splitlines())
    words = list(dict.fromkeys(line for line in lines if line))[:_MAX_WORDS]
    if len(json.dumps(words)) > _MAX_IN_COOKIE:
        abort(400, "These are too many words to mask at once.")
    return words


def _recall_words() -> list[str]:
    try:
        words = json.loads(base64.urlsafe_b64decode(request.cookies.get(WORDS, "")))
    except (ValueError, RecursionError):
        return []
    return [word for word in words if isinstance(word, str)] if isinstance(words, list) else []


def _list_media(share: Share, snapshot: Snapshot) -> list[tuple[str, InlineMedia]]:
    """List the pictures and sounds of a draft with their addresses in the preview."""
    document = snapshot.document
    root = f"{url_for('making.preview', share_id=share.id)}/completions/{SHARED_ID}/media"
    found = []
    for at, one in enumerate(document.items("messages") or ()):
        for media in find_media(Message.from_json(one)):
            found.append((f"{root}/{media.digest}?message={SHARED_ID}-{at}", media))
    for at, choice in enumerate(document.items("choices") or ()):
        answer = choice.get("message") if isinstance(choice, Object) else None
        if answer is not None:
            for media in find_media(Message.from_json(answer)):
                found.append((f"{root}/{media.digest}?choice={at}", media))
    return found


def describe_place(finding: SecretFinding) -> str:
    """Describe where a finding is: `message 3`, `the answer` or the name of a member."""
    first, _, rest = finding.path.lstrip("/").partition("/")
    if first == "messages" and rest[:1].isdigit():
        return f"message {int(rest.partition('/')[0]) + 1}"
    if first == MEMBER:
        return "a note"
    return "the answer" if first == "choices" else first
