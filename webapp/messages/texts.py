"""List the texts of a message, which may be too long for a page, with their positions."""

from __future__ import annotations

from typing import TypeAlias

from webapp import exact_json
from webapp.messages.message import Message
from webapp.messages.parts import Call, Part, Reasoning, Refusal, Text, ToolCall, Unknown

Piece: TypeAlias = Part | Call


def get_text(piece: Piece) -> str | None:
    """Return the text of a content part or call as shown; None for media, which have none.

    The text of an `Unknown` is its JSON, indented.
    """
    if isinstance(piece, Text | Refusal | Reasoning):
        return piece.text
    if isinstance(piece, ToolCall):
        return piece.arguments
    if isinstance(piece, Unknown):
        return exact_json.indent(piece.json)
    return None


def list_pieces(message: Message) -> tuple[Piece, ...]:
    """Return the content parts of a message, then its calls; URLs contain positions in this."""
    return (*message.parts, *message.calls)


def find_position(message: Message, piece: Piece) -> int | None:
    """Return the position of `piece` itself, not of an equal one, in `message`."""
    places = (at for at, one in enumerate(list_pieces(message)) if one is piece)
    return next(places, None)
