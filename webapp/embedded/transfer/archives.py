"""Detect the requests in HAR files, which browsers and proxies save, with their responses.

Headers, cookies and the query of the address are left out: keys are in them.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from webapp.embedded.documents.api_json import TIMING, join_lines
from webapp.embedded.documents.from_files import copy_members
from webapp.embedded.documents.from_logs import break_off, from_exchange, read_request
from webapp.embedded.documents.other_apis.writing import copy
from webapp.embedded.documents.records import NotACompletion
from webapp.embedded.limits import MAX_IMPORTED_VALUES
from webapp.embedded.transfer.exchanges import find_response
from webapp.embedded.transfer.pieces import ImportFormat, WholeOrFragment, parse_whole
from webapp.exact_json import Array, NotJson, Null, Number, Object, Value, parse, write_object

_MODEL: Final = re.compile(r"/models/([\w.-]{1,100}):\w+$")
"""The model in an address of Gemini, whose requests do not name it."""


def detect_har(value: Object) -> list[WholeOrFragment] | None:
    """Detect a HAR file, whose requests for completions are returned; others are left out.

    Raise `NotACompletion` if it has none.
    """
    log = value.object("log")
    entries = log.items("entries") if log else None
    if entries is None:
        return None
    found = [text for one in entries if isinstance(one, Object) and (text := _from_entry(one))]
    if not found:
        raise NotACompletion("none of the requests in it is one for a completion")
    return [parse_whole(ImportFormat.HAR, text) for text in found]


def _from_entry(entry: Object) -> str | None:
    """Convert a request with its response; return None if it is not one for a completion."""
    request, response = entry.object("request"), entry.object("response")
    url = _clean_address(request.text("url") or "") if request else ""
    posted = request.object("postData") if request else None
    asked = _parse(posted.text("text") or "") if posted else None
    if not isinstance(asked, Object) or not _is_asking(asked, url):
        return None
    log = _write_log(entry, url)
    body = _read_body(response) if response else None
    if body is None:
        status = response.integer("status") if response else None
        reason = f"The HAR file has no body of the response (status {status or 'unknown'})."
        return _break_off(asked, log, reason, url=url)
    try:
        return from_exchange(asked, find_response(body), log, url=url)
    except NotACompletion as problem:
        reason = f"The response was not understood: {problem}."
        return _break_off(asked, log, reason, body, url=url)


def _clean_address(text: str) -> str:
    """Take the password, the query and the fragment off an address; empty if it is none."""
    try:
        address = urlsplit(text)
    except ValueError:
        return ""
    host = address.netloc.rpartition("@")[2]
    return urlunsplit(address._replace(netloc=host, query="", fragment=""))


def _is_asking(asked: Object, url: str) -> bool:
    """Return whether a body that was sent to `url` asks for a completion."""
    read = read_request(asked, url=url)
    messages = read.items("messages") if read else None
    return bool(messages) and all(
        isinstance(one, Object) and one.text("role") for one in messages or ()
    )


def _break_off(
    asked: Object, log: Object, reason: str, body: Value | None = None, *, url: str
) -> str:
    request = read_request(asked, url=url) or asked
    names = request.names()
    others = copy_members(one for one in log.members if one.name.text not in names)
    joined = parse(write_object([*copy_members(request.members), *others]))
    assert isinstance(joined, Object)
    return break_off(joined, reason, received=body)


def _write_log(entry: Object, url: str) -> Object:
    """Write the facts of an entry that the completion keeps: its address, time and duration."""
    members = [f'"url":{json.dumps(url)}'] if url else []
    started, duration = copy(entry.get("startedDateTime")), entry.get("time")
    members += [f'"created":{started}'] if started else []
    if isinstance(duration, Number) and 0 < float(duration.source) < 1e9:
        members.append(f'"{TIMING}":{{"total_ms":{round(float(duration.source))}}}')
    if model := _MODEL.search(url):
        members.append(f'"model":{json.dumps(model[1])}')
    log = parse(write_object(members))
    assert isinstance(log, Object)
    return log


def _read_body(response: Object) -> Object | None:
    """Read the body of a response, as a log has it: with its status, as JSON or as text."""
    content = response.object("content")
    text = content.text("text") if content else None
    if content is None or not text:
        return None
    if content.text("encoding") == "base64":
        try:
            text = base64.b64decode(text).decode(errors="replace")
        except (binascii.Error, ValueError):
            return None
    json_body = _parse(text)
    if isinstance(json_body, Array) and len(json_body.items) == 1:
        json_body = json_body.items[0]  # A stream of Gemini's that has one piece.
    is_json = isinstance(json_body, Object | Array)
    written = join_lines(json_body.source) if json_body and is_json else json.dumps(text)
    status = response.get("status")
    given = "null" if status is None or isinstance(status, Null) else status.source
    body = parse(f'{{"status":{given},"body":{written}}}')
    assert isinstance(body, Object)
    return body


def _parse(text: str) -> Value | None:
    try:
        return parse(text, max_values=MAX_IMPORTED_VALUES)
    except NotJson:
        return None
