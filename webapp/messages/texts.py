"""The texts of a message: what may be too long for a page, each with its place."""

from __future__ import annotations

from typing import TypeAlias

from webapp import exact_json
from webapp.messages.message import Message
from webapp.messages.parts import Call, Part, Reasoning, Refusal, Text, ToolCall, Unknown

Piece: TypeAlias = Part | Call


def get_text(piece: Piece) -> str | None:
    """The text of a content part or call as it is shown; None for media, which have none.

    Of JSON that nobody knows it is that JSON, indented.
    """
    if isinstance(piece, Text | Refusal | Reasoning):
        return piece.text
    if isinstance(piece, ToolCall):
        return piece.arguments
    if isinstance(piece, Unknown):
        return exact_json.indent(piece.json)
    return None


def list_pieces(message: Message) -> tuple[Piece, ...]:
    """The content parts of a message, then its calls; a place among them is an address."""
    return (*message.parts, *message.calls)


def find_position(message: Message, piece: Piece) -> int | None:
    """Where `piece` itself, not one that is equal, stands among the pieces of `message`."""
    places = (at for at, one in enumerate(list_pieces(message)) if one is piece)
    return next(places, None)
