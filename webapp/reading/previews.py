"""Preview completions in a list: the first words asked and answered, and kinds of content.

The list operation returns the answer only; the question takes one more request each. These are
made side by side, small and without retries. Their results are kept by the id and the answer, since
input never changes, unless the completion is so new that its input may not be whole yet. A question
that does not come in time is left out; the list never waits longer for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import wait
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from webapp.analysis import Failure, find_answer_failure
from webapp.completions import Completion
from webapp.messages import Audio, File, Image, InputAudio, Message, Refusal
from webapp.monitoring.request_ids import RequestPool
from webapp.reading.gist import find_gist
from webapp.reading.kept import digest_answer
from webapp.recent import RecentValues
from webapp.upstream import (
    Deadline,
    End,
    Upstream,
    UpstreamError,
    canonicalize,
    spoil_answers,
    without_noting,
)

MESSAGES: Final = 4
"""Messages requested for a preview: the question comes after a system prompt or two."""

SECONDS: Final = 3.0
"""The time that all questions of a list may take."""

_MAX_KEPT: Final = 2_000
_THREADS: Final = 8
_MARKS: Final = {
    Image: "image",
    InputAudio: "audio",
    Audio: "audio",
    File: "file",
    Refusal: "refused",
}


@dataclass(frozen=True, slots=True)
class Preview:
    """`text` begins with the words to show, `marks` are the kinds of other content.

    `messages` is the number of messages, as far as it is known: `3` or `4+`.
    """

    text: str
    marks: tuple[str, ...]
    messages: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list; `question` is None if it could not be read."""

    completion: Completion
    question: Preview | None
    answer: Preview

    @property
    def failure(self) -> Failure | None:
        """Why the first incomplete answer is incomplete."""
        found = (
            find_answer_failure(choice.message_or_empty, choice.finish_reason)
            for choice in self.completion.choices
        )
        broken_off = self.completion.broken_off
        failure = Failure("broken off", broken_off) if broken_off else None
        return next((failure for failure in found if failure), failure)


class Previews:
    """Builds rows from completions; shared by all requests of a process."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._pool = RequestPool(_THREADS, thread_name_prefix="preview")
        self._kept: RecentValues[tuple[str, str], Preview] = RecentValues(_MAX_KEPT)

    def build_rows(self, completions: Sequence[Completion], deadline: Deadline) -> tuple[Row, ...]:
        """Build a row for each completion, in order, within `SECONDS` and the deadline."""
        limit = Deadline.after(min(SECONDS, deadline.remaining()), clock=self._upstream.clock)
        with without_noting():
            questions = {
                one.id: self._pool.submit(self._request_question, one.id, one, limit)
                for one in completions
                if one.id and self._find_question(one) is None
            }
        wait(questions.values(), timeout=limit.remaining())
        rows = []
        for completion in completions:
            question = self._find_question(completion)
            future = questions.get(completion.id or "")
            if question is None and future is not None and future.done():
                # A question that could not be read is left out of the row.
                with suppress(UpstreamError):
                    question = future.result()
            rows.append(Row(completion, question, preview_answer(completion)))
        if any(row.question is None for row in rows) or any(
            self._upstream.may_be_unfinished(one.created)
            for one in completions
            if one.input_messages is None
        ):
            spoil_answers()
        return tuple(rows)

    def _find_question(self, completion: Completion) -> Preview | None:
        """Find the question if it is there without a request."""
        if completion.input_messages is not None:
            messages = completion.input_messages
            return replace(preview_question(messages), messages=f"{len(messages):,}")
        return self._kept.get((completion.id or "", digest_answer(completion)))

    def _request_question(
        self, completion_id: str, completion: Completion, deadline: Deadline
    ) -> Preview:
        page = self._upstream.list_messages(completion_id, limit=MESSAGES, deadline=deadline)
        first = canonicalize(page, limit=MESSAGES)
        count = first.total or (len(first.items) if first.end is End.PROVED else None)
        is_known = count is not None and first.end is not End.CLAIMED
        messages = f"{count:,}" if is_known else f"{len(first.items)}+"
        preview = replace(preview_question(first.items), messages=messages)
        if not self._upstream.may_be_unfinished(completion.created):
            self._kept.keep((completion_id, digest_answer(completion)), preview, 1)
        return preview


def preview_question(messages: Iterable[Message]) -> Preview:
    """Preview the first message of a user, of anybody if no user is among the first ones."""
    first = tuple(messages)
    asked = next((message for message in first if message.speaker == "user"), None)
    if asked is None:
        asked = first[0] if first else None
    return Preview(asked.plain_text if asked else "", _list_marks(first))


def preview_answer(completion: Completion) -> Preview:
    """Preview the gist of the first choice with text or a transcript, and the marks of all."""
    messages = [choice.message for choice in completion.choices if choice.message]
    for message in messages:
        spoken = (part.transcript or "" for part in message.parts if isinstance(part, Audio))
        text = message.said or next(spoken, "")
        if text.strip():
            return Preview(find_gist(text), _list_marks(messages))
    return Preview("", _list_marks(messages))


def _list_marks(messages: Iterable[Message]) -> tuple[str, ...]:
    """List the kinds of content besides text; tool calls by the name of the tool."""
    marks: dict[str, None] = {}
    for message in messages:
        for part in message.parts:
            if isinstance(part, Image | InputAudio | Audio | File | Refusal):
                marks[_MARKS[type(part)]] = None
        for call in message.calls:
            marks[f"call:{getattr(call, 'name', None) or 'tool'}"] = None
    return tuple(marks)
