"""One message at its place, and one tool call with what answers it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from webapp.completions import Choice
from webapp.messages import Call, Message


@dataclass(slots=True, eq=False)
class Entry:
    """One message at its place.

    `number` counts from 1 in request order, None when the place is not known; `calls` are the
    message's own, with their results; `answers` is the call this message is the result of, and
    `inferred` tells that the server did not say of which and the order decided.
    `choice` is set when the message is an output, `place` (from 0) when it stands only among
    the choices of the completion and not among its messages. `prefix` stands in front of the
    DOM id where one page shows several transcripts.
    """

    message: Message
    number: int | None
    calls: tuple[CallEntry, ...] = ()
    answers: CallEntry | None = None
    inferred: bool = False
    choice: Choice | None = None
    place: int | None = None
    nested: bool = False
    prefix: str = ""

    @property
    def anchor(self) -> str:
        """The DOM id: our own numbers, never text from the message."""
        if self.place is not None:
            return f"{self.prefix}choice-{self.place}"
        if self.number is not None:
            return f"{self.prefix}m-{self.number}"
        digest = hashlib.sha256(self.message.json.source.encode("utf-8", "surrogatepass"))
        return f"{self.prefix}m-x{digest.hexdigest()[:12]}"

    @property
    def choice_number(self) -> int:
        """The number of the choice, from 1: by its index, or its place when that is absurd."""
        index = self.choice.index if self.choice else None
        if index is None or not 0 <= index < 10_000:
            index = self.place or 0
        return index + 1

    @property
    def odd_index(self) -> int | None:
        """The index of the choice when it is not its place among the choices."""
        index = self.choice.index if self.choice else None
        place = self.choice_number - 1 if self.place is None else self.place
        return None if index == place else index


@dataclass(slots=True, eq=False)
class CallEntry:
    """One tool call with the results found for it.

    `may_follow` tells that the result may stand on a page not seen here.
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

    @property
    def nested(self) -> list[Entry]:
        return [entry for entry in self.results if entry.nested]

    @property
    def elsewhere(self) -> list[Entry]:
        return [entry for entry in self.results if not entry.nested]


def top_level(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries that stand for themselves: all but the results shown under their calls."""
    return tuple(entry for entry in entries if not entry.nested)
