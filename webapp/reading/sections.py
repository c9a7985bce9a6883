"""Values: which messages a reader asked for, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from webapp.completions import Completion
from webapp.transcript import Entry, first_number, top_level
from webapp.upstream import UpstreamError

Order: TypeAlias = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which messages the reader asked for; the first three as in the API.

    `shown` counts the messages in front of `after`, for servers whose ids do not tell.
    """

    after: str | None = None
    limit: int = 20
    order: Order = "asc"
    shown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptPage:
    """One page of a transcript, ready to be shown in `order`.

    `next_after` is the cursor of the page that follows, `earlier_than` the id of the message
    in front of which more can be asked for; each is None where nothing is known to follow.
    `outputs` are the choices that are due here and are not among the messages.
    `seen` counts the messages up to the end of this section, `total` all of them if known.
    `cut_off` tells that the server says there is more and gives no cursor for it,
    `goes_on_by_count` that it gave the rest with this page, under ids that are no cursors.
    """

    completion_id: str
    window: PageRequest
    entries: tuple[Entry, ...]
    completion: Completion | None
    outputs: tuple[Entry, ...] = ()
    problems: tuple[UpstreamError, ...] = ()
    next_after: str | None = None
    earlier_than: str | None = None
    seen: int | None = None
    total: int | None = None
    cut_off: bool = False
    goes_on_by_count: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether a page follows: after `next_after`, or after the messages `seen` so far."""
        return self.next_after is not None or self.goes_on_by_count

    @property
    def top_level(self) -> tuple[Entry, ...]:
        return top_level(self.entries)

    def ends_with(self, entry: Entry) -> bool:
        """Whether `entry` is the last message of a transcript without an answer of its own."""
        if self.outputs or not self.entries:
            return False
        if self.window.order == "desc":
            return self.window.after is None and entry is self.entries[0]
        return not self.goes_on and entry is self.entries[-1]

    @property
    def lacks_messages(self) -> UpstreamError | None:
        """Why there are no messages, when they could not be read."""
        failed = self.problems and self.completion is not None
        return self.problems[0] if failed and not self.entries else None

    @property
    def choice_count(self) -> int:
        return len(self.completion.choices) if self.completion else 0

    @property
    def numbered(self) -> bool:
        """Whether the ids of the messages tell their places."""
        messages = [entry.message for entry in self.entries]
        return first_number(self.completion_id, messages, self.window.order) is not None

    @property
    def progress(self) -> str:
        """`40 of 143`, or `40 so far` when the server does not tell how many there are."""
        if self.seen is None:
            return ""
        if self.total is None:
            return f"{self.seen:,} so far"
        return f"{self.seen:,} of {self.total:,}"
