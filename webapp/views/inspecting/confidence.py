"""How likely each token of an answer was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from webapp.analysis.confidence import Stream, Token, TokenRun, read_streams
from webapp.rendering.text.direction import find_direction
from webapp.services import services, start_deadline
from webapp.views import read_whole_number

bp = Blueprint("confidence", __name__, url_prefix="/completions/<completion_id>")

TOKENS: Final = 500
"""Tokens on one page."""

_MAX_UNCERTAIN: Final = 10
_MAX_CHOICES: Final = 10_000
_WORDS_BEFORE: Final = 40
_PIECES_BEFORE: Final = 12


@dataclass(frozen=True, slots=True)
class Section:
    """The pieces of a stream that are on one page: those of its tokens from `start` on."""

    completion_id: str
    choice: int
    stream: Stream
    start: int

    @property
    def pieces(self) -> tuple[TokenRun, ...]:
        end = self.start + TOKENS
        return tuple(
            piece for piece in self.stream.pieces if self.start < piece.tokens[0].number <= end
        )

    @property
    def direction(self) -> str:
        return find_direction("".join(piece.text for piece in self.pieces))

    @property
    def uncertain(self) -> list[tuple[Token, str, TokenRun]]:
        """The least likely tokens, each with the words before it and the piece it is in."""
        pieces = self.stream.pieces
        places = {
            token.number: place for place, piece in enumerate(pieces) for token in piece.tokens
        }
        found = []
        for token in self.stream.find_least_certain(_MAX_UNCERTAIN):
            place = places[token.number]
            before = "".join(one.text for one in pieces[max(0, place - _PIECES_BEFORE) : place])
            if place > _PIECES_BEFORE or len(before) > _WORDS_BEFORE:
                near = before[-_WORDS_BEFORE:]
                before = f"…{near.partition(' ')[2] or near}"
            found.append((token, before, pieces[place]))
        return found

    def url(self, start: int) -> str:
        """Return the address of the page that begins after `start` tokens."""
        query: dict[str, Any] = {"choice": self.choice or None, "start": start or None}
        return url_for("confidence.show", completion_id=self.completion_id, **query)

    def anchor(self, token: Token) -> str:
        return f"{self.stream.name}-{token.number}"

    def token_url(self, token: Token) -> str:
        """Return the address of a token, on this page or another."""
        start = (token.number - 1) // TOKENS * TOKENS
        return f"{'' if start == self.start else self.url(start)}#{self.anchor(token)}"

    @property
    def next_start(self) -> int | None:
        end = self.start + TOKENS
        return end if end < len(self.stream.tokens) else None


@bp.get("/confidence")
def show(completion_id: str) -> ResponseReturnValue:
    """Show the tokens of the answer `choice`, from 0; those of long ones after `start`."""
    place = read_whole_number("choice", default=0, low=0, high=_MAX_CHOICES)
    start = read_whole_number("start", default=0, low=0, high=10**9) // TOKENS * TOKENS
    completion = services().upstream.retrieve_completion(completion_id, deadline=start_deadline())
    choices = completion.choices
    if place >= max(1, len(choices)):
        abort(404, f"The completion has no choice {place + 1}.")
    streams = read_streams(choices[place].logprobs) if choices else ()
    return render_template(
        "inspecting/confidence.html",
        completion_id=completion_id,
        place=place,
        choices=choices,
        sections=[Section(completion_id, place, stream, start) for stream in streams],
    )
