"""Change a completion: edit its metadata, or delete it. Only administrators may, if anybody may.

After the redirect, the list says once which completions were deleted. A signed cookie carries
that, so that neither a link nor another program of the host can say so.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from webapp.access import Event, record_event
from webapp.completions import (
    MAX_METADATA_KEY,
    MAX_METADATA_PAIRS,
    MAX_METADATA_VALUE,
    Completion,
    scalar_text,
)
from webapp.exact_json import Object, String, Value
from webapp.formatting import first_words, replace_surrogates
from webapp.reading import TranscriptRequest
from webapp.reading.previews import MESSAGES
from webapp.services import current_pins, current_sharing, services, start_deadline
from webapp.shares import Share
from webapp.upstream import NotFound
from webapp.views.actions import changers_only

DELETED_COOKIE: Final = "readback-deleted"
_SECONDS: Final = 60

bp = Blueprint("changing", __name__, url_prefix="/completions/<completion_id>")

_SHOWN_WORDS: Final = 100


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


@dataclass(frozen=True, slots=True)
class Pair:
    """One key and value of a form, in the characters that a browser sends."""

    key: str
    value: str


@bp.get("/metadata")
@changers_only
def edit(completion_id: str) -> ResponseReturnValue:
    """Show the form of the metadata."""
    completion = services().upstream.retrieve_completion(completion_id, deadline=start_deadline())
    return _render_form(completion_id, completion, _read_stored(completion))


@bp.post("/metadata")
@changers_only
def update(completion_id: str) -> ResponseReturnValue:
    """Replace the metadata, unless they have changed since the form was shown."""
    deadline = start_deadline()
    completion = services().upstream.retrieve_completion(completion_id, deadline=deadline)
    keys, values = request.form.getlist("key"), request.form.getlist("value")
    sent = [Pair(key.strip(), _as_sent(value)) for key, value in zip(keys, values, strict=False)]
    pairs = [one for one in sent if one.key or one.value]
    if request.form.get("was") != _digest(completion):
        changed_since = "The metadata have changed since this form was opened. It has your values."
        return _render_form(completion_id, completion, pairs, changed_since), 409
    if problem := _find_problem(pairs):
        return _render_form(completion_id, completion, pairs, problem), 400
    wanted = _restore(pairs, completion)
    changed = services().upstream.update_completion(
        completion_id, metadata=wanted, deadline=deadline
    )
    record_event(Event.METADATA_CHANGED, completion=completion_id, pairs=len(wanted))
    left = [one.name.text for one in changed.metadata if one.name.text not in wanted]
    if left:
        abort(502, f"The server has changed the metadata, but does not remove {', '.join(left)}.")
    return redirect(url_for("completions.show", completion_id=completion_id), 303)


@bp.get("/delete")
@changers_only
def confirm(completion_id: str) -> ResponseReturnValue:
    """Ask whether to delete a completion, which the page names, and revoke or keep its shares."""
    page = services().loader.load_page(
        completion_id, TranscriptRequest(limit=MESSAGES), start_deadline()
    )
    for problem in page.problems:
        raise problem
    return render_template(
        "actions/delete.html",
        completion_id=completion_id,
        completion=page.completion,
        question=first_words(page.question, _SHOWN_WORDS),
        shares=list_open_shares(completion_id),
    )


@bp.post("/delete")
@changers_only
def delete(completion_id: str) -> ResponseReturnValue:
    """Delete a completion and all else kept of it; revoke its shares unless `shares` is `keep`."""
    try:
        services().upstream.delete_completion(completion_id, deadline=start_deadline())
    except NotFound:
        # Somebody else deleted it; its shares and files are still those of a deleted one.
        delete_traces(completion_id, keeps_shares=keeps_shares())
        raise
    record_event(Event.DELETE, completion=completion_id)
    delete_traces(completion_id, keeps_shares=keeps_shares())
    return redirect_after_deletion([completion_id], url_for("listing.index"))


def keeps_shares() -> bool:
    """Return whether the form of a deletion keeps the shares of the deleted completions."""
    return request.form.get("shares") == "keep"


def delete_traces(completion_id: str, *, keeps_shares: bool) -> None:
    """Delete all else kept of a completion, and revoke its shares unless they are kept."""
    services().forget(completion_id)
    current_pins().remove(completion_id)
    if notes := services().notes:
        notes.remove_all(completion_id)
    for share in current_sharing().store.forget(completion_id, revokes=not keeps_shares):
        record_event(Event.SHARE_REVOKED, completion=completion_id, share=share.id)


def list_open_shares(completion_id: str) -> list[Share]:
    """List the shares of a completion that have not ended."""
    store = current_sharing().store
    now = store.now()
    return [one for one in store.list_shares(completion=completion_id) if not one.has_ended(now)]


def _render_form(
    completion_id: str, completion: Completion, pairs: list[Pair], problem: str | None = None
) -> str:
    blank = [Pair("", "")] * max(1, min(4, MAX_METADATA_PAIRS - len(pairs)))
    return render_template(
        "actions/metadata.html",
        completion_id=completion_id,
        pairs=[*pairs, *blank] if len(pairs) < MAX_METADATA_PAIRS else pairs,
        problem=problem,
        stored=_read_stored(completion) if problem else [],
        was=_digest(completion),
        has_others=any(not isinstance(one.value, String) for one in completion.metadata),
        longest_key=MAX_METADATA_KEY,
        longest_value=MAX_METADATA_VALUE,
    )


def _read_stored(completion: Completion) -> list[Pair]:
    """Read the stored metadata as a form shows them; values that are not strings as JSON."""
    return [
        Pair(_as_sent(one.name.text), _as_sent(_read_value(one.value)))
        for one in completion.metadata
    ]


def _read_value(value: Value) -> str:
    text = scalar_text(value)
    return value.source if text is None else text


def _as_sent(text: str) -> str:
    """Convert `text` to what a browser sends back: other line ends, no lone surrogates."""
    return replace_surrogates(text).replace("\r\n", "\n").replace("\r", "\n")


def _find_problem(pairs: list[Pair]) -> str | None:
    """Find out why the API would refuse these metadata, in a sentence."""
    keys = [one.key for one in pairs]
    if len(pairs) > MAX_METADATA_PAIRS:
        return f"A completion has up to {MAX_METADATA_PAIRS} pairs of metadata."
    if not all(keys):
        return "A value needs a key."
    if len(set(keys)) < len(keys):
        return "Two pairs have the same key."
    if any(len(key) > MAX_METADATA_KEY for key in keys):
        return f"A key has up to {MAX_METADATA_KEY} characters."
    if any(len(one.value) > MAX_METADATA_VALUE for one in pairs):
        return f"A value has up to {MAX_METADATA_VALUE} characters."
    return None


def _restore(pairs: list[Pair], completion: Completion) -> dict[str, str]:
    """Restore the metadata of the form; those that nobody touched are exactly as stored."""
    stored = {
        (_as_sent(one.name.text).strip(), _as_sent(_read_value(one.value))): (
            one.name.text,
            _read_value(one.value),
        )
        for one in completion.metadata
    }
    return dict(stored.get((one.key, one.value), (one.key, one.value)) for one in pairs)


def _digest(completion: Completion) -> str:
    json = completion.json
    metadata = json.object("metadata") if isinstance(json, Object) else None
    source = metadata.source if metadata else ""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()
