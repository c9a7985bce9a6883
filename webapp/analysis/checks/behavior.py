"""Check the course of a run: loops, failures in a row, repeated texts, and prompts that change."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby
from typing import Final

from webapp.analysis.checks.rules import Found, call_rule, quote, rule
from webapp.analysis.checks.subject import Need, Subject, join_texts
from webapp.analysis.failures import find_result_failure
from webapp.analysis.naming import name_call, parse_arguments
from webapp.exact_json import Array, NotJson, Object, Value, parse, write_array, write_object
from webapp.messages import ToolCall
from webapp.transcript import CallEntry

SAME_CALLS: Final = 3
"""Equal batches in a row that are worth a finding; real agents retry twice."""

LOOPING_CALLS: Final = 5
FAILURES: Final = 3
_TAIL: Final = 2_048
_READ: Final = 8 * _TAIL
_REPEATED: Final = 0.06
"""The ratio to which the end of a repeated text is compressed: prose keeps a third, tables and code
a tenth."""

_MAX_ARGUMENTS: Final = 64 * 1024
_LEAST_CACHED: Final = 1_024
"""Tokens of the shortest prompt that OpenAI caches."""

_CHARACTERS_OF_A_TOKEN: Final = 4


@call_rule(
    "loop-identical",
    "warning",
    "The same call was made again and again",
    "The agent does not use the result; it goes on until its limit.",
    Need.CALLS,
)
def find_loops(subject: Subject) -> Iterator[Found]:
    # Further answers are alternatives to the first one.
    callers = [entry for entry in (*subject.entries, *subject.outputs[:1]) if entry.calls]
    # Equal batches have equal calls in any order.
    for _, group in groupby(callers, key=lambda entry: sorted(map(_identify, entry.calls))):
        batches = list(group)
        if len(batches) >= SAME_CALLS:
            call = batches[0].calls[0].call
            name = quote(getattr(call, "name", None) or "no name")
            made = [one for one in batches if one.choice is None]
            # A tool that is polled, or that reads on, returns something else each time.
            results = (
                "\0".join(join_texts(one.message) for call in entry.calls for one in call.results)
                for entry in made
            )
            is_idle = len(set(results)) <= 1
            between = subject.entries[
                subject.entries.index(made[0]) : subject.entries.index(made[-1])
            ]
            is_asked = any(one.message.speaker == "user" for one in between)
            yield Found(
                batches[0],
                f"{name} was called {len(batches)} times in a row with the same arguments.",
                "warning"
                if len(batches) >= LOOPING_CALLS and is_idle and not is_asked
                else "remark",
            )


@call_rule(
    "failures-in-a-row",
    "remark",
    f"{FAILURES} calls or more failed in a row",
    "The agent may be stuck; the first failure usually names the cause.",
    Need.CALLS,
)
def find_failures(subject: Subject) -> Iterator[Found]:
    answered = [call for entry in subject.entries for call in entry.calls if call.results]
    for is_failed, group in groupby(answered, key=_is_failed):
        calls = list(group)
        if is_failed and len(calls) >= FAILURES:
            yield Found(calls[0], f"{len(calls)} tool calls in a row failed, this one first.")


@rule(
    "cache-broken",
    "remark",
    "The prompt is not the continuation of the previous request's",
    "Servers cache the beginnings of prompts; all that follows a difference is computed anew.",
)
def find_broken_cache(subject: Subject) -> Iterator[Found]:
    parting = subject.parting
    usage = subject.completion.usage if subject.completion else None
    tokens = (usage.prompt_tokens if usage else None) or sum(
        entry.message.json.length // _CHARACTERS_OF_A_TOKEN for entry in subject.entries
    )
    if parting is None or parting.message is None or tokens < _LEAST_CACHED:
        return
    number = parting.message + 1
    place = next((entry for entry in subject.entries if entry.number == number), None)
    what = "in its calls, its media or its form"
    if parting.former_role and parting.role:
        what = f"in its role: {parting.former_role} became {parting.role}"
    elif parting.character is not None:
        before, after = quote(parting.before), quote(parting.after)
        what = f"at character {parting.character:,}: {before} became {after}"
    yield Found(
        place,
        f"Message {number:,} differs from the previous request {what}. A cache can have used no "
        f"more than the {int(100 * parting.share)} % of the prompt before it.",
    )


@rule(
    "text-loop",
    "warning",
    "The answer repeats itself",
    "The model fell into a loop; a penalty or another temperature may end it.",
)
def find_repetition(subject: Subject) -> Iterator[Found]:
    for entry in subject.outputs:
        whole = join_texts(entry.message)
        # Another rule reports white space, which pretty JSON is full of.
        text = " ".join(whole[-_READ:].split())[-_TAIL:]
        tail = text.encode("utf-8", "surrogatepass")
        is_line = not any(map(str.isalnum, text))
        if len(tail) < _TAIL or is_line or len(zlib.compress(tail)) >= _REPEATED * len(tail):
            continue
        if not _is_json(whole):
            yield Found(entry, "The end of the answer repeats itself.")


def _is_json(text: str) -> bool:
    """Return whether `text` is JSON from start to end, such as a matrix, perhaps in a fence."""
    text = text.strip().removeprefix("```json").removesuffix("```").strip()
    try:
        return text[:1] in ("[", "{") and bool(parse(text))
    except NotJson:
        return False


def _identify(entry: CallEntry) -> str:
    call = entry.call
    if not isinstance(call, ToolCall):
        return call.json.source
    text = call.arguments or ""
    if len(text) <= _MAX_ARGUMENTS:
        with suppress(NotJson, RecursionError):
            text = _write_canonical(parse_arguments(text))
    return f"{call.name}\0{text}"


def _write_canonical(value: Value) -> str:
    """Write JSON with the members of every object in the order of their names."""
    if isinstance(value, Object):
        members = sorted(
            f"{member.name.source}:{_write_canonical(member.value)}" for member in value.members
        )
        return write_object(members)
    if isinstance(value, Array):
        return write_array(map(_write_canonical, value.items))
    return value.source


def _is_failed(call: CallEntry) -> bool:
    name = name_call(call.call)
    return any(
        find_result_failure(result.message, tool=name.tool, program=name.program)
        for result in call.results
    )
