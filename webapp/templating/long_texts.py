"""Long texts and messages of many pieces: what of them a page shows, and where the rest is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import url_for

from webapp import exact_json, rendering
from webapp.ids import is_valid_id
from webapp.messages import Message, Reasoning, Refusal, Text
from webapp.messages.texts import Piece, place_of, text_of
from webapp.reading import TranscriptPage
from webapp.reading.single import Pieces
from webapp.rendering import Slice
from webapp.services import services
from webapp.transcript import Entry

_OF_CHOICE = ("texts.show", "texts.whole", "texts.pieces")


@dataclass(frozen=True, slots=True)
class LongText:
    """One slice of a text that is too long for a page; prose is read as Markdown."""

    piece: Piece
    slice: Slice
    is_prose: bool


def long_text(message: Message, piece: Piece, *, start: int = 0) -> LongText | None:
    """The slice of `piece` from `start` on; None for media, or beyond the end of the text."""
    text = text_of(piece)
    if text is None or start >= max(len(text), 1):
        return None
    return _from(start, text, message, piece)


def _from(start: int, text: str, message: Message, piece: Piece) -> LongText:
    part = rendering.cut_slice(text, start=start, limit=services().budgets.text_bytes)
    return LongText(piece, part, _is_prose(message, piece))


def text_url(section: TranscriptPage, entry: Entry, piece: Piece, start: int = 0) -> str | None:
    """Where the slice of `piece` from `start` on is shown; None for what has no address."""
    place = place_of(entry.message, piece)
    if place is None:
        return None
    return _url("texts.show", section, entry, place=place, **{"from": start or None})


def whole_url(section: TranscriptPage, entry: Entry, piece: Piece) -> str | None:
    """Where the whole text of `piece` is given as it is."""
    place = place_of(entry.message, piece)
    return None if place is None else _url("texts.whole", section, entry, place=place)


def pieces_url(section: TranscriptPage, entry: Entry, start: int) -> str | None:
    """Where the pieces of a message from `start` on are shown."""
    return _url("texts.pieces", section, entry, **{"from": start or None})


def _url(endpoint: str, section: TranscriptPage, entry: Entry, **query: Any) -> str | None:
    if entry.message.id is not None and is_valid_id(entry.message.id):
        query["message_id"] = entry.message.id
        return url_for(endpoint, completion_id=section.completion_id, **query)
    if entry.place is None or endpoint not in _OF_CHOICE:
        return None
    endpoint = f"{endpoint}_of_choice"
    return url_for(endpoint, completion_id=section.completion_id, choice=entry.place, **query)


def too_long(piece: Piece, message: Message) -> LongText | None:
    """The first slice of a text beyond the budget; None where all of it fits."""
    text = text_of(piece)
    if text is None or not rendering.is_too_long(text, services().budgets.text_bytes):
        return None
    return _from(0, text, message, piece)


def _is_prose(message: Message, piece: Piece) -> bool:
    """Whether a text is read as Markdown: what a tool gave back and JSON are not."""
    if not isinstance(piece, Text | Refusal | Reasoning):
        return False
    return not isinstance(piece, Text) or not (message.is_tool_result or _is_json(piece.text))


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        exact_json.parse(text)
    except exact_json.NotJson:
        return False
    return True


def pieces(entry: Entry, start: int = 0) -> Pieces:
    """The content parts and calls of a message that stand on a page at once."""
    return Pieces.of(entry, start=start, limit=services().budgets.parts)


def back_url(section: TranscriptPage, entry: Entry) -> str:
    """The transcript, at the message."""
    address = url_for("completions.show", completion_id=section.completion_id)
    return _url("messages.show", section, entry) or f"{address}#{entry.anchor}"
