"""Files made of transcripts and lists, and the pages of their exact source.

transcripts  one transcript as Markdown, JSON, JSONL, HTML or a promptfoo configuration
lists        the filtered list as CSV or JSONL
sources      completions, messages, parts and calls as JSON
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from flask import Response, request, stream_with_context

from webapp.access import Event, record_event
from webapp.exports import encode
from webapp.media import sanitize_file_name
from webapp.security import SANDBOX_POLICY
from webapp.services import services


def send_file(
    pieces: Iterator[str],
    *,
    name: str,
    mimetype: str,
    inline: bool = False,
    completion: str | None = None,
) -> Response:
    """Send a file as it is made; no browser keeps it, and none runs it.

    It is of `completion`, by default of the one in the address, if it is of one.

    If the server fails after the first piece and before the end, the connection breaks off, so
    that no part of a file looks like the whole. The export is recorded, but not that of a share:
    whoever only follows its links leaves no trace.
    """
    encoded = encode(pieces)
    # An error before the first piece is still a page, and no export.
    whole = chain([next(encoded, b"")], encoded)
    if request.method != "HEAD" and services().share is None:
        completion = completion or (request.view_args or {}).get("completion_id")
        record_event(Event.EXPORT, completion=completion, form=name.rpartition(".")[2])
    response = Response(stream_with_context(whole), mimetype=mimetype)
    name = sanitize_file_name(name, otherwise="transcript")
    response.headers.set("Content-Disposition", "inline" if inline else "attachment", filename=name)
    response.headers["Content-Security-Policy"] = SANDBOX_POLICY
    response.headers["Cache-Control"] = "no-store"
    return response
