"""List the spans in exports of OTLP and Jaeger, and read the values of OTLP as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from webapp.embedded.documents.api_json import join_lines
from webapp.embedded.documents.other_apis.writing import copy, copy_rest, write
from webapp.exact_json import Array, Object, String, Value, parse, write_array, write_object

_KINDS: Final = frozenset(
    {"stringvalue", "intvalue", "doublevalue", "boolvalue", "arrayvalue", "kvlistvalue"}
)
"""The names of the members of a value of OTLP, which say its type, without their forms."""

_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")
_MAX_NESTING: Final = 12


def list_spans(value: Object) -> Sequence[Object]:
    """List the spans in an export, or `value` itself if it has attributes; none otherwise.

    Events that are exported as logs are those of their spans.
    """
    if traces := value.items("data"):
        return _list_jaeger(traces)
    if logs := value.items("resourceLogs") or value.items("resource_logs"):
        return _list_logged(logs)
    resources = value.items("resourceSpans") or value.items("resource_spans")
    if resources is None:
        has_flat = any(name.startswith("attributes.") for name in value.names())
        return [value] if has_flat or isinstance(value.get("attributes"), Object | Array) else []
    scopes = [
        scope
        for one in resources
        if isinstance(one, Object)
        for scope in one.items("scopeSpans") or one.items("scope_spans") or ()
    ]
    spans = (span for one in scopes if isinstance(one, Object) for span in one.items("spans") or ())
    return [one for one in spans if isinstance(one, Object)]


def _list_jaeger(traces: Sequence[Value]) -> Sequence[Object]:
    """List the spans of an export of Jaeger, whose attributes are tags."""
    listed = (one.items("spans") or () for one in traces if isinstance(one, Object))
    return [
        parse_object([*copy_rest(span, {"tags"}), f'"attributes":{write_pairs(span, "tags")}'])
        for spans in listed
        for span in spans
        if isinstance(span, Object) and span.items("tags") is not None
    ]


def _list_logged(logs: Sequence[Value]) -> Sequence[Object]:
    """List spans whose messages are records of a log, in the order of their first ones.

    Records without ids belong together up to an answer, or are each all of an exchange.
    """
    spans: dict[tuple[str, str, int], list[str]] = {}
    starts: dict[tuple[str, str, int], str | None] = {}
    exchange, is_answered = 0, False
    scopes = (
        scope
        for one in logs
        if isinstance(one, Object)
        for scope in one.items("scopeLogs") or one.items("scope_logs") or ()
        if isinstance(scope, Object)
    )
    for scope in scopes:
        records = scope.items("logRecords") or scope.items("log_records") or ()
        for record in (one for one in records if isinstance(one, Object)):
            names = (("traceId", "trace_id"), ("spanId", "span_id"))
            trace, span = (record.text(one) or record.text(other) or "" for one, other in names)
            attributes = parse_object([write_pairs(record, "attributes")[1:-1]])
            name = record.get("eventName") or attributes.get("event.name")
            body = write_value(record.get("body"))
            time = copy(record.get("timeUnixNano"))
            own = write_object(copy_rest(attributes, {"event.name"}))
            event = write(name=copy(name), body=body, attributes=own, timeUnixNano=time)
            if not (trace or span):
                kind = name.text if isinstance(name, String) else ""
                is_answer = kind.endswith(".choice")
                if (is_answered and not is_answer) or kind.endswith(".details"):
                    exchange += 1
                is_answered = is_answer or kind.endswith(".details")
            place = (trace, span, 0 if trace or span else exchange)
            spans.setdefault(place, []).append(event)
            starts.setdefault(place, time)
    return [
        parse_object(
            [
                f'"traceId":{json.dumps(place[0])},"spanId":{json.dumps(place[1])}',
                f'"startTimeUnixNano":{start}' if (start := starts[place]) else "",
                f'"events":{write_array(events)}',
            ]
        )
        for place, events in spans.items()
    ]


def write_pairs(value: Object, name: str) -> str:
    """Write a list of keys with values as an object; one that is an object as it is."""
    given = value.get(name)
    if isinstance(given, Object):
        return join_lines(given.source)
    pairs = (
        [one for one in given.items if isinstance(one, Object)] if isinstance(given, Array) else []
    )
    return write_object(
        f"{json.dumps(one.text('key') or '')}:{write_value(one.get('value'))}" for one in pairs
    )


def parse_object(members: Sequence[str]) -> Object:
    value = parse(write_object([one for one in members if one]))
    assert isinstance(value, Object)
    return value


def write_value(value: Value | None, depth: int = 0) -> str:
    """Write a value of OTLP as the JSON that it stands for, and any other as it is."""
    members = value.members if isinstance(value, Object) and depth < _MAX_NESTING else ()
    named = ((one.name.text.replace("_", "").lower(), one.value) for one in members)
    kind, inner = next((one for one in named if one[0] in _KINDS), ("", value))
    listed = inner.items("values") if kind and isinstance(inner, Object) else None
    values = [one for one in listed or () if isinstance(one, Object)]
    if kind == "arrayvalue":
        return write_array(write_value(one, depth + 1) for one in values)
    if kind == "kvlistvalue":
        return write_object(
            f"{json.dumps(one.text('key') or '')}:{write_value(one.get('value'), depth + 1)}"
            for one in values
        )
    if kind == "intvalue" and isinstance(inner, String):
        # Numbers of 64 bits are written as texts.
        return str(int(inner.text)) if _INTEGER.fullmatch(inner.text) else inner.source
    return copy(inner) or "null"
