"""The messages that a reader asks for, and the page of a transcript that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from webapp.completions import Completion
from webapp.ids import parse_message_index
from webapp.messages import Message
from webapp.transcript import Entry, find_first_number
from webapp.upstream import End, UpstreamError

Order: TypeAlias = Literal["asc", "desc"]

MAX_LIMIT: Final = 100
"""Messages in one page, as in the API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptRequest:
    """The messages that a reader asks for; the first three fields are the API's.

    `shown` counts the messages up to `after`, for servers whose ids do not number them. The page
    ends before the message `until`, which the reader has already.
    """

    after: str | None = None
    limit: int = 20
    order: Order = "asc"
    shown: int = 0
    until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptPage:
    """One page of a transcript, in the order of its `request`.

    `next_after` is the cursor of the page that follows, `earlier_than` the id of the message
    before which more can be requested; each is None if nothing is known to follow.
    `outputs` are the choices that belong here and are not among the messages.
    `problems` holds the error of the half, messages or completion, that could not be read.
    `seen` counts the messages up to the end of this page, `total` all of them if known.
    `end` says what comes after the page: more if there is a `next_after`, or if the server sent
    the rest with this page, under ids that are not cursors.
    `tail` is the end of a long transcript, which its first page shows as well: the messages
    between begin at `next_after` and end before `request.until`. `is_joined` means that this
    page ends directly before that message.
    """

    completion_id: str
    request: TranscriptRequest
    entries: tuple[Entry, ...]
    completion: Completion | None
    outputs: tuple[Entry, ...] = ()
    problems: tuple[UpstreamError, ...] = ()
    next_after: str | None = None
    earlier_than: str | None = None
    seen: int | None = None
    total: int | None = None
    end: End = End.UNKNOWN
    tail: TranscriptPage | None = None
    is_joined: bool = False

    @property
    def broken_off(self) -> str | None:
        """The reason why the answer is incomplete, on the page where the answer belongs."""
        is_answer_page = self.request.order == "asc" or self.request.after is None
        return self.completion.broken_off if self.completion and is_answer_page else None

    @property
    def all_entries(self) -> tuple[Entry, ...]:
        """The messages and outputs of this page and of its tail."""
        rest = (*self.tail.entries, *self.tail.outputs) if self.tail else ()
        return (*self.entries, *self.outputs, *rest)

    @property
    def between(self) -> int | None:
        """The number of messages between this page and `request.until`; None if unknown."""
        index = parse_message_index(self.completion_id, self.request.until)
        return index - self.seen if index is not None and self.seen is not None else None

    def ends_with(self, entry: Entry) -> bool:
        """Return whether `entry` is the last message of a transcript without an answer."""
        if self.outputs or not self.entries:
            return False
        if self.request.order == "desc":
            return self.request.after is None and entry is self.entries[0]
        return self.end is not End.MORE and entry is self.entries[-1]

    @property
    def messages_error(self) -> UpstreamError | None:
        """The error because of which there are no messages."""
        failed = self.problems and self.completion is not None
        return self.problems[0] if failed and not self.entries else None

    @property
    def numbered(self) -> bool:
        """Whether the ids of the messages number them."""
        messages = [entry.message for entry in self.entries]
        return find_first_number(self.completion_id, messages, self.request.order) is not None

    @property
    def question(self) -> str:
        """The text that the transcript begins with, by its first user; empty if not on the page."""
        messages: Sequence[Message] = ()
        if self.completion and self.completion.input_messages:
            messages = self.completion.input_messages
        else:
            numbered = [entry for entry in self.entries if entry.number is not None]
            if numbered and numbered[0].number == 1:
                messages = [entry.message for entry in numbered]
        for message in messages:
            if message.speaker == "user" and (text := message.plain_text).strip():
                return text
        return ""

    @property
    def progress(self) -> str:
        """`40 of 143`, or `40 so far` if the server does not say how many there are."""
        if self.seen is None:
            return ""
        if self.total is None:
            return f"{self.seen:,} so far"
        return f"{self.seen:,} of {self.total:,}"
