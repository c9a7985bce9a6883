"""What the body of an error says, whatever its shape.

Bodies come as the API's envelope, as other frameworks' JSON, as plain text, as a gateway's
HTML, or not at all. Reading one never fails. Knows nothing of statuses.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from webapp.completions import scalar_text
from webapp.exact_json import NotJson, Object, Value, parse

_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,300})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """What an error's body says, each None when it does not say it."""

    message: str | None = None
    type: str | None = None
    code: str | None = None
    param: str | None = None
    is_json: bool = False


def parse_error_body(text: str) -> ErrorBody:
    """What an error body says, whatever its shape."""
    try:
        json = parse(text)
    except NotJson:
        return ErrorBody(message=_said_in_prose(text))
    return said_in_json(json)


def said_in_json(json: Value) -> ErrorBody:
    """What an error says that is JSON."""
    if not isinstance(json, Object):
        return ErrorBody(message=scalar_text(json), is_json=True)
    error = json.get("error")
    if isinstance(error, Object):
        json = error
    return ErrorBody(
        message=_first_text(error, *map(json.get, ("message", "detail", "title", "msg"))),
        type=_first_text(json.get("type")),
        code=_first_text(json.get("code")),
        param=_first_text(json.get("param")),
        is_json=True,
    )


def _said_in_prose(text: str) -> str | None:
    """A page's title, or plain text as it is."""
    if not looks_like_html(text):
        return text.strip() or None
    title = _TITLE.search(text)
    return html.unescape(title[1]).strip() if title else None


def looks_like_html(text: str) -> bool:
    return text.lstrip()[:1] == "<"


def _first_text(*values: Value | None) -> str | None:
    texts = (scalar_text(value) for value in values if value is not None)
    return next((text for text in texts if text), None)
