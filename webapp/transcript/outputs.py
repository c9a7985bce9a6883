"""The choices of a completion, and which of them stand among its messages already."""

from __future__ import annotations

from collections.abc import Sequence

from webapp.completions import Choice, Completion
from webapp.messages import Call, Message, ToolCall
from webapp.transcript.entries import CallEntry, Entry


def output_entries(choices: Sequence[Choice]) -> tuple[Entry, ...]:
    """The choices as entries of their own, for servers that do not list them as messages."""
    entries = []
    for place, choice in enumerate(choices):
        message = choice.message_or_empty
        entry = Entry(message, None, choice=choice, place=place)
        entry.calls = tuple(
            CallEntry(call, entry, position) for position, call in enumerate(message.calls, start=1)
        )
        entries.append(entry)
    return tuple(entries)


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
