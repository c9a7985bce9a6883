"""Images, sounds and files of messages, each from an address of its own.

Content comes from strangers: the type is told by the bytes, what is not known to be harmless
is a download, and the policy lets a browser do nothing with it but show or play it.
"""

from __future__ import annotations

import io

from flask import Blueprint, Response, abort, request, send_file
from flask.typing import ResponseReturnValue

from webapp.media import InlineMedia, NotMedia
from webapp.upstream import NotFound
from webapp.views import deadline, services

bp = Blueprint("media", __name__, url_prefix="/completions/<completion_id>/media")

POLICY = "default-src 'none'; sandbox"
_YEAR = 31_536_000


@bp.get("/<digest>")
def show(completion_id: str, digest: str) -> ResponseReturnValue:
    """The bytes that `digest` names; asked for upstream again when no longer at hand."""
    media = services().media_cache.get(digest) or _fetched(completion_id, digest)
    try:
        data = media.decode()
    except NotMedia as problem:
        abort(422, str(problem))
    return _sent(media, data)


def _fetched(completion_id: str, digest: str) -> InlineMedia:
    """From the message or the choice that the query names, which must hold this content."""
    reader, until = services().reader, deadline()
    if message_id := request.args.get("message"):
        message = reader.message(completion_id, message_id, until)
    elif place := request.args.get("choice", ""):
        number = int(place) if place.isdecimal() and len(place) < 6 else -1
        found = reader.choice(completion_id, number, until).message
        if found is None:
            raise NotFound("That choice has no message.")
        message = found
    else:
        abort(404, "This is no longer at hand; load the transcript again.")
    held = {media.digest: media for media in InlineMedia.all_of(message)}
    if digest not in held:
        abort(404, "The message does not hold this any more.")
    services().media_cache.keep(held[digest])
    return held[digest]


def _sent(media: InlineMedia, data: bytes) -> Response:
    found = media.format
    response = send_file(
        io.BytesIO(data),
        mimetype=found.mimetype,
        as_attachment=found.shown_as == "download",
        download_name=f"{media.digest[:8]}.{found.extension}",
        etag=media.digest,
        max_age=_YEAR,
        conditional=True,
    )
    response.headers["Content-Security-Policy"] = POLICY
    response.cache_control.no_cache = None
    response.cache_control.private = True
    response.cache_control.immutable = True
    return response
