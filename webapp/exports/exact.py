"""Write a completion with its messages as JSON, without changing a character of either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from webapp.completions import Completion
from webapp.exact_json import Object
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
    yield from _join(transcript.completion, (one.given.source for one in transcript.messages))


def iter_json_line(transcript: Transcript) -> Iterator[str]:
    """Yield the same on one line: only line breaks between lexemes are left out."""
    sources = (join_lines(one.given.source) for one in transcript.messages)
    for piece in _join(transcript.completion, sources):
        yield join_lines(piece) if piece.startswith("{") else piece
    yield "\n"


def hash_json(transcript: Transcript, hashed: Hash) -> Iterator[Message]:
    """Yield the messages; after the last of them, `hashed` is that of `iter_json`'s bytes."""
    held: list[Message] = []

    def read_sources() -> Iterator[str]:
        for message in transcript.messages:
            held.append(message)
            yield message.given.source

    for piece in _join(transcript.completion, read_sources()):
        hashed.update(piece.encode("utf-8", "surrogatepass"))
        if held:
            yield held.pop()


def _join(completion: Completion, messages: Iterable[str]) -> Iterator[str]:
    json = completion.json
    if isinstance(json, Object):
        head = json.source[:-1]
        yield f'{head}{"," if json.members else ""}"messages":['
    else:
        yield f'{{"completion":{json.source},"messages":['
    for at, message in enumerate(messages):
        yield f",{message}" if at else message
    yield "]}"


def join_lines(source: str) -> str:
    """Join JSON, or the beginning of it, on one line; a raw line break in a string is escaped."""
    if not any(mark in source for mark in _LINE_BREAKS):
        return source
    joined = "".join(match[match.lastgroup or 0] for match in TOKEN.finditer(source))
    return joined.replace("\n", "\\n").replace("\r", "\\r")
