"""Check that the arguments of calls are JSON, one object, and fit the schema of the tool."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from webapp.analysis.checks.rules import Found, call_rule, quote
from webapp.analysis.checks.subject import Need, Subject
from webapp.analysis.naming import parse_arguments
from webapp.exact_json import (
    Array,
    NotJson,
    Null,
    Number,
    Object,
    String,
    Value,
    find_extension,
    parse,
)
from webapp.messages import ToolCall
from webapp.transcript import CallEntry

MAX_CHARACTERS: Final = 512 * 1024
"""Longer arguments are not parsed."""

_MAX_EXACT: Final = 2**53
_MAX_GLUED: Final = 100
_NEXT_VALUE: Final = re.compile(r"\s*\{")


@call_rule(
    "args-invalid",
    "error",
    "Arguments are not JSON",
    "Clients that parse them fail, and so does the call.",
)
def find_invalid(subject: Subject) -> Iterator[Found]:
    for place, call, value, problem in _iter_arguments(subject):
        if value is not None:
            problem = find_extension(call.arguments or "")
        if problem is not None and not problem.at_end and _count_glued(place) < 2:
            yield Found(
                place, f"{problem.describe('The arguments')}.", detail=_point_at(place, problem)
            )


@call_rule(
    "args-not-text",
    "remark",
    "Arguments are not a text",
    "OpenAI refuses them when the message is sent back, and clients that parse a text fail.",
)
def find_not_texts(subject: Subject) -> Iterator[Found]:
    for place, call in subject.iter_tool_calls():
        json = call.json if isinstance(call.json, Object) else None
        called = (json.object("function") or json) if json else None
        if called is None or call.type not in ("function", "function_call"):
            continue
        given = called.get("arguments")
        if not isinstance(given, String | Null | None):
            yield Found(place, "The arguments are not a text; OpenAI takes them as JSON in a text.")


@call_rule(
    "args-cut",
    "error",
    "Arguments end in the middle",
    "The token limit or a broken stream ended them. The call was never complete, so no result "
    "can follow.",
)
def find_cut(subject: Subject) -> Iterator[Found]:
    for place, _, _, problem in _iter_arguments(subject):
        if problem is not None and problem.at_end:
            choice = place.caller.choice
            is_limit = choice is not None and choice.reached_limit
            why = "; the token limit was reached" if is_limit else ""
            yield Found(
                place,
                f"{problem.describe('The arguments')}{why}.",
                detail=_point_at(place, problem),
            )


@call_rule(
    "args-glued",
    "error",
    "Two calls were glued into one",
    "Most clients run only the first object, or none.",
)
def find_glued(subject: Subject) -> Iterator[Found]:
    for place, _, _, problem in _iter_arguments(subject):
        if problem is not None and (count := _count_glued(place)) > 1:
            yield Found(
                place,
                f"The arguments are {count} objects in a row; a server has glued {count} calls "
                "into one, and only the first would run.",
            )


@call_rule(
    "args-double-encoded",
    "warning",
    "Arguments are JSON in a JSON string",
    "Most tools receive a string in place of an object.",
)
def find_double_encoded(subject: Subject) -> Iterator[Found]:
    for place, call, value, _ in _iter_arguments(subject):
        if isinstance(value, String) and _parse_inner(value.text) is not None:
            yield Found(place, "The arguments are JSON inside a JSON string; tools see a string.")
        if not isinstance(value, Object):
            continue
        tool = next((tool for tool in subject.tools if tool.name == call.name), None)
        properties = tool.parameters.object("properties") if tool and tool.parameters else None
        for member in value.members if properties else ():
            schema = properties.object(member.name.text) if properties else None
            kinds = _list_types(schema) if schema else set()
            if "string" in kinds or not isinstance(member.value, String):
                continue
            inner = _parse_inner(member.value.text)
            wanted = "array" if isinstance(inner, Array) else "object"
            if inner is not None and wanted in kinds:
                yield Found(
                    place,
                    f"{quote(member.name.text)} is JSON inside a string, and the tool takes an "
                    f"{wanted}.",
                )


@call_rule(
    "args-empty",
    "remark",
    "A call has no arguments",
    "The API sends an empty string; clients that parse it as JSON fail.",
)
def find_empty(subject: Subject) -> Iterator[Found]:
    for place, call in subject.iter_tool_calls():
        if call.type in ("function", "function_call") and call.arguments == "":
            yield Found(place, "The arguments are an empty string, which is not JSON.")


@call_rule(
    "args-not-object",
    "warning",
    "Arguments are no object",
    "Functions take named arguments, so clients expect a JSON object.",
)
def find_not_object(subject: Subject) -> Iterator[Found]:
    for place, _, value, _ in _iter_arguments(subject):
        is_double = isinstance(value, String) and _parse_inner(value.text) is not None
        if value is not None and not isinstance(value, Object) and not is_double:
            kind = "an array" if isinstance(value, Array) else quote(value.source, 30)
            yield Found(place, f"The arguments are {kind}; a function takes a JSON object.")


@call_rule(
    "args-duplicate-name",
    "warning",
    "An argument occurs twice",
    "JSON parsers keep the last one and drop the others.",
)
def find_duplicate_names(subject: Subject) -> Iterator[Found]:
    for place, _, value, _ in _iter_arguments(subject):
        for holder in _iter_values(value):
            members = holder.members if isinstance(holder, Object) else ()
            counts = Counter(member.name.text for member in members)
            for name, count in counts.items():
                if count > 1:
                    yield Found(
                        place, f"{quote(name)} occurs {count} times; parsers keep the last one."
                    )


@call_rule(
    "args-number-rounded",
    "remark",
    "An argument is an integer beyond 2^53",
    "JavaScript and every parser that uses doubles round it.",
)
def find_rounded(subject: Subject) -> Iterator[Found]:
    for place, _, value, _ in _iter_arguments(subject):
        for one in _iter_values(value):
            integer = one.integer if isinstance(one, Number) else None
            if integer is not None and abs(integer) > _MAX_EXACT:
                yield Found(
                    place,
                    f"{quote(one.source)} exceeds 2^53; JavaScript rounds it. Send such ids as "
                    "strings.",
                )


@call_rule(
    "args-schema",
    "warning",
    "Arguments do not fit the schema of the tool",
    "Tools that validate refuse the call; others may misread it.",
    Need.TOOLS,
)
def find_misfits(subject: Subject) -> Iterator[Found]:
    parameters = {tool.name: tool.parameters for tool in subject.tools}
    if not any(parameters.values()):
        return
    # The validator takes a fifth of a second to load; most completions need none.
    from webapp.analysis.checks.schemas import (
        InvalidSchema,
        NotChecked,
        OutOfSteps,
        Schema,
        Steps,
    )

    schemas: dict[str, Schema] = {}
    steps = Steps()
    for place, call, value, _ in _iter_arguments(subject):
        name = call.name or ""
        expected = parameters.get(name)
        if not isinstance(value, Object) or expected is None:
            continue
        try:
            schema = schemas.get(name) or schemas.setdefault(name, Schema(expected, steps))
            fault = schema.find_mismatch(value)
        except InvalidSchema:
            continue
        except OutOfSteps as problem:
            yield Found(place, f"From here on no schema was applied: {problem}.", "remark")
            return
        except NotChecked as problem:
            yield Found(place, f"The schema of {quote(name)} was not applied: {problem}.", "remark")
            continue
        if fault is not None:
            yield Found(place, f"The arguments do not fit the schema of the tool: {fault}.")


def _iter_arguments(
    subject: Subject,
) -> Iterator[tuple[CallEntry, ToolCall, Value | None, NotJson | None]]:
    """Yield the calls of functions with arguments: parsed, or with the reason why they are not."""
    for place, call in subject.iter_tool_calls():
        text = call.arguments
        if call.type == "custom" or not text or len(text) > MAX_CHARACTERS:
            continue
        try:
            yield place, call, parse_arguments(text), None
        except NotJson as problem:
            yield place, call, None, problem


def _count_glued(place: CallEntry) -> int:
    """Count the objects that the arguments are, one after the other; return 0 if they are not."""
    rest = (place.call.arguments or "") if isinstance(place.call, ToolCall) else ""
    count = 0
    while count < _MAX_GLUED:
        try:
            parse(rest)
            return count + 1
        except NotJson as problem:
            position, is_cut = problem.position, problem.at_end
        try:
            parse(rest[:position])
        except NotJson:
            return 0
        rest = rest[position:]
        if is_cut or not _NEXT_VALUE.match(rest):
            return 0
        count += 1
    return count


def _list_types(schema: Object) -> set[str]:
    """List the types that a schema names, by itself or by the alternatives of an optional value."""
    holders = [schema]
    for name in ("anyOf", "oneOf"):
        holders += [one for one in schema.items(name) or () if isinstance(one, Object)]
    types: list[Value | None] = []
    for holder in holders:
        found = holder.get("type")
        types += found.items if isinstance(found, Array) else [found]
    return {one.text for one in types if isinstance(one, String)}


def _parse_inner(text: str) -> Array | Object | None:
    """Parse the array or object that `text` is the JSON of, None if it is another value."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value = parse(text)
    except NotJson:
        return None
    return value if isinstance(value, Array | Object) else None


def _point_at(place: CallEntry, problem: NotJson) -> str:
    """Quote the line of the problem with a caret under its place, cut to 80 characters."""
    text = (place.call.arguments or "") if isinstance(place.call, ToolCall) else ""
    start = text.rfind("\n", 0, problem.position) + 1
    end = text.find("\n", problem.position)
    line = text[start : end if end >= 0 else len(text)]
    column = problem.position - start
    first = max(0, column - 60)
    shown = line[first : first + 80].replace("\t", " ")
    return f"{shown}\n{' ' * (column - first)}^"


def _iter_values(value: Value | None) -> Iterator[Value]:
    """Yield `value` and every value in it, at any depth."""
    waiting = [] if value is None else [value]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, Object):
            waiting += [member.value for member in one.members]
        elif isinstance(one, Array):
            waiting += one.items
