"""The forms completions are kept in, told apart by their shape.

Owns what a JSON value is taken for; reads no files and stores nothing. A value is either
complete, or one of the parts of a completion that are put together by their key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from webapp.embedded.documents.from_files import (
    answered,
    from_fine_tuning,
    merge_pages,
    named_completion,
    with_messages,
)
from webapp.embedded.documents.records import NotACompletion
from webapp.exact_json import Array, NotJson, Null, Object, String, Value, parse


class Form(Enum):
    """What a value was recognised as: in the singular and the plural."""

    COMPLETION = ("completion with messages", "completions with messages")
    FINE_TUNING = ("fine-tuning example", "fine-tuning examples")
    EXCHANGE = ("request with its response", "requests with their responses")
    BATCH_REQUEST = ("batch request", "batch requests")
    BATCH_RESPONSE = ("batch response", "batch responses")
    SAVED_COMPLETION = ("saved completion", "saved completions")
    SAVED_MESSAGES = ("saved page of messages", "saved pages of messages")
    SAVED_BOTH = ("saved completion with its messages", "saved completions with their messages")


class Role(Enum):
    """What a part is to the completion it belongs to."""

    REQUEST = "request"
    RESPONSE = "response"
    FAILURE = "failure"
    COMPLETION = "completion"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Whole:
    """All of a completion, as JSON with `messages` and `choices`."""

    form: Form
    given: Object


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a completion; those with one `key` belong together.

    `text` is JSON, and for a failure the reason in words.
    """

    form: Form
    key: str
    role: Role
    text: str


Piece: TypeAlias = Whole | Part
_Reader: TypeAlias = Callable[[Object], "list[Piece] | None"]

_EXCHANGES: Final = (
    ("request", "response"),
    ("request_body", "response_body"),
    ("input", "output"),
)


def values_in(document: Value) -> tuple[Value, ...]:
    """What a document holds: the values of an array, or itself."""
    return document.items if isinstance(document, Array) else (document,)


def bundled(values: Sequence[Value]) -> tuple[Whole, frozenset[Value]] | None:
    """One saved completion with its pages of messages, and which of `values` they are.

    None unless there are exactly one completion and some messages that may be its own: by
    standing together they say what ids cannot.
    """
    completions = [value for value in values if _is_saved_completion(value)]
    pages = [value for value in values if isinstance(value, Object) and _is_messages(value)]
    if len(completions) != 1 or not pages:
        return None
    [completion] = completions
    assert isinstance(completion, Object)
    if not _named(pages) <= {None, completion.text("id")}:
        return None
    text = with_messages(completion, merge_pages(pages))
    return _whole(Form.SAVED_BOTH, text), frozenset({completion, *pages})


def recognised(value: Value) -> list[Piece]:
    """What `value` is. Raises `NotACompletion` when it is of no known form."""
    if not isinstance(value, Object):
        raise NotACompletion("it is not a JSON object")
    for read in _READERS:
        pieces = read(value)
        if pieces is not None:
            return pieces
    raise NotACompletion(_what_it_lacks(value))


def _completion(value: Object) -> list[Piece] | None:
    is_one = value.items("messages") is not None and value.items("choices") is not None
    return [Whole(Form.COMPLETION, value)] if is_one else None


def _batch_request(value: Object) -> list[Piece] | None:
    key, body = value.text("custom_id"), value.object("body")
    if key is None or body is None:
        return None
    if body.items("messages") is None:
        raise NotACompletion("it is a batch request, but not for a chat completion")
    return [Part(Form.BATCH_REQUEST, key, Role.REQUEST, body.source)]


def _batch_response(value: Object) -> list[Piece] | None:
    key = value.text("custom_id")
    if key is None or (value.get("response") is None and value.get("error") is None):
        return None
    body = _body(value.get("response"))
    if body is not None and body.items("choices") is not None:
        return [Part(Form.BATCH_RESPONSE, key, Role.RESPONSE, body.source)]
    return [Part(Form.BATCH_RESPONSE, key, Role.FAILURE, _failure(value, body))]


def _failure(response: Object, body: Object | None) -> str:
    error = response.object("error") or (body.object("error") if body else None)
    said = error.text("message") if error else None
    return f"the request failed: {said}" if said else "its response is no chat completion"


def _exchange(value: Object) -> list[Piece] | None:
    for asked, given in _EXCHANGES:
        request, response = _body(value.get(asked)), _body(value.get(given))
        if request is None or response is None:
            continue
        if request.items("messages") is not None and response.items("choices") is not None:
            return [_whole(Form.EXCHANGE, answered(request, response))]
    return None


def _body(value: Value | None) -> Object | None:
    """The object that a logged body is: as it is, as text, or in `body` beside a status."""
    for _ in range(3):
        if isinstance(value, String):
            value = _parsed(value.text)
        if not isinstance(value, Object):
            return None
        if value.get("body") is None:
            return value
        value = value.get("body")
    return None


def _parsed(text: str) -> Value | None:
    try:
        return parse(text)
    except NotJson:
        return None


def _page(value: Object) -> list[Piece] | None:
    """A saved answer of the list of completions, or of a list of messages."""
    data = value.items("data")
    if data is None:
        return None
    if _is_messages(value):
        return [_messages(value)]
    if all(map(_is_saved_completion, data)):
        return [_saved(one) for one in data if isinstance(one, Object)]
    raise NotACompletion("it is a list, but neither of completions nor of messages")


def _messages(page: Object) -> Part:
    names = _named([page])
    name = names.pop()
    if names or name is None:
        raise NotACompletion("it is a page of messages whose ids do not say of which completion")
    return Part(Form.SAVED_MESSAGES, name, Role.MESSAGES, page.source)


def _fine_tuning(value: Object) -> list[Piece] | None:
    messages = value.items("messages")
    if not messages or not isinstance(messages[-1], Object):
        return None
    if messages[-1].text("role") != "assistant":
        return None
    return [_whole(Form.FINE_TUNING, from_fine_tuning(value))]


def _saved_completion(value: Object) -> list[Piece] | None:
    return [_saved(value)] if _is_saved_completion(value) else None


def _saved_both(value: Object) -> list[Piece] | None:
    """An object that holds a completion under one name and its messages under another."""
    found = bundled([member.value for member in value.members])
    return [found[0]] if found else None


_READERS: Final[tuple[_Reader, ...]] = (
    _completion,
    _batch_request,
    _batch_response,
    _exchange,
    _page,
    _fine_tuning,
    _saved_completion,
    _saved_both,
)


def _saved(completion: Object) -> Part:
    return Part(
        Form.SAVED_COMPLETION, completion.text("id") or "", Role.COMPLETION, completion.source
    )


def _is_saved_completion(value: Value) -> bool:
    if not isinstance(value, Object) or isinstance(value.get("messages"), Array):
        return False
    return value.items("choices") is not None and bool(value.text("id"))


def _is_messages(value: Object) -> bool:
    data = value.items("data")
    return bool(data) and all(
        isinstance(one, Object) and one.get("role") is not None and one.get("choices") is None
        for one in data or ()
    )


def _named(pages: Sequence[Object]) -> set[str | None]:
    return {named_completion(message) for page in pages for message in page.items("data") or ()}


def _whole(form: Form, text: str) -> Whole:
    given = parse(text)
    assert isinstance(given, Object)
    return Whole(form, given)


def _what_it_lacks(value: Object) -> str:
    error = value.get("error")
    if error is not None and not isinstance(error, Null):
        return "it is an error and not a completion"
    if value.items("messages") is None:
        return "it has no `messages` list"
    return "it has no `choices` list, and its last message is no assistant's"
