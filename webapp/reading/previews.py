"""Preview completions in a list: the first words asked and answered, and kinds of content.

The list operation returns the answer only; the question takes one more request each. These are
made side by side, small and without retries; lists that need one at the same time share it. Their
results are kept by the id and the answer, since input never changes, unless the completion is so
new that its input may not be whole yet. A question that does not come in time is left out for a
while; the list never waits longer for it. One that is too large is left out for good: the server
would read all of it for each list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from math import inf
from threading import Lock
from typing import Final, TypeAlias

from webapp import exact_json
from webapp.analysis import Failure, find_answer_failure
from webapp.completions import Completion, scalar_text
from webapp.exact_json import Array, NotJson, Object, Value
from webapp.messages import (
    Audio,
    File,
    Image,
    InputAudio,
    Message,
    Reasoning,
    RedactedReasoning,
    Refusal,
    name_part,
    split_reasoning,
)
from webapp.monitoring.request_ids import RequestPool
from webapp.reading.kept import digest_answer
from webapp.recent import RecentValues
from webapp.upstream import (
    Deadline,
    End,
    TimedOut,
    TooLarge,
    Upstream,
    UpstreamError,
    canonicalize,
    spoil_answers,
    without_noting,
)

_MAX_READ: Final = 8_000
_MAX_JSON: Final = 256 * 1024
_MAX_SHOWN: Final = 300
_MAX_LEAVES: Final = 8
_MAX_DEPTH: Final = 4

_ONLY_REASONING: Final = "No answer, only reasoning"

_FENCE: Final = re.compile(r"\s{0,3}(?:```|~~~)")
_FENCED_JSON: Final = re.compile(
    r"\s*```(?:json)?[ \t]*\n(.*?)\n?```\s*", re.DOTALL | re.IGNORECASE
)
_LINE_MARKS: Final = re.compile(
    r"(?:\s|>){0,20}(#{1,6}\s+|[-*+•]\s+(?:\[[ xX]\]\s+)?|\d{1,3}[.)]\s+|\|)?"
)
_RULE: Final = re.compile(r"[\s|:=*_-]+")
_LINK: Final = re.compile(r"!?\[([^\[\]]{0,200})\]\([^()\s]{0,1000}\)")
_INLINE_MARKS: Final = re.compile(r"\*\*|__|~~|`|(?<!\w)[*_](?=\w)|(?<=[\w.,!?])[*_](?!\w)")
_SENTENCE_END: Final = re.compile(r"(\S{0,20}?)[.!?…:]{1,6}[\"'”’)\]]{0,4}\s+|[。！？]\s*")
_ABBREVIATION: Final = re.compile(
    r"(?:.*\W)?(?:[a-z]|\w\.\w|etc|vs|dr|mrs?|ms|prof|st|no|fig|approx|cf|al|inc|ltd|jr|sr|bzw|ca)",
    re.IGNORECASE,
)
_OPENING: Final = re.compile(
    r"let\b.*|(?:sure|certainly|of course|absolutely|okay|ok|alright|got it|great|hello|hi|thanks"
    r"|thank you)\b[^.:]{0,40}\W*|(?:here|below)(?:['’]s| is| are)\b[^.]{0,120}:\s*",
    re.IGNORECASE | re.DOTALL,
)

MESSAGES: Final = 4
"""Messages requested for a preview: the question comes after a system prompt or two."""

SECONDS: Final = 3.0
"""The time that all questions of a list may take."""

_PAUSE_SECONDS: Final = 30.0
"""How long a question is left out that did not come in time: many lists would wait for it."""

_Key: TypeAlias = tuple[str, str]

_MAX_KEPT: Final = 2_000
_THREADS: Final = 8


def find_gist(text: str) -> str:
    """Find the first words of `text` that say something, without the marks of Markdown.

    Sentences that only open an answer ("Sure!", "Let me see.") are passed over, as are headings,
    tables and code, unless there is nothing else. JSON is summarized by its values.
    """
    fenced = _FENCED_JSON.fullmatch(text) if len(text) <= _MAX_JSON else None
    if summary := _summarize_json(fenced[1] if fenced else text):
        return summary
    prose, others = _split_blocks(text[:_MAX_READ])
    opening = ""
    for block in prose:
        rest = block
        while rest:
            sentence = rest[: _find_end(rest)]
            if any(map(str.isalnum, sentence)):
                if not _OPENING.fullmatch(sentence):
                    goes_on = rest.endswith(":") and len(prose) + len(others) > 1
                    return _cut(f"{rest} …" if goes_on else rest)
                opening = opening or rest
            rest = rest[len(sentence) :]
    return _cut(opening or next(iter((*others, *prose)), ""))


def _split_blocks(text: str) -> tuple[list[str], list[str]]:
    """Split a text into paragraphs and items of lists, and the headings, rows and lines of code."""
    prose: list[str] = []
    others: list[str] = []
    is_code = is_open = False
    for line in text.splitlines():
        if _FENCE.match(line):
            is_code, is_open = not is_code, False
            continue
        marks = _LINE_MARKS.match(line)
        mark = (marks[1] or "") if marks else ""
        words = line[marks.end() if marks and not is_code else 0 :]
        if not is_code:
            words = _INLINE_MARKS.sub("", _LINK.sub(r"\1", words))
        if not words.strip() or (not is_code and _RULE.fullmatch(line)):
            is_open = False
        elif is_code or mark.startswith(("#", "|")):
            others.append(" ".join(words.replace("|", " ").split()))
            is_open = False
        elif is_open and not mark:
            prose[-1] += f" {' '.join(words.split())}"
        else:
            prose.append(" ".join(words.split()))
            is_open = True
    return prose, others


def _find_end(block: str) -> int:
    for end in _SENTENCE_END.finditer(block):
        if not (end[1] and end[0].rstrip().endswith(".") and _ABBREVIATION.fullmatch(end[1])):
            return end.end()
    return len(block)


def _summarize_json(text: str) -> str:
    """Summarize a JSON object or list by its first values with names; empty if it is not JSON."""
    if text.lstrip()[:1] not in ("{", "[") or len(text) > _MAX_JSON:
        return ""
    try:
        value = exact_json.parse(text)
    except NotJson:
        return ""
    return _cut(", ".join(islice(_iter_leaves(value, "", 0), _MAX_LEAVES)))


def _iter_leaves(value: Value, name: str, depth: int) -> Iterator[str]:
    if isinstance(value, Object) and depth < _MAX_DEPTH:
        for member in value.members:
            yield from _iter_leaves(member.value, member.name.text, depth + 1)
    elif isinstance(value, Array) and value.items:
        count = f"{len(value.items):,} {'item' if len(value.items) == 1 else 'items'}"
        yield f"{name}: {count}" if name else count
        if depth == 0:
            yield from _iter_leaves(value.items[0], "", 1)
    else:
        plain = " ".join((scalar_text(value) or "")[:400].split())
        if plain:
            plain = plain if len(plain) <= 80 else f"{plain[:79]}…"
            yield f"{name}: {plain}" if name else plain


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


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
        self._kept: RecentValues[_Key, Preview] = RecentValues(_MAX_KEPT)
        self._left_out_until: RecentValues[_Key, float] = RecentValues(_MAX_KEPT)
        self._asked: dict[_Key, Future[Preview]] = {}
        self._lock = Lock()

    def build_rows(self, completions: Sequence[Completion], deadline: Deadline) -> tuple[Row, ...]:
        """Build a row for each completion, in order, within `SECONDS` and the deadline."""
        clock = self._upstream.clock
        limit = Deadline.after(min(SECONDS, deadline.remaining()), clock=clock)
        keys = [_find_key(one) for one in completions]
        pauses = [self._left_out_until.get(key) or 0.0 for key in keys]
        with without_noting():
            questions = [
                self._share_request(key, one, limit)
                if one.id and pause <= clock.monotonic() and self._find_question(one, key) is None
                else None
                for one, key, pause in zip(completions, keys, pauses, strict=True)
            ]
        wait([future for future in questions if future is not None], timeout=limit.remaining())
        rows = []
        for completion, key, future in zip(completions, keys, questions, strict=True):
            question = self._find_question(completion, key)
            if question is None and future is not None and future.done():
                # A question that could not be read is left out of the row.
                with suppress(UpstreamError):
                    question = future.result()
            rows.append(Row(completion, question, preview_answer(completion)))
        if any(
            row.question is None and pause != inf for row, pause in zip(rows, pauses, strict=True)
        ) or any(
            self._upstream.may_be_unfinished(one.created)
            for one in completions
            if one.input_messages is None
        ):
            spoil_answers()
        return tuple(rows)

    def _find_question(self, completion: Completion, key: _Key) -> Preview | None:
        """Find the question if it is there without a request."""
        if completion.input_messages is not None:
            messages = completion.input_messages
            return replace(preview_question(messages), messages=f"{len(messages):,}")
        return self._kept.get(key)

    def _share_request(
        self, key: _Key, completion: Completion, deadline: Deadline
    ) -> Future[Preview]:
        """Request a question, unless another list has done so and waits for it."""
        with self._lock:
            asked = self._asked.get(key)
            if asked is None:
                asked = self._pool.submit(self._request_question, key, completion, deadline)
                self._asked[key] = asked
        asked.add_done_callback(lambda _: self._forget(key))
        return asked

    def _forget(self, key: _Key) -> None:
        with self._lock:
            asked = self._asked.get(key)
            if asked is not None and asked.done():
                del self._asked[key]

    def _request_question(self, key: _Key, completion: Completion, deadline: Deadline) -> Preview:
        try:
            page = self._upstream.list_messages(key[0], limit=MESSAGES, deadline=deadline)
        except TooLarge:
            self._left_out_until.keep(key, inf, 1)
            raise
        except TimedOut:
            self._left_out_until.keep(key, self._upstream.clock.monotonic() + _PAUSE_SECONDS, 1)
            raise
        first = canonicalize(page, limit=MESSAGES)
        count = first.total or (len(first.items) if first.end is End.PROVED else None)
        is_known = count is not None and first.end is not End.CLAIMED
        messages = f"{count:,}" if is_known else f"{len(first.items)}+"
        preview = replace(preview_question(first.items), messages=messages)
        if not self._upstream.may_be_unfinished(completion.created):
            self._kept.keep(key, preview, 1)
        return preview


def _find_key(completion: Completion) -> _Key:
    """Find the key of a question: the id and the answer, which is not read if no key is needed."""
    has_question = completion.input_messages is not None
    return completion.id or "", "" if has_question else digest_answer(completion)


def preview_question(messages: Iterable[Message]) -> Preview:
    """Preview the first message of a user, of anybody if no user is among the first ones."""
    first = tuple(messages)
    asked = next((message for message in first if message.speaker == "user"), None)
    if asked is None:
        asked = first[0] if first else None
    marks = _list_marks(first)
    if asked is None or asked.plain_text.strip() or marks:
        return Preview(asked.plain_text if asked else "", marks)
    return Preview("", asked.part_names)


def preview_answer(completion: Completion) -> Preview:
    """Preview the gist of the first choice with text or a transcript, and the marks of all.

    An answer that consists of reasoning alone is named as such.
    """
    messages = [choice.message for choice in completion.choices if choice.message]
    marks = _list_marks(messages)
    is_reasoned = False
    for message in messages:
        spoken = (part.transcript or "" for part in message.parts if isinstance(part, Audio))
        text = message.said or next(spoken, "")
        # Reasoning without an answer after it is not removed.
        is_reasoning = message.is_of_model and split_reasoning(text) is not None
        if text.strip() and not is_reasoning:
            return Preview(find_gist(text), marks)
        kinds = Reasoning | RedactedReasoning
        is_reasoned |= is_reasoning or any(isinstance(part, kinds) for part in message.parts)
    if is_reasoned and not marks:
        return Preview(_ONLY_REASONING, ())
    names = dict.fromkeys(name for message in messages for name in message.part_names)
    return Preview("", marks or tuple(names))


def _list_marks(messages: Iterable[Message]) -> tuple[str, ...]:
    """List the media and refusals beside texts, and tool calls by the name of the tool."""
    marks: dict[str, None] = {}
    for message in messages:
        for part in message.parts:
            if isinstance(part, Image | InputAudio | Audio | File | Refusal):
                marks[name_part(part)] = None
        for call in message.calls:
            marks[f"call:{getattr(call, 'name', None) or 'tool'}"] = None
    return tuple(marks)
