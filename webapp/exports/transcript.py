"""A transcript to be written once, from its first message to its answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Final

from webapp.completions import Completion
from webapp.exact_json import iter_encoded
from webapp.formatting import first_words
from webapp.messages import Message, ToolCall
from webapp.messages.choices import Choice
from webapp.notes import Note
from webapp.transcript import Pairing

_MAX_BEFORE: Final = 4
"""Messages that are read for the question, which comes after a system prompt or two."""


@dataclass(frozen=True, slots=True)
class Span:
    """The messages numbered `first` to `last`, and perhaps the answers after them.

    Without a `last` it goes on to the end. `choice` is the place, from 0, of the only answer.
    """

    first: int = 1
    last: int | None = None
    has_answers: bool = True
    choice: int | None = None

    @property
    def is_whole(self) -> bool:
        return self == Span()


@dataclass(frozen=True, slots=True)
class Transcript:
    """A completion and its input messages, which can be read once.

    The first of `messages` has the number `start`, None if its number is not known; `span` says
    which of them are written. `is_redacted` means that their secrets are masked already. The
    `notes` are written beside them.
    """

    id: str
    completion: Completion
    messages: Iterable[Message]
    start: int | None = 1
    span: Span = Span()
    is_redacted: bool = False
    notes: tuple[Note, ...] = ()

    @property
    def broken_off(self) -> str | None:
        """The reason why the answer is incomplete, if answers are written."""
        return self.completion.broken_off if self.span.has_answers else None

    def list_notes(self, item: Item | None = None) -> tuple[Note, ...]:
        """List the notes on a message, those that begin with it; without one, on the whole."""
        if item is None:
            return tuple(one for one in self.notes if one.first is None and one.choice is None)
        if item.choice is not None:
            return tuple(one for one in self.notes if one.choice == (item.place or 0) + 1)
        if item.number is None:
            return ()
        return tuple(one for one in self.notes if one.first == item.number)


@dataclass(frozen=True, slots=True)
class Called:
    """A call that a result answers: its number, as `3.1`, and the name of its tool."""

    number: str
    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """A message in its place: its number, or its choice if it is an answer.

    `results` are the tool results in the message, each with its call if that is known.
    """

    message: Message
    number: int | None = None
    choice: Choice | None = None
    place: int | None = None
    results: tuple[tuple[Message, Called | None], ...] = ()

    def number_call(self, position: int) -> str:
        """Number the call at `position`, from 1."""
        return str(position) if self.number is None else f"{self.number}.{position}"


def read_question(transcript: Transcript) -> tuple[str, Transcript]:
    """Read the first words of a user; return them with the transcript, still with all messages.

    They are empty if none of the first messages is by a user.
    """
    messages = iter(transcript.messages)
    first = tuple(islice(messages, _MAX_BEFORE))
    texts = (message.plain_text for message in first if message.speaker == "user")
    question = next((words for words in map(first_words, texts) if words), "")
    return question, replace(transcript, messages=chain(first, messages))


def iter_items(transcript: Transcript) -> Iterator[Item]:
    """Yield the messages of the span with their results paired, then the answers."""
    span = transcript.span
    pairing = Pairing[Called]()
    number = transcript.start
    for message in transcript.messages:
        if span.last is not None and number is not None and number > span.last:
            break
        item = Item(message, number)
        names = (one.name if isinstance(one, ToolCall) else one.label for one in message.calls)
        called = [Called(item.number_call(at), name or "") for at, name in enumerate(names, 1)]
        paired = pairing.read(message, called)
        if number is None or number >= span.first:
            yield replace(item, results=tuple((one.result, one.call) for one in paired))
        number = None if number is None else number + 1
    if not span.has_answers:
        return
    for place, choice in enumerate(transcript.completion.choices):
        if span.choice in (None, place):
            yield Item(choice.message_or_empty, choice=choice, place=place)


def encode(pieces: Iterable[str], *, at_least: int = 32_768) -> Iterator[bytes]:
    """Yield the bytes of `pieces`, some of them joined; lone surrogates are as they came."""
    waiting: list[str] = []
    size = 0
    for piece in pieces:
        if len(piece) < at_least:
            waiting.append(piece)
            size += len(piece)
            if size < at_least:
                continue
        if waiting:
            yield "".join(waiting).encode("utf-8", "surrogatepass")
            waiting, size = [], 0
        if len(piece) >= at_least:
            # Joined with an emoji, it would take four times its memory.
            yield from iter_encoded(piece)
    yield "".join(waiting).encode("utf-8", "surrogatepass")
