"""One message as a section of its own, and the pieces of it that stand on a page at once."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.completions import Completion
from webapp.messages import Message, Part
from webapp.reading.sections import PageRequest, TranscriptPage
from webapp.transcript import CallEntry, Entry, arrange, message_index, output_entries
from webapp.upstream import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """Some content parts and calls of a message, in order, of `total` ones.

    `start` and `end` count both together. `later` are the calls behind `end`: their results
    are messages of their own, and stand on this page whether the calls do or not.
    """

    parts: tuple[Part, ...]
    calls: tuple[CallEntry, ...]
    later: tuple[CallEntry, ...]
    start: int
    end: int
    total: int

    @classmethod
    def of(cls, entry: Entry, *, start: int, limit: int) -> Pieces:
        parts, calls = entry.message.parts, entry.calls
        end = start + limit
        first_call, last_call = max(0, start - len(parts)), max(0, end - len(parts))
        total = len(parts) + len(calls)
        return cls(
            parts=parts[start:end],
            calls=calls[first_call:last_call],
            later=calls[last_call:],
            start=start,
            end=min(end, total),
            total=total,
        )

    @property
    def next(self) -> int | None:
        """Where the next pieces start; None when these are the last."""
        return self.end if self.end < self.total else None


def message_alone(completion_id: str, message: Message) -> TranscriptPage:
    """A section of one message; its calls do not know their results."""
    place = message_index(completion_id, message.id or "")
    return TranscriptPage(
        completion_id=completion_id,
        window=PageRequest(),
        entries=arrange((message,), first=None if place is None else place + 1, is_last=False),
        completion=None,
    )


def choice_alone(completion_id: str, completion: Completion, place: int) -> TranscriptPage:
    """A section of one output choice. Raises `NotFound` when there are fewer."""
    outputs = output_entries(completion.choices)
    if not 0 <= place < len(outputs):
        raise NotFound(f"The completion has no choice {place}.")
    return TranscriptPage(
        completion_id=completion_id,
        window=PageRequest(),
        entries=(),
        completion=completion,
        outputs=(outputs[place],),
    )
