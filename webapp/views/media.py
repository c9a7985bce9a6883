"""Images, sounds and files of messages, each at its own address.

Content comes from strangers: the type is detected from the bytes, formats not known to be
harmless are downloads, and the policy lets a browser only show or play them.
"""

from __future__ import annotations

import io

from flask import Blueprint, Response, abort, request, send_file
from flask.typing import ResponseReturnValue

from webapp.media import InlineMedia, NotMedia, find_media, sanitize_file_name
from webapp.security import SANDBOX_POLICY
from webapp.services import services, start_deadline
from webapp.views import read_whole_number

bp = Blueprint("media", __name__, url_prefix="/completions/<completion_id>/media")

_YEAR = 31_536_000


@bp.get("/<digest>")
def show(completion_id: str, digest: str) -> ResponseReturnValue:
    """Send the bytes that `digest` names, from the cache or from the upstream.

    `as=pcm16` adds the header of samples to bytes that have none; `name` is the file name of a
    download.
    """
    wanted = request.args.get("as")
    if wanted not in (None, "pcm16"):
        abort(400, "The parameter as takes pcm16.")
    media = services().media_cache.get(completion_id, digest) or _fetch(completion_id, digest)
    if wanted:
        media = media.as_pcm16()
    try:
        data = media.decode()
    except NotMedia as problem:
        abort(422, str(problem))
    return _send(media, data)


def _fetch(completion_id: str, digest: str) -> InlineMedia:
    """Fetch the media from the message or choice that the query names; 404 if not in there."""
    if message_id := request.args.get("message"):
        message = services().upstream.retrieve_message(
            completion_id, message_id, deadline=start_deadline()
        )
        held = find_media(message)
    elif "choice" in request.args:
        place = read_whole_number("choice", default=0, low=0, high=10_000)
        completion = services().upstream.retrieve_completion(
            completion_id, deadline=start_deadline()
        )
        answer = completion.choices[place].message if place < len(completion.choices) else None
        held = find_media(answer, completion.audio_format) if answer else ()
    else:
        abort(404, "This is no longer in the cache; load the transcript again.")
    for media in held:
        if media.digest == digest:
            services().media_cache.keep(completion_id, media)
            return media
    abort(404, "The message does not contain this any more.")


def _send(media: InlineMedia, data: bytes) -> Response:
    found = media.format
    # A format that is not shown keeps its extension; samples were given a WAV header.
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
    response.headers["Content-Security-Policy"] = SANDBOX_POLICY
    response.cache_control.no_cache = None
    response.cache_control.public = False
    response.cache_control.private = True
    response.cache_control.immutable = True
    return response
