"""A transcript: input messages and output choices in reading order, calls beside results.

Pure: takes values, gives values. It never drops or reorders a message. A result stands under
its call only where that keeps the order of the messages; elsewhere the two name each other.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from webapp.completions import Choice, Completion
from webapp.messages import Call, Message, ToolCall


@dataclass(slots=True, eq=False)
class Entry:
    """One message at its place.

    `number` counts from 1 in request order, None when the place is not known; `calls` are the
    message's own, with their results; `answers` is the call this message is the result of.
    `choice` is set when the message is an output, `place` (from 0) when it stands only among
    the choices of the completion and not among its messages.
    """

    message: Message
    number: int | None
    calls: tuple[CallEntry, ...] = ()
    answers: CallEntry | None = None
    choice: Choice | None = None
    place: int | None = None
    nested: bool = False

    @property
    def anchor(self) -> str:
        """The DOM id: our own numbers, never text from the message."""
        if self.place is not None:
            return f"choice-{self.place}"
        if self.number is not None:
            return f"m-{self.number}"
        digest = hashlib.sha256(self.message.json.source.encode("utf-8", "surrogatepass"))
        return f"m-x{digest.hexdigest()[:12]}"

    @property
    def choice_number(self) -> int:
        """The number of the choice, from 1: by its index, or its place when that is absurd."""
        index = self.choice.index if self.choice else None
        if index is None or not 0 <= index < 10_000:
            index = self.place or 0
        return index + 1


@dataclass(slots=True, eq=False)
class CallEntry:
    """One tool call with the results found for it.

    `inferred` tells that the server did not say which call the results answer and the order
    decided. `may_follow` tells that the result may stand on a page not seen here.
    """

    call: Call
    caller: Entry
    position: int
    results: list[Entry] = field(default_factory=list)
    inferred: bool = False
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


def first_number(completion_id: str, messages: Sequence[Message], order: str) -> int | None:
    """The number, from 1, of the first of `messages`, if their ids tell.

    Servers name a message `{completion_id}-{index}`, some `{completion_id}-msg-{index}`. The
    ids are believed only when they count on without a gap.
    """
    indexes = [message_index(completion_id, message.id) for message in messages]
    if not indexes or indexes[0] is None:
        return None
    step = 1 if order == "asc" else -1
    expected = range(indexes[0], indexes[0] + step * len(indexes), step)
    return indexes[0] + 1 if indexes == list(expected) else None


def message_index(completion_id: str, message_id: str | None) -> int | None:
    """The index, from 0, that a message id names; None when it names none."""
    pattern = re.escape(completion_id) + r"-(?:msg-)?([0-9]{1,9})"
    match = re.fullmatch(pattern, message_id or "")
    return int(match[1]) if match else None


def arrange(
    messages: Sequence[Message], *, first: int | None, order: str = "asc", is_last: bool = True
) -> tuple[Entry, ...]:
    """`messages`, in the order given, as entries with calls and results paired.

    `first` is the number of the first one; `is_last` tells that no message follows in request
    order, so that a call without a result really has none.
    """
    step = 1 if order == "asc" else -1
    entries = tuple(
        Entry(message, None if first is None else first + step * place)
        for place, message in enumerate(messages)
    )
    for entry in entries:
        entry.calls = tuple(
            CallEntry(call, entry, position)
            for position, call in enumerate(entry.message.calls, start=1)
        )
    chronological = entries if order == "asc" else entries[::-1]
    _pair(chronological)
    if order == "asc":
        _nest(entries)
    for call in (call for entry in entries for call in entry.calls):
        call.may_follow = not call.results and not is_last
    return entries


def _pair(entries: Sequence[Entry]) -> None:
    """Finds for every tool result the call it answers: by id, else by name or order."""
    calls: list[CallEntry] = []
    for entry in entries:
        if entry.message.is_tool_result:
            _answer(entry, calls)
        calls.extend(entry.calls)


def _answer(entry: Entry, calls: Sequence[CallEntry]) -> None:
    wanted = entry.message.tool_call_id
    if wanted:
        named = [call for call in calls if _call_id(call) == wanted]
        # Ids are not always unique: the first call still without a result comes first.
        found = next((call for call in named if not call.results), named[-1] if named else None)
    else:
        found = _by_order(entry, calls)
    if found is None:
        return
    entry.answers = found
    found.results.append(entry)
    found.inferred = found.inferred or not wanted


def _by_order(entry: Entry, calls: Sequence[CallEntry]) -> CallEntry | None:
    """The first call of the last turn that is still open and does not contradict the name."""
    if not calls:
        return None
    turn = [call for call in calls if call.caller is calls[-1].caller and not call.results]
    name = entry.message.name
    return next((call for call in turn if name is None or _call_name(call) in (None, name)), None)


def _call_id(call: CallEntry) -> str | None:
    return call.call.id if isinstance(call.call, ToolCall) else None


def _call_name(call: CallEntry) -> str | None:
    return call.call.name if isinstance(call.call, ToolCall) else None


def _nest(entries: Sequence[Entry]) -> None:
    """Puts results under their calls while they directly follow, in the order of the calls."""
    caller: Entry | None = None
    reached = 0
    for entry in entries:
        answered = entry.answers
        if answered is None:
            caller, reached = (entry, 0) if entry.calls else (None, 0)
        elif answered.caller is caller and answered.position >= reached:
            entry.nested = True
            reached = answered.position
        else:
            caller = None


def output_entries(choices: Sequence[Choice]) -> tuple[Entry, ...]:
    """The choices as entries of their own, for servers that do not list them as messages."""
    entries = []
    for place, choice in enumerate(choices):
        message = choice.message or Message.from_json(choice.json)
        entry = Entry(message, None, choice=choice, place=place)
        entry.calls = tuple(
            CallEntry(call, entry, position) for position, call in enumerate(message.calls, start=1)
        )
        entries.append(entry)
    return tuple(entries)


def top_level(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries that stand for themselves: all but the results shown under their calls."""
    return tuple(entry for entry in entries if not entry.nested)


def mark_outputs(
    entries: Sequence[Entry],
    completion: Completion,
    *,
    tail: Sequence[Message],
    input_only: bool,
) -> tuple[Choice, ...]:
    """Marks the entries that are outputs; gives the choices that stand in no message.

    `entries` end with the last message of the transcript, in request order; `tail` holds the
    last messages, as many as there are choices. `input_only` tells that the server is known
    to list only the input; then even a last message equal to the answer is a real input.
    Some servers repeat the answers after the input, and a few say where those begin.
    """
    choices = completion.choices
    inputs = completion.input_messages
    if inputs is not None and entries and entries[-1].number is not None:
        return _mark_after(entries, len(inputs), choices)
    plain = inputs is None and all(message.has_only_input_keys for message in tail)
    if input_only or plain:
        return choices
    if len(tail) != len(choices) or not all(map(_is_answer, tail, choices)):
        return choices
    for entry, choice in zip(reversed(entries), reversed(choices), strict=False):
        entry.choice = choice
    return ()


def _mark_after(
    entries: Sequence[Entry], inputs: int, choices: tuple[Choice, ...]
) -> tuple[Choice, ...]:
    """Outputs are the entries numbered beyond the inputs; those beyond the last one remain.

    The first outputs may stand on the page before, so not only those seen here are told off.
    """
    listed = 0
    for entry in entries:
        place = -1 if entry.number is None else entry.number - 1 - inputs
        if 0 <= place < len(choices):
            entry.choice = choices[place]
            listed = place + 1
    return choices[listed:]


def _is_answer(message: Message, choice: Choice) -> bool:
    answer = choice.message
    if answer is None or message.role != "assistant" or message.plain_text != answer.plain_text:
        return False
    if not message.calls or not answer.calls:
        return True
    return [_written(call) for call in message.calls] == [_written(call) for call in answer.calls]


def _written(call: Call) -> tuple[str | None, ...]:
    if isinstance(call, ToolCall):
        return call.id, call.name, call.arguments
    return (call.json.source,)
