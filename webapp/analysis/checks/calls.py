"""Check calls and their results: unanswered, answered twice, late or ambiguous."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from webapp.analysis.checks.rules import Found, call_rule, quote, rule
from webapp.analysis.checks.subject import MISTRAL, WRAPPERS, Need, Subject
from webapp.analysis.naming import is_cut_off
from webapp.exact_json import Object
from webapp.messages import ToolCall
from webapp.transcript import Entry

LONGEST_ID: Final = 40
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]+")
_MISTRAL_ID: Final = re.compile(r"[A-Za-z0-9]{9}")


@call_rule(
    "call-unanswered",
    "error",
    "A call has no result",
    "OpenAI refuses a request in which a tool call is not followed by its tool message.",
    Need.CALLS,
    Need.MESSAGES,
)
def find_unanswered(subject: Subject) -> Iterator[Found]:
    for entry in subject.entries:
        for call in entry.calls:
            if not call.results and not call.may_follow and isinstance(call.call, ToolCall):
                name = quote(call.call.name or "no name")
                yield Found(
                    call,
                    f"The call of {name} was never answered; if the conversation goes on, OpenAI "
                    "refuses it until a tool message follows.",
                )


@call_rule(
    "call-awaits",
    "remark",
    "The answer calls tools",
    "The next request must contain a tool message for each of these calls.",
)
def find_awaiting(subject: Subject) -> Iterator[Found]:
    for entry in subject.outputs:
        # Tools that the server ran have their results in the answer.
        calls = [call for call in entry.calls if not call.results]
        # A call that was cut off was never complete.
        if count := sum(not is_cut_off(call.call) for call in calls):
            what = "the result of this call" if count == 1 else f"the results of {count} calls"
            yield Found(entry, f"The model waits for {what}.")


@rule(
    "result-orphan",
    "error",
    "A result answers no call",
    "OpenAI refuses a tool message that follows no call with its id. Histories that were cut in "
    "the middle have such results.",
    Need.CALLS,
    Need.MESSAGES,
)
def find_orphans(subject: Subject) -> Iterator[Found]:
    for entry in subject.iter_results():
        if entry.answers is None:
            id = entry.message.tool_call_id
            which = f"No call before it has the id {quote(id)}" if id else "No call is before it"
            yield Found(entry, f"{which}; the history may have been cut in the middle.")


@call_rule(
    "result-duplicate",
    "error",
    "A call has two results",
    "OpenAI refuses the second tool message with the same tool_call_id.",
    Need.CALLS,
)
def find_duplicates(subject: Subject) -> Iterator[Found]:
    for call in subject.iter_calls():
        for result in call.results[1:]:
            yield Found(
                result, f"A further result of call {call.number}; the API refuses the second one."
            )


@call_rule(
    "result-late",
    "warning",
    "A message comes between a call and its result",
    "OpenAI refuses a request in which another message comes before the tool messages of a turn.",
    Need.CALLS,
)
def find_late(subject: Subject) -> Iterator[Found]:
    caller: Entry | None = None
    for entry in subject.entries:
        pieces = [piece for piece in (entry, *entry.pieces) if piece.answers is not None]
        for piece in pieces:
            if piece.answers is not None and piece.answers.caller is not caller:
                yield Found(
                    entry,
                    f"Other messages are between call {piece.answers.number} and this result; "
                    "OpenAI refuses that order.",
                )
                break
        if not pieces and not entry.message.is_tool_result:
            caller = entry


@rule(
    "result-without-id",
    "warning",
    "A tool message has no tool_call_id",
    "OpenAI requires it; Readback paired the result by its order.",
    Need.CALLS,
)
def find_results_without_id(subject: Subject) -> Iterator[Found]:
    for entry in subject.iter_results():
        if entry.message.role == "tool" and not entry.message.tool_call_id:
            yield Found(entry, "This tool message names no call; OpenAI requires a tool_call_id.")


@call_rule(
    "call-id-repeated",
    "error",
    "Two calls of a message share an id",
    "A result can name only one of them, so the other cannot be answered.",
)
def find_repeated_ids(subject: Subject) -> Iterator[Found]:
    for entry in (*subject.entries, *subject.outputs):
        counts = Counter(call.call.id for call in entry.calls if call.call.id)
        for id, count in counts.items():
            if count > 1:
                yield Found(
                    entry,
                    f"{count} calls have the id {quote(id)}; only one of them can be answered.",
                )


@call_rule(
    "call-id-reused",
    "remark",
    "The id of a call was used before",
    "OpenAI accepts it; Mistral and the Responses API do not.",
    Need.CALLS,
)
def find_reused_ids(subject: Subject) -> Iterator[Found]:
    seen: dict[str, str] = {}
    for entry in (*subject.entries, *subject.outputs):
        # Two calls of one message with one id are another finding.
        of_message: dict[str, str] = {}
        for call in entry.calls:
            if id := call.call.id:
                of_message[id] = call.number
                if id in seen:
                    yield Found(call, f"Call {seen[id]} has the id {quote(id)} too.")
        seen |= of_message


@call_rule(
    "call-id-long",
    "warning",
    f"The id of a call is longer than {LONGEST_ID} characters",
    "OpenAI refuses it when the call is sent back.",
)
def find_long_ids(subject: Subject) -> Iterator[Found]:
    for call in subject.iter_calls():
        length = len(call.call.id or "")
        if length > LONGEST_ID:
            yield Found(
                call,
                f"The id has {length:,} characters; OpenAI refuses more than {LONGEST_ID} when it "
                "is sent back.",
            )


@call_rule(
    "call-id-mistral",
    "warning",
    "The id of a call is not of the form that Mistral takes",
    "Mistral takes ids of exactly nine letters or digits.",
)
def find_ids_mistral_refuses(subject: Subject) -> Iterator[Found]:
    if not MISTRAL.search(subject.model):
        return
    for call in subject.iter_calls():
        if call.call.id and not _MISTRAL_ID.fullmatch(call.call.id):
            yield Found(call, f"Mistral refuses the id {quote(call.call.id)} when it is sent back.")


@call_rule(
    "call-name",
    "warning",
    "The name of a call is not accepted when it is sent back",
    "OpenAI takes letters, digits, `_` and `-`, and refuses an empty name.",
)
def find_names_to_refuse(subject: Subject) -> Iterator[Found]:
    defined = {tool.name for tool in subject.tools}
    for place, call in subject.iter_tool_calls():
        # The wrong name of a defined tool is a finding about its definition. Servers that fill all
        # fields send an empty `function_call` beside a text.
        is_filler = call.name is None and not call.id and not (call.arguments or "").strip()
        if call.type != "function" or is_filler or call.name in defined:
            continue
        if not call.name:
            yield Found(place, "The call names no tool; OpenAI refuses the empty name.")
        elif not _NAME.fullmatch(call.name) and call.name not in WRAPPERS:
            yield Found(
                place,
                f"OpenAI refuses the name {quote(call.name)} when the call is sent back: it takes "
                "letters, digits, `_` and `-`.",
            )


@rule(
    "calls-empty",
    "remark",
    "The list of calls is empty",
    "OpenAI refuses an empty `tool_calls` when the message is sent back; leave it out.",
)
def find_empty_lists(subject: Subject) -> Iterator[Found]:
    empty = [
        entry
        for entry in (*subject.entries, *subject.outputs)
        if isinstance(entry.message.json, Object) and entry.message.json.items("tool_calls") == ()
    ]
    if empty:
        others = f", as in {len(empty) - 1} more messages" if len(empty) > 1 else ""
        yield Found(
            empty[0],
            f"`tool_calls` is an empty list{others}; OpenAI refuses it when it is sent back.",
        )
