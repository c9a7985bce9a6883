"""Build completions from requests that are recorded with their answers.

A log has the messages of the request, the response, and the measurements of whoever logged it.
The response may be a completion, that of another API, a message or its text, an error, or none.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from webapp.embedded.documents.api_json import join_lines
from webapp.embedded.documents.from_files import (
    copy_member,
    copy_members,
    from_fine_tuning,
    from_unanswered,
    merge_request_response,
    write_messages,
)
from webapp.embedded.documents.other_apis import APIS, OtherApi
from webapp.embedded.documents.other_apis.writing import rename, write_choice
from webapp.embedded.documents.records import NotACompletion
from webapp.embedded.documents.reported_errors import find_reported_error
from webapp.exact_json import (
    Array,
    Member,
    Null,
    Object,
    String,
    Value,
    parse,
    write_array,
    write_object,
)

_SETTINGS: Final = ("model_parameters", "optional_params", "modelParameters")
_STARTS: Final = ("startTime", "start_time", "created_at", "timestamp")
_ERRORS: Final = ("error_str", "exception", "error_message", "statusMessage")
_WRAPPERS: Final = (
    *("message", "output", "response", "completion", "choices", "generations"),
    *("answer", "result", "text"),
)
_MAX_WRAPPERS: Final = 4
_USAGES: Final = ("usage", "usageDetails", "usage_details")
_USAGE: Final = {
    **dict.fromkeys(("input", "promptTokens"), "prompt_tokens"),
    **dict.fromkeys(("output", "completionTokens"), "completion_tokens"),
    **dict.fromkeys(("total", "totalTokens"), "total_tokens"),
}


def from_logged_request(
    log: Object, names: tuple[str, str], messages: Iterable[Value], response: Value | None
) -> str:
    """Convert a logged request with its `response`; `names` are theirs in the log.

    A request that failed has no choices, and the reason that was logged. Raise `NotACompletion`
    if the response is of another kind.
    """
    members = _collect_request_members(log, names)
    answer = read_answer(response)
    own_id = answer.text("id") if isinstance(answer, Object) else None
    written = [
        f'"logged_id":{join_lines(member.value.source)}'
        if member.name.text == "id" and own_id and log.text("id") != own_id
        else copy_member(member)
        for member in members
    ]
    if not isinstance(answer, Object) or answer.get("created") is None:
        written += _write_created(log)
    name = next((one for one in _USAGES if log.object(one)), None)
    if name is not None and not (isinstance(answer, Object) and answer.object("usage")):
        written = [one for one in written if not one.startswith(f'"{name}":')]
        written.append(f'"usage":{rename(log.object(name), _USAGE)}')
    request = _parse([*written, write_messages(messages)])
    return join_answer(request, response, log=log)


def from_exchange(request: Object, response: Value | None, log: Object, *, url: str = "") -> str:
    """Convert a request to `url` with its response, of any API, and the other members of `log`.

    Raise `NotACompletion` if the response is of another kind.
    """
    text = join_answer(_read_request_of(request, response, url), response, log=log)
    completion = parse(text)
    assert isinstance(completion, Object)
    names = completion.names()
    others = copy_members(one for one in log.members if one.name.text not in names)
    own_id = log.get("id")
    if isinstance(own_id, String) and own_id.text != completion.text("id"):
        others.append(f'"logged_id":{join_lines(own_id.source)}')
    return _write([*map(copy_member, completion.members), *others])


def from_other_api(value: Object) -> tuple[OtherApi, str] | None:
    """Convert a request of another API, its response, or both in one; None if it is neither.

    A last message by the assistant is the answer of a request alone.
    """
    for api in APIS:
        if api.is_response(value):
            asked = [one for one in value.members if one.name.text in api.asked]
            answered = [one for one in value.members if one.name.text not in api.asked]
            response = _parse([api.write_response(_parse(map(copy_member, answered)))[1:-1]])
            if not asked:
                return api, _write([*map(copy_member, response.members), '"messages":[]'])
            request = _parse([api.write_request(_parse(map(copy_member, asked)))[1:-1]])
            return api, merge_request_response(request, response)
        if api.is_request(value):
            request = _parse([api.write_request(value)[1:-1]])
            return api, end_conversation(request)
    return None


def is_other_response(value: Object) -> bool:
    """Return whether `value` is a response of another API, or has one in it."""
    return any(api.is_response(value) for api in APIS)


def end_conversation(request: Object, reason: Value | None = None) -> str:
    """Convert a request alone to a completion, whose answer is a last message by the assistant.

    `reason` is why the answer ended, in the words of its API.
    """
    said = request.items("messages")
    last = said[-1] if said else None
    if not said or not isinstance(last, Object) or last.text("role") != "assistant":
        return from_unanswered(request)
    if reason is None:
        return from_fine_tuning(request)
    members = [one for one in request.members if one.name.text not in ("messages", "choices")]
    choice = write_choice(join_lines(last.source), reason, None)
    return _write([write_messages(said[:-1]), *copy_members(members), f'"choices":[{choice}]'])


def read_request(value: Object, *, url: str = "") -> Object | None:
    """Convert a request of any API, sent to `url`, to one of chat completions; None if none."""
    for api in APIS:
        if api.is_request(value) or url.endswith(f"/v1/{api.name}"):
            return _parse([api.write_request(value)[1:-1]])
    return value if value.items("messages") is not None else None


def read_answer(response: Value | None) -> Value | None:
    """Convert a response of any API to one of chat completions; return others unchanged."""
    if isinstance(response, Object):
        for api in APIS:
            if api.is_response(response):
                return _parse([api.write_response(response)[1:-1]])
    return response


def join_answer(request: Object, response: Value | None, *, log: Object | None) -> str:
    """Join a request with its answer; without choices and with the reason if it failed.

    Raise `NotACompletion` if the response is of another kind.
    """
    answer = read_answer(response)
    if isinstance(answer, Object) and answer.items("choices") is not None:
        return merge_request_response(request, answer)
    inner, rest = _unwrap(answer)
    messages = list(_iter_messages(inner))
    if messages:
        *before, last = messages
        asked = [*map(join_lines, _sources(request.items("messages") or ())), *before]
        members = [one for one in request.members if one.name.text != "messages"]
        stopped = next((one.value for one in rest if one.name.text == "finish_reason"), None)
        others = copy_members(one for one in rest if one.name.text != "finish_reason")
        choice = write_choice(last, stopped, None)
        answered = _parse([*others, f'"choices":[{choice}]'])
        asking = _parse([*copy_members(members), f'"messages":{write_array(asked)}'])
        return merge_request_response(asking, answered)
    reason = find_reported_error(answer) if isinstance(answer, Object) else None
    is_empty = answer is None or isinstance(answer, Null) or answer.source in ("{}", "[]")
    if not is_empty and reason is None:
        raise NotACompletion("its response is neither a completion nor an error")
    reason = reason or (_find_reason(log) if log else None)
    return break_off(request, reason, received=None if is_empty else response)


def break_off(request: Object, reason: str | None, *, received: Value | None = None) -> str:
    """Convert a request that has no answer, with the reason and the body that came in its place."""
    if reason is None:
        return from_unanswered(request)
    given = {"reason": reason} | ({"received": received.source} if received else {})
    members = [one for one in request.members if one.name.text != "choices"]
    return _write([*copy_members(members), f'"incomplete":{json.dumps(given)}', '"choices":[]'])


def _read_request_of(request: Object, response: Value | None, url: str) -> Object:
    """Return a request as one of chat completions, read as the API of its response has it."""
    for api in APIS:
        is_own = isinstance(response, Object) and api.is_response(response)
        if is_own and not api.asked.isdisjoint(request.names()):
            return _parse([api.write_request(request)[1:-1]])
    return read_request(request, url=url) or request


def _unwrap(answer: Value | None) -> tuple[Value | None, list[Member]]:
    """Unwrap an answer from objects and lists of one, and collect the other members of these."""
    rest: dict[str, Member] = {}
    for _ in range(_MAX_WRAPPERS):
        if isinstance(answer, Object) and answer.text("role") is None:
            names = (*_WRAPPERS, "messages")
            found = next((name for name in names if answer.get(name) is not None), "")
            rest = {one.name.text: one for one in answer.members if one.name.text != found} | rest
            answer = answer.get(found)
        elif isinstance(answer, Array) and len(answer.items) == 1:
            answer = answer.items[0]
    return answer, list(rest.values())


def _iter_messages(answer: Value | None) -> Iterator[str]:
    """Yield the messages of an answer: a text, a message, or several."""
    if isinstance(answer, String):
        yield f'{{"role":"assistant","content":{join_lines(answer.source)}}}'
        return
    items = answer.items if isinstance(answer, Array) else [answer] if answer else []
    if all(isinstance(one, Object) and one.text("role") for one in items):
        yield from map(join_lines, _sources(items))


def _find_reason(log: Object) -> str | None:
    metadata = log.object("metadata")
    inner = metadata.object("error_information") if metadata else None
    words = (one.text(name) for one in (log, inner) if one for name in _ERRORS)
    return next(filter(None, words), None) or find_reported_error(log)


def _sources(values: Iterable[Value | None]) -> Iterator[str]:
    return (value.source for value in values if value is not None)


def _collect_request_members(log: Object, names: Collection[str]) -> list[Member]:
    """Collect the members of the log besides its messages and response, settings on their own."""
    members = [one for one in log.members if one.name.text not in (*names, "choices")]
    for name in _SETTINGS:
        settings = log.object(name)
        if settings is not None:
            members = [one for one in members if one.name.text != name]
            known = {one.name.text for one in members}
            members += [
                one for one in settings.members if one.name.text not in {*known, *names, "messages"}
            ]
    return members


def _write_created(log: Object) -> list[str]:
    """Write the time of the request as `created`, unless the log has that itself."""
    if log.get("created") is not None:
        return []
    times = (log.get(name) for name in _STARTS)
    found = next((time for time in times if time and not isinstance(time, Null)), None)
    return [] if found is None else [f'"created":{join_lines(found.source)}']


def _write(members: Iterable[str]) -> str:
    return write_object(filter(None, members))


def _parse(members: Iterable[str]) -> Object:
    value = parse(_write(members))
    assert isinstance(value, Object)
    return value
