"""Check the definitions of tools, and the answer against the request's settings for them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from webapp.analysis.checks.rules import Found, Severity, call_rule, quote, rule, tool_rule
from webapp.analysis.checks.subject import WRAPPERS, Need, Subject
from webapp.exact_json import Array, Boolean, NotJson, Null, Object, String, Value, parse

MAX_TOOLS: Final = 128
LONGEST_DESCRIPTION: Final = 1_024
_DEFINED: Final = ("tools", "functions")
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_OF_OPENAI: Final = re.compile(r"(?:openai/)?(?:ft:)?(?:gpt-|o[0-9]|chatgpt)")


@call_rule(
    "tool-unknown",
    "warning",
    "A call names a tool that was not offered",
    "Most clients answer such a call with an error.",
    Need.TOOLS,
)
def find_unknown(subject: Subject) -> Iterator[Found]:
    offered = {tool.name for tool in subject.tools}
    for place, call in subject.iter_tool_calls():
        is_wrapper = call.name in WRAPPERS and "tool_uses" in (call.arguments or "")
        if call.name is not None and call.name not in offered and not is_wrapper:
            # A client that answered the call knew the tool, perhaps from an earlier request.
            yield Found(
                place,
                f"No tool {quote(call.name)} was offered in the request.",
                "remark" if place.results else None,
            )


@call_rule(
    "tool-wrapper",
    "warning",
    "OpenAI's internal wrapper of parallel calls leaked",
    "The calls are inside its `tool_uses`; no client knows a tool of that name.",
)
def find_wrapper(subject: Subject) -> Iterator[Found]:
    for place, call in subject.iter_tool_calls():
        if call.name not in WRAPPERS:
            continue
        try:
            value = parse(call.arguments or "")
        except NotJson:
            continue
        uses = value.items("tool_uses") if isinstance(value, Object) else None
        if uses is not None:
            number = "one call" if len(uses) == 1 else f"{len(uses)} calls"
            yield Found(
                place,
                f"{quote(call.name or '')} is OpenAI's internal wrapper of parallel calls; the "
                f"real ones ({number}) are inside.",
            )


@rule(
    "tool-name",
    "warning",
    "The name of a tool is not accepted everywhere",
    "OpenAI takes letters, digits, `_` and `-`, at most 64.",
)
def find_names(subject: Subject) -> Iterator[Found]:
    names = [tool.name for tool in subject.tools if tool.type in ("function", "custom")]
    for name in dict.fromkeys(names):
        if not _NAME.fullmatch(name):
            yield Found(
                None,
                f"The tool name {quote(name)} is refused by OpenAI, which takes letters, digits, "
                "`_` and `-`, at most 64.",
            )
    settings = subject.completion.settings if subject.completion else ()
    for setting in settings:
        field, value = setting.name.text, setting.value
        if field not in _DEFINED or not isinstance(value, Array):
            continue
        if count := sum(_lacks_name(one, field) for one in value.items):
            what = "A function" if count == 1 else f"{count} functions"
            has = "has" if count == 1 else "have"
            yield Found(None, f"{what} in `{field}` {has} no name; OpenAI refuses the request.")


def _lacks_name(tool: Value, field: str) -> bool:
    """Return whether a function has no name; other tools, which servers run, need none."""
    if not isinstance(tool, Object):
        return False
    inner = tool.object("function")
    is_function = field == "functions" or inner is not None or tool.text("type") == "function"
    return is_function and (inner or tool).text("name") is None


@tool_rule(
    "tool-defined-twice",
    "warning",
    "Two tools have one name",
    "OpenAI refuses such a request; elsewhere one of them hides the other.",
)
def find_defined_twice(subject: Subject) -> Iterator[Found]:
    counts = Counter(tool.name for tool in subject.tools)
    for name, count in counts.items():
        if count > 1:
            yield Found(None, f"{count} tools have the name {quote(name)}.")


@tool_rule(
    "tools-many",
    "warning",
    f"The request has more than {MAX_TOOLS} tools",
    "OpenAI refuses such a request.",
)
def find_many(subject: Subject) -> Iterator[Found]:
    if len(subject.tools) > MAX_TOOLS:
        yield Found(
            None, f"The request has {len(subject.tools):,} tools; OpenAI takes {MAX_TOOLS}."
        )


@tool_rule(
    "tool-description-long",
    "remark",
    f"The description of a tool is longer than {LONGEST_DESCRIPTION:,} characters",
    "Some models of OpenAI refuse it.",
)
def find_long_descriptions(subject: Subject) -> Iterator[Found]:
    for tool in subject.tools:
        length = len(tool.definition.text("description") or "")
        if length > LONGEST_DESCRIPTION:
            yield Found(
                None,
                f"The description of {quote(tool.name)} has {length:,} characters; some models "
                f"of OpenAI refuse more than {LONGEST_DESCRIPTION:,}.",
            )


@tool_rule(
    "tool-schema",
    "warning",
    "The parameters of a tool are no JSON Schema",
    "OpenAI refuses such a request.",
)
def find_schema_faults(subject: Subject) -> Iterator[Found]:
    if not subject.tools:
        return
    # The validator takes a fifth of a second to load; most completions need none.
    from webapp.analysis.checks.schemas import (
        InvalidSchema,
        NotChecked,
        OutOfSteps,
        Schema,
        Steps,
    )

    steps = Steps()
    for tool in subject.tools:
        given = tool.definition.get("parameters")
        if tool.parameters is None:
            if given is not None and not isinstance(given, Null):
                yield Found(None, f"The parameters of {quote(tool.name)} are not an object.")
            continue
        kind = tool.parameters.get("type")
        if isinstance(kind, String) and kind.text != "object":
            yield Found(
                None,
                f"The parameters of {quote(tool.name)} have the type {quote(kind.text)}; OpenAI "
                "takes `object`.",
            )
            continue
        try:
            Schema(tool.parameters, steps)
        except InvalidSchema as fault:
            yield Found(None, f"The parameters of {quote(tool.name)} are no JSON Schema: {fault}.")
        except OutOfSteps:
            return
        except NotChecked:
            continue


@tool_rule(
    "tool-schema-gaps",
    "warning",
    "The parameters of a tool lack what OpenAI demands",
    "OpenAI refuses parameters without `properties`, and any array without `items`.",
)
def find_gaps(subject: Subject) -> Iterator[Found]:
    severity: Severity | None = None if _OF_OPENAI.match(subject.model) else "remark"
    for tool in subject.tools:
        if tool.parameters is None or tool.type != "function":
            continue
        gap = next(_iter_gaps(tool.parameters), None)
        if gap is not None:
            yield Found(
                None,
                f"In the parameters of {quote(tool.name)}, {gap}; OpenAI refuses the request.",
                severity,
            )


@rule(
    "tool-strict",
    "warning",
    "A schema breaks the rules of strict mode",
    "Strict mode needs every property in `required`, and `additionalProperties: false`.",
)
def find_loose_strict_schemas(subject: Subject) -> Iterator[Found]:
    for tool in subject.tools:
        if tool.definition.boolean("strict") and tool.parameters is not None:
            for fault in _iter_strict_faults(tool.parameters):
                yield Found(
                    None, f"{quote(tool.name)} is strict, and {fault}; OpenAI refuses the schema."
                )
                break
    asked = subject.get_setting("response_format")
    holder = asked.object("json_schema") if isinstance(asked, Object) else None
    if holder and holder.boolean("strict") and subject.response_schema is not None:
        for fault in _iter_strict_faults(subject.response_schema):
            yield Found(None, f"`response_format` is strict, and {fault}; OpenAI refuses it.")
            break


@call_rule(
    "parallel-off",
    "warning",
    "Parallel calls were switched off, and several came",
    "Clients that rely on the setting run only the first.",
)
def find_parallel(subject: Subject) -> Iterator[Found]:
    asked = subject.get_setting("parallel_tool_calls")
    if not isinstance(asked, Boolean) or asked.value:
        return
    for entry in subject.outputs:
        if len(entry.calls) > 1:
            yield Found(
                entry,
                f"`parallel_tool_calls` was false, and {len(entry.calls)} calls came.",
            )


@rule(
    "choice-missed",
    "warning",
    "The call that `tool_choice` demanded is missing",
    "The server ignored it, or the answer was cut off.",
)
def find_missed_choice(subject: Subject) -> Iterator[Found]:
    for setting in ("tool_choice", "function_call"):
        wanted, mode = subject.read_demand(setting)
        for entry in subject.outputs:
            names = [call.call.name for call in entry.calls if hasattr(call.call, "name")]
            if wanted is not None and wanted not in names:
                yield Found(entry, f"The request demanded a call of {quote(wanted)}; none came.")
            elif mode in ("required", "any") and not entry.calls:
                yield Found(entry, "The request demanded a tool call; none came.")
            elif mode == "none" and entry.calls:
                yield Found(entry, "The request forbade tool calls, and the answer has one.")


def _iter_gaps(schema: Object) -> Iterator[str]:
    """Yield the parts of a schema that OpenAI refuses for members that they lack."""
    if schema.text("type") == "object" and schema.get("properties") is None:
        yield "the object has no `properties`"
    for path, value, kinds in _iter_schemas(schema):
        if "array" in kinds and value.get("items") is None:
            yield f"the array {quote(path)} has no `items`"


def _iter_schemas(schema: Object) -> Iterator[tuple[str, Object, set[str]]]:
    """Yield a schema and those within it, each with its path and its types.

    Data that only look like a schema are left out.
    """
    waiting: list[tuple[str, Value]] = [("$", schema)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, Array):
            waiting += [(f"{path}[{place}]", one) for place, one in enumerate(value.items)]
        if not isinstance(value, Object):
            continue
        kind = value.get("type")
        kinds = {kind.text} if isinstance(kind, String) else set()
        if isinstance(kind, Array):
            kinds = {one.text for one in kind.items if isinstance(one, String)}
        yield path, value, kinds
        for name in ("properties", "$defs", "definitions"):
            holder = value.object(name)
            for member in holder.members if holder else ():
                waiting.append((f"{path}.{member.name.text}", member.value))
        for name in ("items", "anyOf", "allOf", "oneOf"):
            if (inner := value.get(name)) is not None:
                waiting.append((f"{path}.{name}", inner))


def _iter_strict_faults(schema: Object) -> Iterator[str]:
    """Yield the faults that strict mode refuses in the objects of a schema, at any depth."""
    for path, value, kinds in _iter_schemas(schema):
        properties = value.object("properties")
        if "object" in kinds:
            if value.boolean("additionalProperties") is not False:
                yield f"{path} lacks `additionalProperties: false`"
            required = {
                one.text for one in value.items("required") or () if isinstance(one, String)
            }
            missing = (
                [name for name in properties.names() if name not in required] if properties else []
            )
            if missing:
                yield f"{path} does not require {quote(missing[0])}"
