"""Find which choices of a completion are already among its messages."""

from __future__ import annotations

from collections.abc import Sequence

from webapp.completions import Completion
from webapp.messages import Call, Message, ToolCall
from webapp.messages.choices import Choice
from webapp.transcript.entries import Entry
from webapp.transcript.pairing import pair_results


def build_output_entries(choices: Sequence[Choice]) -> tuple[Entry, ...]:
    """Build the choices as entries, for servers that do not list them as messages."""
    entries = []
    for place, choice in enumerate(choices):
        entry = Entry(choice.message_or_empty, None, choice=choice, place=place)
        # Tools that the server ran have their results in the answer that called them.
        pair_results([entry])
        entries.append(entry)
    _count_ambiguous(entries, choices)
    return tuple(entries)


def _count_ambiguous(entries: Sequence[Entry], choices: Sequence[Choice]) -> None:
    """Number the entries of choices by their place if their indexes do not number them."""
    indexes = [choice.index for choice in choices]
    given = [index for index in indexes if index is not None]
    if len(set(indexes)) == len(indexes) and all(index < len(choices) for index in given):
        return
    places = {id(choice): place for place, choice in enumerate(choices)}
    for entry in entries:
        if entry.choice is not None:
            entry.counted_as = places[id(entry.choice)]


def mark_outputs(
    entries: Sequence[Entry],
    completion: Completion,
    *,
    tail: Sequence[Message],
    input_only: bool,
) -> tuple[Entry, ...]:
    """Mark the entries that are outputs, and build entries of the choices that no message repeats.

    `entries` end with the last message of the transcript, in request order; `tail` holds the
    last messages, as many as there are choices. If `input_only`, the server lists only the
    input, so even a last message equal to the answer is an input. Some servers repeat the
    answers after the input, and a few report how long the input is.
    """
    choices = completion.choices
    inputs = completion.input_messages
    if inputs is not None and entries and entries[-1].number is not None:
        listed = _mark_after(entries, len(inputs), choices)
    elif (
        input_only
        or len(tail) != len(choices)
        or (inputs is None and all(message.has_only_input_keys for message in tail))
        or not all(map(_is_answer, tail, choices))
    ):
        listed = 0
    else:
        for entry, choice in zip(reversed(entries), reversed(choices), strict=False):
            entry.choice = choice
        listed = len(choices)
    if listed:
        _count_ambiguous(entries, choices)
    return build_output_entries(choices)[listed:]


def _mark_after(entries: Sequence[Entry], inputs: int, choices: Sequence[Choice]) -> int:
    """Mark the entries numbered after the inputs, and count the choices up to the last of them.

    The first outputs may be on the page before.
    """
    listed = 0
    for entry in entries:
        place = -1 if entry.number is None else entry.number - 1 - inputs
        if 0 <= place < len(choices):
            entry.choice = choices[place]
            listed = place + 1
    return listed


def _is_answer(message: Message, choice: Choice) -> bool:
    answer = choice.message
    if answer is None or message.role != "assistant" or message.plain_text != answer.plain_text:
        return False
    if not message.calls or not answer.calls:
        return True
    return list(map(_identify_call, message.calls)) == list(map(_identify_call, answer.calls))


def _identify_call(call: Call) -> tuple[str | None, ...]:
    if isinstance(call, ToolCall):
        return call.id, call.name, call.arguments
    return (call.json.source,)
