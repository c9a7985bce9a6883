"""Entries of a transcript: messages in order with their numbers, and calls with their results."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from webapp.ids import parse_message_index
from webapp.messages import Call, Message
from webapp.messages.choices import Choice


@dataclass(slots=True, eq=False)
class Entry:
    """One message of a transcript.

    `number` counts from 1 in request order, and is None if unknown. `calls` are the message's
    own, with their results. `answers` is the call this message is the result of; `inferred` is
    true if its name or the order decided, because it has no id or several calls have the same.
    `choice` is set if the message is an output, and `place` (from 0) if it is only among the
    choices of the completion, not among its messages; `counted_as` is its place if the
    indexes do not number the choices.
    `moved` is true if its call is not directly before it in request order. A message with
    several results has an entry for each in `pieces`, of which it is the `holder`; `position`
    counts them. `prefix` starts the DOM id if one page shows several transcripts, and `asked_above`
    is then the call in an earlier one that this message is the result of.
    """

    message: Message
    number: int | None
    calls: tuple[CallEntry, ...] = field(init=False)
    answers: CallEntry | None = None
    inferred: bool = False
    choice: Choice | None = None
    place: int | None = None
    counted_as: int | None = None
    moved: bool = False
    pieces: tuple[Entry, ...] = ()
    holder: Entry | None = None
    position: int = 0
    prefix: str = ""
    asked_above: CallEntry | None = None

    def __post_init__(self) -> None:
        calls = enumerate(self.message.calls, start=1)
        self.calls = tuple(CallEntry(call, self, position) for position, call in calls)

    @property
    def nested(self) -> bool:
        """Whether it is shown under the call that it answers."""
        return self.answers is not None

    @property
    def sent_as(self) -> Message:
        """The message that the server sent; a result may be only a part of it."""
        return self.holder.message if self.holder else self.message

    @property
    def anchor(self) -> str:
        """The DOM id, made of our own numbers and never of text from the message."""
        if self.holder is not None:
            return f"{self.holder.anchor}-result-{self.position}"
        if self.place is not None:
            return f"{self.prefix}choice-{self.place}"
        if self.number is not None:
            return f"{self.prefix}m-{self.number}"
        hashed = hashlib.sha256()
        for piece in self.message.json.iter_bytes():
            hashed.update(piece)
        return f"{self.prefix}m-x{hashed.hexdigest()[:12]}"

    @property
    def choice_number(self) -> int:
        """The number of the choice, from 1: by its index, or by its place if that is no use."""
        if self.counted_as is not None:
            return self.counted_as + 1
        index = self.choice.index if self.choice else None
        if index is None or not 0 <= index < 10_000:
            index = self.place or 0
        return index + 1

    @property
    def odd_index(self) -> int | None:
        """The index of the choice if it differs from its place among the choices."""
        index = self.choice.index if self.choice else None
        place = self.choice_number - 1 if self.place is None else self.place
        return None if index == place else index


@dataclass(slots=True, eq=False)
class CallEntry:
    """One tool call with the results found for it.

    `may_follow` is true if there is no result yet and a later page may have it.
    """

    call: Call
    caller: Entry
    position: int
    results: list[Entry] = field(default_factory=list)
    may_follow: bool = False

    @property
    def number(self) -> str:
        if self.caller.number is None:
            return str(self.position)
        return f"{self.caller.number}.{self.position}"

    @property
    def anchor(self) -> str:
        return f"{self.caller.anchor}-call-{self.position}"


def select_top_level(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Select all entries except the results that are shown at their place, under their calls.

    A moved result is among them, so that a page can say at its place where it is.
    """
    return tuple(entry for entry in entries if entry.moved or not entry.nested)


def find_first_number(completion_id: str, messages: Sequence[Message], order: str) -> int | None:
    """Find the number, from 1, of the first of `messages`; None if their ids do not contain it.

    The ids are believed only if they count without a gap.
    """
    indexes = [parse_message_index(completion_id, message.id) for message in messages]
    if not indexes or indexes[0] is None:
        return None
    step = 1 if order == "asc" else -1
    expected = range(indexes[0], indexes[0] + step * len(indexes), step)
    return indexes[0] + 1 if indexes == list(expected) else None
