"""Detect requests with their responses, of every API: in one value, in logs, in batches."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

from webapp.addresses.credentials import is_secret_name
from webapp.embedded.documents.api_json import join_lines
from webapp.embedded.documents.datasets.rows import ANSWERS
from webapp.embedded.documents.from_files import copy_member
from webapp.embedded.documents.from_logs import (
    from_exchange,
    from_logged_request,
    from_other_api,
    is_other_response,
    read_answer,
    read_request,
)
from webapp.embedded.documents.records import NotACompletion
from webapp.embedded.documents.reported_errors import find_reported_error
from webapp.embedded.limits import MAX_IMPORTED_VALUES
from webapp.embedded.transfer.pieces import (
    Fragment,
    ImportFormat,
    Role,
    WholeOrFragment,
    parse_whole,
)
from webapp.embedded.transfer.streams import assemble_stream, join_pieces
from webapp.exact_json import (
    Array,
    Member,
    NotJson,
    Number,
    Object,
    String,
    Value,
    parse,
    write_object,
)
from webapp.redaction.masking import write_mask

_EXCHANGE_FIELDS: Final = (
    ("request", "response"),
    ("request_body", "response_body"),
    ("requestBody", "responseBody"),
    ("modelInput", "modelOutput"),
    ("kwargs", "response_obj"),
    ("input", "output"),
)
_TRACE_FIELDS: Final[tuple[tuple[str, str], ...]] = (("input", "output"), ("inputs", "outputs"))
_TRACE_SIGNS: Final = ("traceId", "trace_id", "run_type", "observation", "session_id")
_QUESTIONS: Final = ("question", "query", "input", "prompt", "text")
_BODIES: Final = ("body", "inputBodyJson", "outputBodyJson")
_PAYLOAD: Final = "standard_logging_object"
_KEYS: Final = ("custom_id", "recordId", "key")
_MAX_WRAPPERS: Final = 3
_LONGEST_ERROR: Final = 500
"""Characters of an error page that are its reason; all of it is kept as received."""


def detect_batch_request(value: Object) -> list[WholeOrFragment] | None:
    """Detect a line of the input of a batch."""
    key = _find_key(value)
    body = value.object("body") or value.object("params")
    if body is None and value.get("response") is None and value.get("key") is not None:
        body = value.object("request")
    if key is None or body is None:
        return None
    request = read_request(body, url=value.text("url") or "")
    if request is None:
        raise NotACompletion("it is a batch request, but not for a chat completion")
    return [Fragment(ImportFormat.BATCH_REQUEST, key, Role.REQUEST, request.source)]


def detect_batch_response(value: Object) -> list[WholeOrFragment] | None:
    """Detect a line of the output of a batch."""
    key = _find_key(value)
    given = value.get("response") or value.get("result")
    if key is None or value.get("request") is not None:
        return None
    if given is None and value.get("error") is None:
        return None
    if isinstance(given, Object) and (message := given.object("message")):
        given = message
    body = _find_body(given)
    answer = read_answer(body)
    if isinstance(answer, Object) and answer.items("choices") is not None:
        return [Fragment(ImportFormat.BATCH_RESPONSE, key, Role.RESPONSE, answer.source)]
    reason = (body and find_reported_error(body)) or find_reported_error(value)
    if reason is None and isinstance(given, Object) and given.text("type"):
        reason = given.text("type")
    return [
        Fragment(
            ImportFormat.BATCH_RESPONSE,
            key,
            Role.FAILURE,
            reason or "its response is no chat completion",
        )
    ]


def detect_exchange(value: Object) -> list[WholeOrFragment] | None:
    """Detect a request and its response under names that belong together."""
    for request_field, response_field in _EXCHANGE_FIELDS:
        request = _find_body(value.get(request_field))
        given = value.get(response_field)
        if request is None:
            continue
        response = find_response(given)
        answer = read_answer(response)
        is_completion = isinstance(answer, Object) and answer.items("choices") is not None
        if request_field == "input" and not is_completion:
            continue
        if read_request(request) is None and not is_completion:
            continue
        log = _write_log(value, (request_field, response_field))
        text = from_exchange(request, response, log)
        return [parse_whole(ImportFormat.EXCHANGE, text)]
    return None


def detect_logged(value: Object) -> list[WholeOrFragment] | None:
    """Detect a request that a gateway logged with its response; either may be JSON in a text."""
    if payload := value.object(_PAYLOAD):
        # Callbacks of LiteLLM get it beside the arguments of the request.
        rest = [one for one in value.members if one.name.text not in (*payload.names(), _PAYLOAD)]
        value = _parse_object(map(copy_member, [*payload.members, *rest]))
    messages = _parse_text(value.get("messages"))
    if isinstance(messages, Object) and value.get("response") is not None:
        messages = messages.get("messages")  # Beside them are the tools.
    if not isinstance(messages, Array) or not messages.items:
        return _detect_spend_log(value)
    name = "response" if value.get("response") is not None else _find_answer_name(value)
    if name is None:
        return None
    answer = find_response(value.get(name))
    text = from_logged_request(value, ("messages", name), messages.items, answer)
    return [parse_whole(ImportFormat.LOGGED if name == "response" else ImportFormat.PROMPT, text)]


def _detect_spend_log(value: Object) -> list[WholeOrFragment] | None:
    """Detect a row of LiteLLM's spend logs, whose request is in `proxy_server_request`."""
    request = _find_body(value.get("proxy_server_request"))
    if request is None or read_request(request) is None or value.get("response") is None:
        return None
    log = _write_log(value, ("proxy_server_request", "response", "messages"))
    text = from_exchange(request, find_response(value.get("response")), log)
    return [parse_whole(ImportFormat.LOGGED, text)]


def _find_answer_name(value: Object) -> str | None:
    """Find the member with the answer to messages that do not end with one: a text or a message."""
    messages = value.items("messages") or ()
    if messages and isinstance(messages[-1], Object) and messages[-1].text("role") == "assistant":
        return None
    for name in ANSWERS:
        found = value.get(name)
        if isinstance(found, String) or (isinstance(found, Object) and found.text("role")):
            return name
    return None


def detect_traced(value: Object) -> list[WholeOrFragment] | None:
    """Detect a request that was traced: messages as `input`, of any shape the answer."""
    if is_other_response(value):
        return None
    for names in _TRACE_FIELDS:
        asked, answer = (_parse_text(value.get(name)) for name in names)
        rest: list[Member] = []
        if isinstance(asked, Object):
            name = _find_question(asked)
            rest = [one for one in asked.members if one.name.text != name]
            asked = asked.get(name)
        is_known = names[0] == "inputs" or any(value.get(one) is not None for one in _TRACE_SIGNS)
        if isinstance(asked, String) and is_known:
            asked = parse(f'[{{"role":"user","content":{join_lines(asked.source)}}}]')
        if not isinstance(asked, Array) or not all(
            isinstance(one, Object) and one.text("role") is not None for one in asked.items
        ):
            continue
        if asked.items and answer is not None:
            if isinstance(answer, Object) and not find_reported_error(answer):
                answer = _find_only_text(answer) or answer
            log = _add_members(value, names, rest)
            text = from_logged_request(log, ("", ""), asked.items, answer)
            return [parse_whole(ImportFormat.TRACED, text)]
    return None


def detect_other_api(value: Object) -> list[WholeOrFragment] | None:
    """Detect a request or a response of another API, or both in one object."""
    event, inner = value.text("type") or "", value.object("response")
    if event.startswith("response.") and inner is not None:
        value = inner  # The last event of a stream of the Responses API.
    found = from_other_api(value)
    if found is None:
        return None
    api, text = found
    return [parse_whole(ImportFormat[api.name.upper()], text)]


def _find_question(asked: Object) -> str:
    """Find the member of a traced input that has the messages, or else the question."""
    if asked.get("messages") is not None:
        return "messages"
    found = next(filter(asked.text, _QUESTIONS), "")
    return found or (asked.names()[0] if _find_only_text(asked) else "")


def _find_only_text(value: Object) -> String | None:
    """Return the text that is the only member of an object."""
    only = value.members[0].value if len(value.members) == 1 else None
    return only if isinstance(only, String) and only.text else None


def _add_members(log: Object, used: Sequence[str], rest: Sequence[Member]) -> Object:
    """Add the other members of a traced input to its log; under `traced` if the log has its own."""
    members = [one for one in log.members if one.name.text not in used]
    known = {one.name.text for one in members} | {*used, "choices", "messages", "id", "created"}
    new = [one for one in rest if one.name.text not in known]
    others = [one for one in rest if one.name.text in known]
    kept = [f'"traced":{write_object(map(copy_member, others))}'] if others else []
    return _parse_object([*map(copy_member, [*members, *new]), *kept])


def _find_key(value: Object) -> str | None:
    for name in _KEYS:
        key = value.get(name)
        if isinstance(key, String) and key.text:
            return key.text
        if isinstance(key, Number):
            return key.source
    return None


def _find_body(value: Value | None) -> Object | None:
    """Find the object of a logged body: an object, its text, or `body` beside a status."""
    for _ in range(_MAX_WRAPPERS):
        if isinstance(value, String):
            try:
                value = parse(value.text, max_values=MAX_IMPORTED_VALUES)
            except NotJson:
                return None
        if not isinstance(value, Object):
            return None
        inner = next((found for name in _BODIES if (found := value.get(name))), None)
        if inner is None:
            return value
        value = inner
    return None


def _write_log(value: Object, used: Sequence[str]) -> Object:
    """Write the members of a log besides the bodies in `used`, and those around each body."""
    members = [_copy_logged(one) for one in value.members if one.name.text not in used]
    for name in used:
        rest: list[Member] = []
        inner = _parse_text(value.get(name))
        while isinstance(inner, Object) and (body := next(filter(inner.get, _BODIES), None)):
            rest += [one for one in inner.members if one.name.text != body]
            inner = _parse_text(inner.get(body))
        members += [f'"{name}":{write_object(map(_copy_logged, rest))}'] if rest else []
    return _parse_object(members)


def _parse_object(members: Iterable[str]) -> Object:
    value = parse(write_object(members))
    assert isinstance(value, Object)
    return value


def _copy_logged(member: Member) -> str:
    """Copy a member of a log; of headers, the keys of the client are masked.

    They belong to whoever sent the request, and not to the completion that a team reads.
    """
    name, headers = member.name.text, member.value
    if not name.casefold().endswith("headers") or not isinstance(headers, Object):
        return copy_member(member)
    masked = f'"{write_mask("credentials")}"'
    written = (
        f"{join_lines(one.name.source)}:{masked}"
        if is_secret_name(one.name.text)
        else copy_member(one)
        for one in headers.members
    )
    return f"{join_lines(member.name.source)}:{write_object(written)}"


def find_response(value: Value | None) -> Value | None:
    """Find a logged response; of a failure without words, an error with its status and text."""
    if isinstance(value, Object):
        value = next((value.get(name) for name in _BODIES if value.items(name)), value)
    body = _find_body(value)
    status = None
    if isinstance(value, Object):
        names = ("status_code", "statusCode", "status", "response_status")
        status = next(filter(None, map(value.integer, names)), None)
    if body is None and isinstance(value, Object):
        text = next(filter(None, map(value.text, _BODIES)), "")
        if streamed := assemble_stream(text):
            return streamed
        words = f"{status or ''} {text[:_LONGEST_ERROR]}".strip()
        return parse(json.dumps({"error": words, "body": text})) if words else value
    is_failure = status is not None and status >= 400
    if is_failure and body and body.items("choices") is None and not find_reported_error(body):
        return parse(json.dumps({"error": f"status {status}", "body": body.source}))
    if body is not None:
        return body
    if isinstance(value, Array) and (joined := join_pieces(value.items)):
        return parse(joined)
    if isinstance(value, String) and (streamed := assemble_stream(value.text)):
        return streamed
    return _parse_text(value)


def _parse_text(value: Value | None) -> Value | None:
    """Parse the list or object that is written as text in `value`; return others unchanged."""
    if isinstance(value, String):
        try:
            parsed = parse(value.text, max_values=MAX_IMPORTED_VALUES)
        except NotJson:
            return value
        return parsed if isinstance(parsed, Array | Object) else value
    return value
