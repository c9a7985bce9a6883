"""Cut the texts of a comparison into pieces: unchanged, deleted, inserted, left out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from webapp.analysis.differences import Difference, Edit
from webapp.exact_json import Array, Object, String, Value, indent
from webapp.formatting import show_blanks, size
from webapp.media import InlineMedia, NotMedia, describe_format, find_encoded
from webapp.messages import Message
from webapp.messages.message import get_text, list_pieces
from webapp.rendering.text.direction import find_direction

_AROUND: Final = 160
_MAX_OF_PIECE: Final = 4_000
_MAX_OF_PAGE: Final = 200_000
_MAX_MEDIA: Final = 100
"""Media that are described on a page; each is decoded for it."""

_LINE: Final = 90
_MAX_OF_LINE: Final = 100

PieceKind: TypeAlias = Literal["equal", "deleted", "inserted", "left out"]
FindImage: TypeAlias = Callable[[PieceKind, InlineMedia], str | None]
"""Finds the address of an image that the page can show, in the message before or after."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text; one that is `left out` has its size in place of its words.

    Media are described, as `PNG, 64 × 64 pixels, 12 kB, SHA-256 ab12…`; `image` is the address of
    one that the page can show.
    """

    kind: PieceKind
    text: str
    is_media: bool = False
    image: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Pieces that are read in one direction, the value for `dir`."""

    direction: str
    pieces: tuple[Piece, ...]

    @property
    def lines(self) -> int:
        """About how many lines it takes on a wide screen."""
        lines = 0
        for piece in self.pieces:
            for line in piece.text[:_MAX_OF_PIECE].split("\n"):
                lines += 1 + len(line) // _LINE
        return lines


@dataclass(frozen=True, slots=True)
class ShownDifference:
    """A difference with its texts, in one block or in one for each direction."""

    difference: Difference
    blocks: tuple[Block, ...]

    @property
    def is_short(self) -> bool:
        """Whether it fits into the line of its place."""
        pieces = self.blocks[0].pieces
        is_plain = not any(one.is_media or one.kind == "left out" for one in pieces)
        text = "".join(one.text for one in pieces)
        return len(self.blocks) == 1 and is_plain and len(text) <= _MAX_OF_LINE and "\n" not in text

    @property
    def lines(self) -> int:
        return 1 if self.is_short else 1 + sum(block.lines for block in self.blocks)


class Cutter:
    """Cuts texts to the room on a page, which they share."""

    def __init__(self, room: int = _MAX_OF_PAGE) -> None:
        self._room = room
        self._media = _MAX_MEDIA

    def cut_difference(self, found: Difference, find_image: FindImage) -> ShownDifference:
        """Cut a difference into one block, or two if its texts are read in two directions."""
        before, after = found.before, found.after
        if found.text is not None and before is not None and after is not None:
            directions = [_find_direction(one, found) for one in (before, after)]
            if "rtl" in directions and directions[0] != directions[1]:
                blocks = (
                    self._cut(directions[0], [("deleted", _write(before, found))], find_image),
                    self._cut(directions[1], [("inserted", _write(after, found))], find_image),
                )
                return ShownDifference(found, blocks)
        read = before if after is None else after
        direction = "auto" if read is None else _find_direction(read, found)
        return ShownDifference(found, (self._cut(direction, _split(found), find_image),))

    def cut_message(self, message: Message, kind: PieceKind, find_image: FindImage) -> Block:
        """Cut the texts of a message that only one side has."""
        texts = []
        for piece in list_pieces(message):
            text = get_text(piece)
            name = getattr(piece, "name", None)
            written = text if text is not None else indent(piece.json)
            texts.append(f"{name} {written}" if name else written)
        joined = "\n".join(texts)
        return self._cut(find_direction(joined), [(kind, joined)], find_image)

    def _cut(
        self, direction: str, pieces: Iterable[tuple[PieceKind, str]], find_image: FindImage
    ) -> Block:
        shown: list[Piece] = []
        for kind, text in pieces:
            if kind == "left out":
                shown.append(Piece(kind, text))
                continue
            end = 0
            for found in find_encoded(text):
                shown += self._cut_words(kind, text[end : found.start])
                if not self._media:
                    shown.append(Piece("left out", f"{len(text) - found.start:,} more characters"))
                    end = len(text)
                    break
                self._media -= 1
                image = find_image(kind, found.media)
                shown.append(Piece(kind, _describe(found.media), is_media=True, image=image))
                end = found.end
            shown += self._cut_words(kind, text[end:])
        return Block(direction, tuple(shown))

    def _cut_words(self, kind: PieceKind, text: str) -> Iterator[Piece]:
        most = min(_MAX_OF_PIECE, self._room)
        self._room -= min(len(text), most)
        if begin := text[:most]:
            is_seen = kind == "equal" or not begin.isspace()
            yield Piece(kind, begin if is_seen else show_blanks(begin))
        if len(text) > most:
            yield Piece("left out", f"{len(text) - most:,} more characters")


def _find_direction(value: Value, difference: Difference) -> str:
    """Find the direction of a value; JSON is read from left to right."""
    is_json = isinstance(value, Object | Array)
    return "ltr" if is_json else find_direction(_write(value, difference))


def _split(difference: Difference) -> Iterator[tuple[PieceKind, str]]:
    """Yield the pieces of a text that changed, or both values."""
    if difference.text is not None:
        yield from _fold_equal(difference.text.edits)
        return
    if difference.before is not None and difference.kind != "moved":
        yield "deleted", _write(difference.before, difference)
    if difference.after is not None:
        kind: PieceKind = "equal" if difference.kind == "moved" else "inserted"
        yield kind, _write(difference.after, difference)


def _fold_equal(edits: tuple[Edit, ...]) -> Iterator[tuple[PieceKind, str]]:
    """Yield the pieces of `edits` with a few words around each change."""
    for place, edit in enumerate(edits):
        if not edit.is_equal:
            if edit.before:
                yield "deleted", edit.before
            if edit.after:
                yield "inserted", edit.after
            continue
        text = edit.before
        head = _AROUND if place else 0
        tail = _AROUND if place < len(edits) - 1 else 0
        if len(text) <= head + tail + _AROUND:
            yield "equal", text
            continue
        start, end = head, len(text) - tail
        for found in find_encoded(text):
            start = found.start if found.start < start < found.end else start
            end = found.end if found.start < end < found.end else end
        if start:
            yield "equal", text[:start]
        yield "left out", f"{end - start:,} characters unchanged"
        if end < len(text):
            yield "equal", text[end:]


def _write(value: Value, difference: Difference) -> str:
    """Write a value as text: a string without quotation marks, unless its spelling matters."""
    is_plain = isinstance(value, String) and difference.kind != "respelled"
    return value.text if is_plain and isinstance(value, String) else indent(value)


def _describe(media: InlineMedia) -> str:
    """Describe media so that two can be told apart: by their format, pixels, size and digest.

    The digest is the beginning of the SHA-256 of the decoded bytes.
    """
    facts = [describe_format(media)]
    if pixels := media.image_size:
        facts.append(f"{pixels[0]:,} × {pixels[1]:,} pixels")
    try:
        data = media.decode()
    except NotMedia:
        return ", ".join((*facts, f"{len(media.text):,} characters that cannot be decoded"))
    return ", ".join((*facts, size(len(data)), f"SHA-256 {hashlib.sha256(data).hexdigest()[:12]}…"))
