"""Compare two completions, or two choices of one, message by message."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from webapp.analysis.differences import (
    Budget,
    Fingerprint,
    Row,
    align_messages,
    count_common_ends,
)
from webapp.completions import Completion
from webapp.messages import Message
from webapp.messages.choices import Choice
from webapp.reading.kept import KeptMessages
from webapp.reading.whole import WholeReader
from webapp.transcript import Entry, arrange, build_output_entries, mark_outputs
from webapp.upstream import Deadline, NotFound, Upstream


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two: the messages of a completion, and after them the choice at `place`.

    `listed` are the messages as far as they were read, of which the first `inputs` come before
    the answer; if they are not all, reading `can_go_on` when a reader asks again. `choice` is None
    if the completion has none.
    """

    completion_id: str
    completion: Completion
    listed: KeptMessages
    inputs: int
    can_go_on: bool
    place: int
    choice: Choice | None

    def choose(self, place: int) -> Side:
        """Return the same with another choice. Raises `NotFound` if there is none at `place`."""
        return replace(self, place=place, choice=_find_choice(self.completion, place))

    @property
    def is_whole(self) -> bool:
        """Whether all its messages were read."""
        return self.listed.is_whole

    @property
    def count(self) -> int:
        """The number of messages that are compared, the answer included."""
        return self.inputs + (self.choice is not None and self.is_whole)

    @cached_property
    def answer(self) -> Entry | None:
        """The choice as an entry of the transcript."""
        outputs = build_output_entries(self.completion.choices)
        return outputs[self.place] if outputs else None

    def find_entry(self, at: int) -> Entry:
        """Find the message at a place, from 0, with its number; it knows no results."""
        if at >= self.inputs:
            assert self.answer is not None
            return self.answer
        return arrange(tuple(self.listed.parse(at, at + 1)), first=at + 1, is_last=False)[0]

    def digest_sources(self) -> list[bytes]:
        """Hash the messages that are compared, without their ids."""
        pairs = zip(self.listed.ids, self.listed.sources, strict=False)
        sources = (
            source.replace(b'"%s"' % one.encode("utf-8", "surrogatepass"), b'""', 1)
            for one, source in islice(pairs, self.inputs)
        )
        digests = [hashlib.blake2b(source, digest_size=16).digest() for source in sources]
        if self.count > self.inputs and self.answer is not None:
            written = self.answer.message.json.source.encode("utf-8", "surrogatepass")
            digests.append(hashlib.blake2b(written, digest_size=16).digest())
        return digests

    def iter_messages(self, start: int, end: int) -> Iterator[Message]:
        """Yield the messages from one place to another (exclusive), the answer among them."""
        yield from self.listed.parse(start, min(end, self.inputs))
        if start <= self.inputs < end and self.answer is not None:
            yield self.answer.message


@dataclass(frozen=True, slots=True)
class Fold:
    """Equal messages in a row: `count` of them, from places `a` and `b` on, from 0.

    In `formal` of them, the JSON differs in ids of calls or in its form.
    """

    a: int
    b: int
    count: int
    formal: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The messages of two sides in order: equal ones in folds, others in rows."""

    sections: tuple[Fold | Row, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """The messages that differ."""
        return tuple(one for one in self.sections if isinstance(one, Row))

    @property
    def unchanged(self) -> int:
        return sum(one.count for one in self.sections if isinstance(one, Fold))

    @property
    def formal(self) -> int:
        """The number of unchanged messages whose JSON differs."""
        return sum(one.formal for one in self.sections if isinstance(one, Fold))

    def count(self, state: str) -> int:
        """Count the rows that are `changed`, `added` or `removed`."""
        return sum(row.state == state for row in self.rows)


def load_side(
    upstream: Upstream,
    reader: WholeReader,
    completion_id: str,
    place: int,
    deadline: Deadline,
) -> Side:
    """Load a completion with its messages, as far as the budget of the reader goes.

    Raises `NotFound` if the completion or its choice at `place`, from 0, is not there.
    """
    completion = upstream.retrieve_completion(completion_id, deadline=deadline)
    choices = completion.choices
    choice = _find_choice(completion, place)
    listed = reader.read_messages(completion_id, completion, deadline)
    inputs = len(listed.sources)
    if listed.is_whole and choices:
        start = max(0, inputs - len(choices))
        tail = tuple(listed.parse(start, inputs))
        entries = arrange(tail, first=start + 1, is_last=True)
        mark_outputs(entries, completion, tail=tail, input_only=reader.input_only)
        inputs -= sum(entry.choice is not None for entry in entries)
    return Side(
        completion_id=completion_id,
        completion=completion,
        listed=listed,
        inputs=inputs,
        can_go_on=not listed.is_whole and reader.keeps(completion_id),
        place=place,
        choice=choice,
    )


def _find_choice(completion: Completion, place: int) -> Choice | None:
    choices = completion.choices
    if place and place >= len(choices):
        raise NotFound(f"The completion has no choice {place + 1}.")
    return choices[place] if choices else None


def compare_sides(a: Side, b: Side, budget: Budget, *, is_exact: bool) -> Comparison:
    """Compare two sides.

    Messages of the same source at both ends are not parsed, so what two long transcripts have in
    common costs little.
    """
    head, tail = count_common_ends(a.digest_sources(), b.digest_sources())
    a_prints, b_prints = (
        [Fingerprint.of(one) for one in side.iter_messages(head, side.count - tail)]
        for side in (a, b)
    )
    sections: list[Fold | Row] = []
    _add_fold(sections, Fold(0, 0, head, 0))
    for row in align_messages(a_prints, b_prints, budget, is_exact=is_exact):
        at, to = (None if place is None else head + place for place in (row.a, row.b))
        if row.state != "equal" or at is None or to is None:
            sections.append(Row(at, to, row.state))
        else:
            _add_fold(sections, Fold(at, to, 1, int(not row.is_exact)))
    _add_fold(sections, Fold(a.count - tail, b.count - tail, tail, 0))
    return Comparison(tuple(sections))


def _add_fold(sections: list[Fold | Row], fold: Fold) -> None:
    """Add equal messages, to those before them if there are some."""
    last = sections[-1] if sections else None
    if isinstance(last, Fold):
        count, formal = last.count + fold.count, last.formal + fold.formal
        sections[-1] = Fold(last.a, last.b, count, formal)
    elif fold.count:
        sections.append(fold)


def find_common_input(a: Side, b: Side) -> Sequence[Message] | None:
    """Find the messages before both answers; None unless they are known to be the same."""
    if not (a.is_whole and b.is_whole) or a.inputs != b.inputs:
        return None
    messages = tuple(a.iter_messages(0, a.inputs))
    others = b.iter_messages(0, b.inputs)
    prints = [
        (Fingerprint.of(one).content, Fingerprint.of(other).content)
        for one, other in zip(messages, others, strict=True)
    ]
    return messages if all(one == other for one, other in prints) else None
