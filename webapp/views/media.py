"""Images, sounds and files of messages, each from an address of its own.

Content comes from strangers: the type is told by the bytes, what is not known to be harmless
is a download, and the policy lets a browser do nothing with it but show or play it.
"""

from __future__ import annotations

import io

from flask import Blueprint, Response, abort, request, send_file
from flask.typing import ResponseReturnValue

from webapp.media import InlineMedia, NotMedia, find_media, sanitize_file_name
from webapp.services import deadline, services
from webapp.views import read_whole_number

bp = Blueprint("media", __name__, url_prefix="/completions/<completion_id>/media")

POLICY = "default-src 'none'; sandbox"
_YEAR = 31_536_000


@bp.get("/<digest>")
def show(completion_id: str, digest: str) -> ResponseReturnValue:
    """The bytes that `digest` names; asked for upstream again when no longer at hand.

    With `as=pcm16` they are given a header as samples, unless they have one of their own; `name`
    is the name that a download gets.
    """
    wanted = request.args.get("as")
    if wanted not in (None, "pcm16"):
        abort(400, "The parameter as takes pcm16.")
    media = services().media_cache.get(digest) or _fetched(completion_id, digest)
    if wanted:
        media = media.as_pcm16()
    try:
        data = media.decode()
    except NotMedia as problem:
        abort(422, str(problem))
    return _sent(media, data)


def _fetched(completion_id: str, digest: str) -> InlineMedia:
    """From the message or the choice that the query names, which must hold this content."""
    if message_id := request.args.get("message"):
        message = services().loader.load_message(completion_id, message_id, deadline())
        held = find_media(message)
    elif "choice" in request.args:
        held = _of_choice(completion_id, read_whole_number("choice", default=0, low=0, high=10_000))
    else:
        abort(404, "This is no longer at hand; load the transcript again.")
    for media in held:
        if media.digest == digest:
            services().media_cache.keep(media)
            return media
    abort(404, "The message does not hold this any more.")


def _of_choice(completion_id: str, place: int) -> tuple[InlineMedia, ...]:
    completion = services().upstream.retrieve_completion(completion_id, deadline=deadline())
    message = completion.choices[place].message if place < len(completion.choices) else None
    return find_media(message, completion.audio_format) if message else ()


def _sent(media: InlineMedia, data: bytes) -> Response:
    found = media.format
    # What is withheld keeps the extension of what it is; samples were given a header.
    extension = (found if media.is_headerless else media.sniffed).extension
    own_name = f"{media.digest[:8]}.{extension}"
    response = send_file(
        io.BytesIO(data),
        mimetype=found.mimetype,
        as_attachment=found.shown_as == "download",
        download_name=sanitize_file_name(request.args.get("name", ""), otherwise=own_name),
        etag=media.digest,
        max_age=_YEAR,
        conditional=True,
    )
    response.headers["Content-Security-Policy"] = POLICY
    response.cache_control.no_cache = None
    response.cache_control.public = False
    response.cache_control.private = True
    response.cache_control.immutable = True
    return response
