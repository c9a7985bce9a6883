"""The addresses of messages, their texts, media and exact JSON, and of further pages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final
from urllib.parse import quote, urlencode

from flask import request

from webapp.addresses.building import url_for
from webapp.caching.inputs import read_input
from webapp.formatting import replace_surrogates
from webapp.ids import is_valid_id, parse_message_index
from webapp.media import InlineMedia, find_media
from webapp.messages.message import Piece, find_position
from webapp.reading import TranscriptPage
from webapp.services import services
from webapp.templating.context import RenderContext, keep_view
from webapp.templating.finding.filters import read_filters
from webapp.transcript import CallEntry, Entry

_KEPT: Final = "readback.kept_filters"
_IN_QUERY: Final = "!$'()*,/:;?@"
"""The characters that a query has as they are."""


def kept_filters() -> dict[str, str]:
    """Collect the filters in this address as a query, for links that lead on through a list.

    They are read once for a request, since hundreds of links of a page have them.

    Links that are copied or shared do not have them: they reveal nothing of the reader's list.
    """
    if not request.args or services().share is not None:
        return {}
    kept: dict[str, str] | None = request.environ.get(_KEPT)
    if kept is None:
        kept = request.environ[_KEPT] = read_filters().query()
    return dict(kept)


def place_url(
    completion_id: str, message_id: str | None, anchor: str, *, keeps_filters: bool = False
) -> str:
    """Build the address of a place in a transcript, on the page that its message is opened on.

    Every link to a message, a call or an answer is such an address. An answer has no id of its
    own: it is on the page of the last message.
    """
    query: dict[str, Any] = {"completion_id": completion_id}
    query |= kept_filters() if keeps_filters else {}
    if message_id is not None and is_linkable(message_id):
        page = url_for("completions.show_from", message_id=message_id, **query)
    else:
        page = url_for("completions.show", **query)
    return f"{page}#{anchor}"


def range_url(completion_id: str, first: int, last: int) -> str:
    """Build the address of the messages from number `first` to `last`."""
    page = url_for("completions.show", completion_id=completion_id, range=f"{first}-{last}")
    return f"{page}#m-{first}"


def message_url(page: TranscriptPage, entry: Entry, *, keeps_filters: bool = False) -> str | None:
    """Build the address of a message; None if it has no usable id and is not an answer."""
    message_id = entry.sent_as.id
    if not is_linkable(message_id):
        if entry.choice is None:
            return None
        newest = page.entries[0 if page.request.order == "desc" else -1 :]
        message_id = newest[0].message.id if newest else None
    return place_url(page.completion_id, message_id, entry.anchor, keeps_filters=keeps_filters)


def back_url(page: TranscriptPage, entry: Entry) -> str:
    """Build the link from a page of one message to the transcript."""
    message_id = entry.sent_as.id
    return message_url(page, entry) or place_url(page.completion_id, message_id, entry.anchor)


def json_url(**changes: Any) -> str:
    """Build the address of this page of JSON from its start on, with some of its query changed."""
    return changed_url(**{"from": None, **changes})


def json_piece_url(place: int) -> str:
    """Build the address of a part or call of the message or choice of this page of JSON."""
    of_choice = (request.endpoint or "").endswith("choice")
    endpoint = "sources.piece_of_choice" if of_choice else "sources.piece"
    return url_for(endpoint, place=place, **(request.view_args or {}))


def raw_url(page: TranscriptPage, entry: Entry) -> str | None:
    """Build the address of a message's exact JSON; None if the message has no usable id."""
    if is_linkable(entry.sent_as.id):
        return url_for(
            "sources.message", completion_id=page.completion_id, message_id=entry.sent_as.id
        )
    if entry.place is not None:
        return url_for("sources.choice", completion_id=page.completion_id, choice=entry.place)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLinks:
    """The addresses in the menu of a message, None for those that it lacks.

    `copied` is its place in the transcript, without the filters that the reader found it by.
    """

    copied: str | None
    markdown: str | None = None
    html: str | None = None
    alone: str | None = None
    redacted: str | None = None


def link_message(page: TranscriptPage, entry: Entry) -> MessageLinks:
    """Build the addresses of a message by its id, or of an answer by its place."""
    copied = message_url(page, entry)
    of: dict[str, Any] = {"completion_id": page.completion_id}
    export, redacted = "exports.message", "redacted.message"
    is_shown = True
    if is_linkable(entry.sent_as.id):
        of["message_id"] = entry.sent_as.id
    elif entry.place is not None:
        of["place"] = entry.place
        export, redacted = "exports.choice", "redacted.choice"
        is_shown = entry.choice is not None and entry.choice.message is not None
    else:
        return MessageLinks(copied=copied)
    # Shares are redacted already, and have no such page.
    has_redacted = is_shown and services().share is None
    return MessageLinks(
        copied=copied,
        markdown=url_for(export, **of, form="md", show=1),
        html=url_for(export, **of, form="html"),
        alone=pieces_url(page, entry, 0),
        redacted=url_for(redacted, **of) if has_redacted else None,
    )


def confidence_url(page: TranscriptPage, entry: Entry) -> str:
    choices = page.completion.choices if page.completion else ()
    places = (at for at, choice in enumerate(choices) if choice is entry.choice)
    place = next(places, 0) if entry.place is None else entry.place
    return url_for("confidence.show", completion_id=page.completion_id, choice=place or None)


def media_url(page: TranscriptPage, entry: Entry, media: InlineMedia, **more: str | None) -> str:
    """Return the address of the bytes of `media`, and keep them in the cache.

    The browser requests the media of a page next. The address names the message too, to fetch it
    again when the cache has lost the bytes.
    """
    return _media_url(page.completion_id, entry, media, **more)


def _media_url(completion_id: str, entry: Entry, media: InlineMedia, **more: str | None) -> str:
    cache = services().media_cache
    cache.keep(completion_id, media)
    # A page that is shown again need not read the media again, unless they are lost.
    read_input(partial(cache.renew, completion_id, media.digest))
    query: dict[str, Any] = {
        name: replace_surrogates(value) for name, value in more.items() if value is not None
    }
    if is_linkable(entry.sent_as.id):
        query["message"] = entry.sent_as.id
    elif entry.place is not None:
        query["choice"] = entry.place
    return url_for("media.show", completion_id=completion_id, digest=media.digest, **query)


@dataclass(frozen=True)
class MessageImages:
    """The images in the message of `entry`."""

    completion_id: str
    entry: Entry

    def find_url(self, media: InlineMedia) -> str | None:
        """Find the address of an image by its base64; None if the page cannot show it."""
        if media.format.shown_as != "image" or media.problem:
            return None
        held = next((one for one in self._held if one.text.endswith(media.text)), None)
        return _media_url(self.completion_id, self.entry, held) if held else None

    @cached_property
    def _held(self) -> tuple[InlineMedia, ...]:
        return find_media(self.entry.message)


def text_url(page: TranscriptPage, entry: Entry, piece: Piece, start: int = 0) -> str | None:
    """Build the address of the slice of `piece` that begins at `start`."""
    place = find_position(entry.sent_as, piece)
    if place is None:
        return None
    return _message_part_url("texts.show", page, entry, place=place, **{"from": start or None})


def whole_text_url(page: TranscriptPage, entry: Entry, piece: Piece) -> str | None:
    """Return the address of the whole text of `piece`, as plain text."""
    place = find_position(entry.sent_as, piece)
    if place is None:
        return None
    return _message_part_url("texts.whole", page, entry, place=place)


def piece_json_url(page: TranscriptPage, entry: Entry, piece: Piece) -> str | None:
    """Return the address of the JSON of a content part or call."""
    place = find_position(entry.sent_as, piece)
    if place is None:
        return None
    return _message_part_url("sources.piece", page, entry, place=place)


def pieces_url(page: TranscriptPage, entry: Entry, start: int) -> str | None:
    """Build the address of the parts and calls of a message from number `start` on."""
    return _message_part_url("texts.pieces", page, entry, **{"from": start or None})


def menu_url(page: TranscriptPage, entry: Entry, call: CallEntry | None = None) -> str | None:
    """Build the address of the menu of a message, or of one of its calls.

    It is the page of the message alone, which needs its number, unless its id has it.
    """
    message_id = entry.sent_as.id or ""
    index = parse_message_index(page.completion_id, message_id)
    is_known = entry.number is None or entry.number - 1 == index
    number = None if is_known or entry.place is not None else entry.number
    position = call.position if call else None
    return _message_part_url("texts.pieces", page, entry, number=number, call=position)


def _message_part_url(
    endpoint: str, page: TranscriptPage, entry: Entry, **query: Any
) -> str | None:
    """Build the address of a part; None if the message has no usable id and is no choice."""
    query["completion_id"] = page.completion_id
    if is_linkable(entry.sent_as.id):
        return url_for(endpoint, message_id=entry.sent_as.id, **query)
    if entry.place is None:
        return None
    return url_for(f"{endpoint}_of_choice", choice=entry.place, **query)


def own_url() -> str:
    """Write the address of this request, for a link that repeats it."""
    path = quote(request.script_root + request.path)
    query = quote(request.query_string, safe="!$&'()*+,/:;=?@[]~%")
    return f"{path}?{query}" if query else path


def changed_url(**changes: Any) -> str:
    """Write the address of this request with parts of its query changed, those of None left out.

    Its names are whatever the reader's link has: an option of `url_for` is among them like any
    other.
    """
    kept = [pair for pair in request.args.items(multi=True) if pair[0] not in changes]
    kept += [(name, value) for name, value in changes.items() if value is not None]
    path = quote(request.script_root + request.path)
    return f"{path}?{urlencode(kept, safe=_IN_QUERY)}" if kept else path


def view_url(context: RenderContext, view: str) -> str:
    """Return the address of this page in another view."""
    return changed_url(view=view, like=None, end=None)


def page_url(context: RenderContext, *, keeps_filters: bool = True, **changes: Any) -> str:
    """Build the address of a page with the limit, order and images that the reader chose."""
    asked = context.page.request
    query: dict[str, Any] = kept_filters() if keeps_filters else {}
    query |= {
        "limit": asked.limit if asked.limit != 20 else None,
        "order": asked.order if asked.order != "asc" else None,
        "images": "load" if context.loads_images else None,
        "like": keep_view(context.view, context.page) if changes.get("after") else None,
        "only": context.only,
    }
    query.update(changes)
    return url_for("completions.show", completion_id=context.page.completion_id, **query)


def is_linkable(message_id: str | None) -> bool:
    return message_id is not None and is_valid_id(message_id)
