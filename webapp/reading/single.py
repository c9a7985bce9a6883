"""Build the page of one message, and select a range of its pieces."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.completions import Completion
from webapp.ids import parse_message_index
from webapp.messages import Message, Part
from webapp.reading.transcript_page import TranscriptPage, TranscriptRequest
from webapp.transcript import CallEntry, Entry, arrange, build_output_entries
from webapp.upstream import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """A range of the content parts and calls of a message, in order, of `total` ones.

    `start` and `end` count both together. `later` are the calls after `end`: their results
    are separate messages, and are on the page whether the calls are or not.
    """

    parts: tuple[Part, ...]
    calls: tuple[CallEntry, ...]
    later: tuple[CallEntry, ...]
    start: int
    end: int
    total: int

    @classmethod
    def of(cls, entry: Entry, *, start: int, limit: int) -> Pieces:
        """Cut out `limit` pieces of the message from `start` on."""
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
        """The start of the next pieces; None if these are the last."""
        return self.end if self.end < self.total else None


def build_message_page(completion_id: str, message: Message) -> TranscriptPage:
    """Build a page of one message; its calls do not know their results."""
    place = parse_message_index(completion_id, message.id or "")
    return TranscriptPage(
        completion_id=completion_id,
        request=TranscriptRequest(),
        entries=arrange((message,), first=None if place is None else place + 1, is_last=False),
        completion=None,
    )


def build_choice_page(completion_id: str, completion: Completion, place: int) -> TranscriptPage:
    """Build a page of one output choice. Raises `NotFound` if there are fewer."""
    outputs = build_output_entries(completion.choices)
    if not 0 <= place < len(outputs):
        raise NotFound(f"The completion has no choice {place + 1}.")
    return TranscriptPage(
        completion_id=completion_id,
        request=TranscriptRequest(),
        entries=(),
        completion=completion,
        outputs=(outputs[place],),
    )
