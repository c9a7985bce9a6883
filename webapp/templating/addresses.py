"""Where a message, its exact JSON and its media are given, and where a page goes on."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import request, url_for

from webapp import rendering
from webapp.ids import is_valid_id
from webapp.media import InlineMedia
from webapp.reading import TranscriptPage
from webapp.services import services
from webapp.templating import remote_images
from webapp.templating.strictness import encodable
from webapp.transcript import Entry


def address_of(section: TranscriptPage, entry: Entry) -> str | None:
    """The link to a message: its own page, a place on the transcript, or None."""
    if is_linkable(entry.message.id):
        return url_for(
            "messages.show", completion_id=section.completion_id, message_id=entry.message.id
        )
    if entry.choice is not None:
        return f"{url_for('completions.show', completion_id=section.completion_id)}#{entry.anchor}"
    return None


def raw_url(section: TranscriptPage, entry: Entry) -> str | None:
    """Where the exact JSON of a message is given, or None when it has no address."""
    if is_linkable(entry.message.id):
        return url_for(
            "messages.raw", completion_id=section.completion_id, message_id=entry.message.id
        )
    if entry.place is not None:
        return url_for(
            "messages.raw_choice", completion_id=section.completion_id, place=entry.place
        )
    return None


def media_url(section: TranscriptPage, entry: Entry, media: InlineMedia, **more: str | None) -> str:
    """Where the bytes of `media` are given; names the message, to ask for it again.

    The browser asks next for what a page names, so it is kept at hand.
    """
    services().media_cache.keep(media)
    query: dict[str, Any] = {name: encodable(value) for name, value in more.items()}
    if is_linkable(entry.message.id):
        query["message"] = entry.message.id
    elif entry.place is not None:
        query["choice"] = entry.place
    return url_for("media.show", completion_id=section.completion_id, digest=media.digest, **query)


def own_url() -> str:
    """The address of this request, to ask for it again."""
    path = quote(request.script_root + request.path)
    query = quote(request.query_string, safe="!$&'()*+,/:;=?@[]~%")
    return f"{path}?{query}" if query else path


def page_url(section: TranscriptPage, **changes: Any) -> str:
    """The transcript from another place on; keeps what the reader chose."""
    asked = section.request
    query: dict[str, Any] = {
        "limit": asked.limit if asked.limit != 20 else None,
        "order": asked.order if asked.order != "asc" else None,
        "images": "load" if remote_images.loads_images() else None,
    }
    query.update(changes)
    return url_for("completions.show", completion_id=section.completion_id, **query)


def is_linkable(message_id: str | None) -> bool:
    return message_id is not None and is_valid_id(message_id)


def is_allowed_link(url: str) -> bool:
    return rendering.is_allowed_link(url, own_host=request.host)
