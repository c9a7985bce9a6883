"""Read the body of an error: what the server says, and its type, code and parameter.

Bodies come as the API's envelope, as other frameworks' JSON, as plain text, as a gateway's HTML, or
empty; reading one never fails.
"""

from __future__ import annotations

import html
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from webapp.completions import scalar_text
from webapp.exact_json import Array, Boolean, NotJson, Object, String, Value, parse

MAX_SEARCHED: Final = 64 * 1024
"""Characters of a text that are searched."""

_BOM: Final = "\ufeff"
_DETAIL = re.compile(r"<(detail)>([^<]{1,300})</detail>", re.IGNORECASE)
_TITLE = re.compile(
    # The title of Express says `Error` of all of them.
    r"<(title|h1|message|pre)\b[^>]{0,200}>(?!\s{0,20}error\s{0,20}<)([^<]{1,300})",
    re.IGNORECASE,
)
_EVENT = re.compile(r"(?:event:[^\n]{0,100}\n)?data:")
_TAG = re.compile(r"<[^<>]{0,2000}>")
_CODE_TAG = re.compile(r"</?(?:script|style)\b[^<>]{0,2000}>", re.IGNORECASE)
_NO_SUCH_ROUTE = re.compile(
    r"(?:unknown|unrecognized|unsupported) request url|invalid url"
    r"|no (?:such )?(?:route|endpoint)\b|could not route|unexpected endpoint"
    r"|\b(?:api|url|endpoint|route)\b.{0,40} not supported"
    r"|\b(?:get|post|delete)\b:? ?(?:https?://[^/\s]{1,99})?/"
    r"|^(?:404 )?(?:the )?(?:requested )?(?:api )?(?:file|page|route|endpoint|path|url) (?:/\S+ )?"
    r"(?:was )?not found\b"
    # The words of frameworks; servers word the lack of a completion otherwise.
    r"|^(?-i:(?:404 )?(?:Not Found|NOT FOUND)\.?)$|^method not allowed",
    re.IGNORECASE,
)
_SENTENCE_NAMES: Final = (
    *("message", "detail", "errordescription", "errormessage", "error", "errors", "msg"),
    *("violations", "invalidparams", "faultstring", "fault", "details", "title", "reason"),
    *("description", "errormsg", "errmsg", "retmsg", "resultmsg", "err", "statusmsg"),
    *("statustext", "usermessage", "text", "messages", "errormessages", "nonfielderrors"),
    *("innererror", "exception", "failure", "cause", "info", "response", "result", "data"),
    *("issues",),
)
"""The names of members with sentences, in lower case and without lines between words."""
_LINES: Final = str.maketrans("", "", "_-")
_WRAPPERS: Final = ("error", "errors", "detail", "fault")
_MAX_WRAPPERS: Final = 4
_MAX_SENTENCES: Final = 3


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """The members of an error's body, each None if it has none of that name."""

    message: str | None = None
    type: str | None = None
    code: str | None = None
    param: str | None = None
    is_json: bool = False


def parse_error_body(text: str) -> ErrorBody:
    """Parse the members of an error's body: of its JSON, its page, or its plain text."""
    text = text.removeprefix(_BOM)
    try:
        # An error may also be the only event of a stream.
        event = _EVENT.match(text)
        json = parse(text[event.end() :] if event else text)
        body = read_error_body(json)
        # Whatever members an error has: they are all that the server said.
        has_more = isinstance(json, Object | Array) and json.source.strip("{}[] \t\r\n") != ""
        return replace(body, message=json.source) if has_more and not body.message else body
    except NotJson:
        if not is_html(text):
            return ErrorBody(message=text.strip() or None)
        title = _DETAIL.search(text) or _TITLE.search(text)
        without_code = " ".join(_CODE_TAG.split(text[:MAX_SEARCHED])[::2])
        words = title[2] if title else _TAG.sub(" ", without_code)
        return ErrorBody(message=" ".join(html.unescape(words).split()) or None)


def read_error_body(json: Value) -> ErrorBody:
    """Read the members of an error that is JSON."""
    if isinstance(json, Object) and (wrapped := json.object("base_resp")):
        json = wrapped
    envelope = _find_envelope(json)
    if envelope is None:
        return ErrorBody(message=_find_sentence(json), is_json=True)
    status = envelope.text("status")
    if status is not None and status.isdigit():
        status = None
    return ErrorBody(
        message=_find_sentence(json),
        type=_first_text(envelope.get("type")) or status,
        code=_first_text(envelope.get("code")),
        param=_first_text(envelope.get("param")),
        is_json=True,
    )


def _find_envelope(json: Value) -> Object | None:
    """Find the object with the members of an error: of a list, the first one."""
    for _ in range(_MAX_WRAPPERS):
        if isinstance(json, Array):
            json = next((item for item in json.items if isinstance(item, Object)), json)
        if not isinstance(json, Object):
            return None
        values = (json.get(name) for name in _WRAPPERS)
        inner = next((one for one in values if isinstance(one, Object | Array)), None)
        if inner is None or (isinstance(inner, Array) and not inner.items):
            return json
        json = inner
    return json if isinstance(json, Object) else None


def _find_sentence(json: Value, levels: int = _MAX_WRAPPERS) -> str | None:
    """Find the text in an error, wherever its server puts it; the texts of a list are joined."""
    if isinstance(json, Array):
        if levels == 0:
            return None
        found = (_find_sentence(item, levels - 1) for item in json.items[:_MAX_SENTENCES])
        return "; ".join(dict.fromkeys(filter(None, found))) or None
    if isinstance(json, Boolean):
        return None
    if not isinstance(json, Object):
        text = scalar_text(json)
        return _unwrap_text(text, levels) if text else None
    envelope = ("error",) if isinstance(json.get("error"), Object | Array) else ()
    named = {name.translate(_LINES).lower(): value for name, value in json.values().items()}
    for name in (*envelope, *_SENTENCE_NAMES):
        value = named.get(name)
        sentence = _find_sentence(value, levels - 1) if value is not None and levels else None
        if sentence:
            # FastAPI names the member at fault, `path.id`, and Zod calls that a path.
            places = json.items("loc") or json.items("path") or (json.get("field"),)
            names = [scalar_text(one) for one in places if one]
            # OpenRouter reports the message of its provider as well.
            metadata = json.object("metadata")
            raw = metadata.text("raw") if metadata else None
            notes = (".".join(filter(None, names)), raw and parse_error_body(raw).message)
            return " ".join((sentence, *(f"({note})" for note in notes if note)))
    if texts := _find_texts_by_field(json, is_inner=levels < _MAX_WRAPPERS):
        return texts
    # Many servers have an object for the status or the header of each answer.
    inner = (one.value for one in json.members if isinstance(one.value, Object))
    found = (_find_sentence(one, levels - 1) for one in inner if levels)
    return next(filter(None, found), None)


def _find_texts_by_field(json: Object, *, is_inner: bool) -> str | None:
    """Find the sentences that a framework lists by the fields that they are about."""
    found = (
        f"{item.text} ({member.name.text})"
        for member in json.members[:_MAX_SENTENCES]
        if isinstance(member.value, Array) or is_inner
        for item in (member.value.items[:1] if isinstance(member.value, Array) else (member.value,))
        if isinstance(item, String) and " " in item.text
    )
    return "; ".join(found) or None


def _unwrap_text(text: str, levels: int) -> str:
    """Return a text, or the sentence in it if it is the JSON of another error."""
    if text.startswith("{") and levels:
        # Within itself, JSON is escaped: each further one is shorter by half.
        with suppress(NotJson):
            return _find_sentence(parse(text), _MAX_WRAPPERS) or text
    return text


def is_html(text: str) -> bool:
    return text.lstrip()[:1] == "<"


def is_unknown_route(body: ErrorBody) -> bool:
    """Return whether an error is about the address of a request, not about a completion."""
    return body.code == "unknown_url" or _NO_SUCH_ROUTE.search(body.message or "") is not None


def _first_text(*values: Value | None) -> str | None:
    texts = (scalar_text(value) for value in values if value is not None)
    return next((text for text in texts if text), None)
