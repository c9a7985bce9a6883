"""Build completions from the lines of gateways that log requests with their responses.

A line has the `messages` of the request, its `response`, and the gateway's measurements.
"""

from __future__ import annotations

import json
from typing import Final

from webapp.embedded.documents.api_json import join_lines
from webapp.embedded.documents.from_files import (
    copy_member,
    copy_members,
    merge_request_response,
    write_messages,
)
from webapp.embedded.documents.records import NotACompletion
from webapp.exact_json import Array, Member, Null, Object, String, Value, parse

_SETTINGS: Final = ("model_parameters", "optional_params")
_STARTS: Final = ("startTime", "start_time", "created_at", "timestamp")
_ERRORS: Final = ("error_str", "exception", "error_message")


def from_logged_request(log: Object, messages: Array, response: Value) -> str:
    """Convert a logged request with its `response`, which may also be a message or its text.

    A request that failed has no choices, and the reason that was logged. Raise `NotACompletion`
    if the response is of another kind.
    """
    request = _collect_request_members(log)
    asked = write_messages(messages.items)
    if isinstance(response, Object) and response.items("choices") is not None:
        own_id = response.text("id")
        logged = [
            f'"logged_id":{member.value.source}'
            if member.name.text == "id" and own_id and log.text("id") != own_id
            else copy_member(member)
            for member in request
        ]
        if response.get("created") is None:
            logged += _write_created(log)
        logged_request = parse("{" + ",".join([*logged, asked]) + "}")
        assert isinstance(logged_request, Object)
        return merge_request_response(logged_request, response)
    members = [*copy_members(request), *_write_created(log), asked]
    if isinstance(response, Null) or (isinstance(response, Object) and not response.members):
        reason = next(filter(None, map(log.text, _ERRORS)), None)
        if reason:
            members.append(f'"incomplete":{json.dumps({"reason": reason})}')
        return "{" + ",".join([*members, '"choices":[]']) + "}"
    if isinstance(response, String):
        answer = f'{{"role":"assistant","content":{join_lines(response.source)}}}'
    elif isinstance(response, Object) and response.text("role") is not None:
        answer = join_lines(response.source)
    else:
        raise NotACompletion("its `response` is no chat completion")
    return "{" + ",".join([*members, f'"choices":[{{"index":0,"message":{answer}}}]']) + "}"


def _collect_request_members(log: Object) -> list[Member]:
    """Collect the members of the log besides its messages and response, settings on their own."""
    members = [one for one in log.members if one.name.text not in ("messages", "response")]
    for name in _SETTINGS:
        settings = log.object(name)
        if settings is not None:
            members = [one for one in members if one.name.text != name]
            known = {one.name.text for one in members}
            members += [
                one
                for one in settings.members
                if one.name.text not in known and one.name.text not in ("messages", "response")
            ]
    return members


def _write_created(log: Object) -> list[str]:
    """Write the time of the request as `created`, unless the log has that itself."""
    if log.get("created") is not None:
        return []
    times = (log.get(name) for name in _STARTS)
    found = next((time for time in times if time and not isinstance(time, Null)), None)
    return [] if found is None else [f'"created":{join_lines(found.source)}']
