"""What a list shows of a completion: the first words asked and answered, and what it holds.

The list call gives the answer only; the question takes one more call each. These are made side
by side, small and without retries, and what was seen is remembered, since input never changes.
A question that does not come in time is left out; the list never waits for it longer.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Lock
from typing import Final

from webapp.completions import Completion
from webapp.messages import Audio, File, Image, InputAudio, Message, Refusal
from webapp.upstream import Deadline, Upstream, UpstreamError

MESSAGES: Final = 4
"""Messages asked for a preview: past a system prompt or two stands the question."""

SECONDS: Final = 3.0
_KEPT: Final = 2_000
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Preview:
    """`text` is the text with the first words, `marks` the kinds of other content."""

    text: str
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list; `question` is None when it could not be read."""

    completion: Completion
    question: Preview | None
    answer: Preview

    @property
    def marks(self) -> tuple[str, ...]:
        asked = self.question.marks if self.question else ()
        return tuple(dict.fromkeys((*asked, *self.answer.marks)))


class Previews:
    """Makes rows from completions; shared by all requests of a process."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="preview")
        self._kept: OrderedDict[str, Preview] = OrderedDict()
        self._lock = Lock()

    def rows(self, completions: Sequence[Completion], deadline: Deadline) -> tuple[Row, ...]:
        """A row for each completion, in order, within `SECONDS` and the deadline."""
        limit = Deadline.after(min(SECONDS, deadline.remaining()))
        asked = {
            completion.id: self._pool.submit(self._question, completion, limit)
            for completion in completions
            if completion.id and self._known(completion) is None
        }
        wait(asked.values(), timeout=limit.remaining())
        return tuple(self._row(completion, asked) for completion in completions)

    def _row(self, completion: Completion, asked: dict[str, Future[Preview | None]]) -> Row:
        question = self._known(completion)
        future = asked.get(completion.id or "")
        if question is None and future is not None:
            question = future.result() if future.done() else None
        return Row(completion, question, answer_preview(completion))

    def _known(self, completion: Completion) -> Preview | None:
        if completion.input_messages is not None:
            return question_preview(completion.input_messages)
        with self._lock:
            found = self._kept.get(completion.id or "")
            if found is not None:
                self._kept.move_to_end(completion.id or "")
            return found

    def _question(self, completion: Completion, deadline: Deadline) -> Preview | None:
        assert completion.id is not None
        if deadline.has_passed:
            return None
        try:
            page = self._upstream.list_messages(completion.id, limit=MESSAGES, deadline=deadline)
        except UpstreamError:
            return None
        preview = question_preview(page.data)
        with self._lock:
            self._kept[completion.id] = preview
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return preview


def question_preview(messages: Iterable[Message]) -> Preview:
    """The first message of a user; of anybody when no user is among the first ones."""
    first = tuple(messages)
    asked = next((message for message in first if message.role == "user"), None)
    if asked is None:
        asked = first[0] if first else None
    return Preview(asked.plain_text if asked else "", _marks(first))


def answer_preview(completion: Completion) -> Preview:
    """The first choice that says something; marks of all of them."""
    messages = [choice.message for choice in completion.choices if choice.message]
    texts = (message.plain_text or _spoken(message) for message in messages)
    return Preview(next((text for text in texts if text.strip()), ""), _marks(messages))


def _spoken(message: Message) -> str:
    return next(
        (part.transcript or "" for part in message.parts if isinstance(part, Audio)),
        "",
    )


def _marks(messages: Iterable[Message]) -> tuple[str, ...]:
    """What the messages hold besides text; tool calls by the name of the tool."""
    marks: dict[str, None] = {}
    for message in messages:
        for part in message.parts:
            if isinstance(part, Image | InputAudio | Audio | File | Refusal):
                marks[_MARKS[type(part)]] = None
        for call in message.calls:
            marks[f"call:{getattr(call, 'name', None) or 'tool'}"] = None
    return tuple(marks)


_MARKS: Final = {
    Image: "image",
    InputAudio: "audio",
    Audio: "audio",
    File: "file",
    Refusal: "declined",
}
