"""Write a completion with its messages as JSON, without changing a character of either."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from webapp.exact_json import Object, Value
from webapp.exact_json.lexemes import TOKEN
from webapp.exports.transcript import Transcript
from webapp.messages import Message

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

_LINE_BREAKS: Final = ("\n", "\r")


def iter_json(transcript: Transcript) -> Iterator[str]:
    """Yield the completion as it was sent, with the array `messages` as its last member.

    The file imports to the same completion. A completion that is not an object becomes the member
    `completion` of one.
    """
    yield from _join(transcript, transcript.messages, _iter_pieces)


def iter_json_line(transcript: Transcript) -> Iterator[str]:
    """Yield the same on one line: only line breaks between lexemes are left out."""
    yield from _join(transcript, transcript.messages, _iter_line)
    yield "\n"


def hash_json(transcript: Transcript, hashed: Hash) -> Iterator[Message]:
    """Yield the messages; after the last of them, `hashed` is that of `iter_json`'s bytes."""
    held: list[Message] = []

    def read_messages() -> Iterator[Message]:
        for message in transcript.messages:
            held.append(message)
            yield message

    for piece in _join(transcript, read_messages(), _iter_pieces):
        hashed.update(piece.encode("utf-8", "surrogatepass"))
        if held:
            yield held.pop()


def _join(
    transcript: Transcript, messages: Iterable[Message], write: Callable[[Value], Iterator[str]]
) -> Iterator[str]:
    json = transcript.completion.json
    if isinstance(json, Object):
        *pieces, last = write(json)
        yield from pieces
        yield f'{last[:-1]}{"," if json.members else ""}"messages":['
    else:
        yield '{"completion":'
        yield from write(json)
        yield ',"messages":['
    for at, message in enumerate(messages):
        if at:
            yield ","
        yield from write(message.given)
    yield "]}"


def _iter_pieces(json: Value) -> Iterator[str]:
    return json.iter_pieces()


def _iter_line(json: Value) -> Iterator[str]:
    if any(json.contains(mark) for mark in _LINE_BREAKS):
        return iter((join_lines(json.source),))
    return json.iter_pieces()


def join_lines(source: str) -> str:
    """Join JSON on one line; a raw line break in a string is escaped."""
    if not any(mark in source for mark in _LINE_BREAKS):
        return source
    joined = "".join(match[match.lastgroup or 0] for match in TOKEN.finditer(source))
    return joined.replace("\n", "\\n").replace("\r", "\\r")
