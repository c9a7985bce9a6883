"""Detect the format of a JSON value by its shape: a whole completion, or a part of one.

Reads no files and stores nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from webapp.embedded.documents.from_chatgpt import from_chatgpt, is_chatgpt_conversation
from webapp.embedded.documents.from_datasets import (
    TURNS,
    from_preference,
    from_sharegpt,
    is_turn,
)
from webapp.embedded.documents.from_files import (
    add_messages,
    copy_members,
    from_fine_tuning,
    from_unanswered,
    is_fit_id,
    merge_pages,
    merge_request_response,
    parse_completion_id,
)
from webapp.embedded.documents.from_logs import from_logged_request
from webapp.embedded.documents.records import NotACompletion
from webapp.embedded.limits import MAX_IMPORTED_VALUES
from webapp.exact_json import Array, NotJson, Null, Object, String, Value, parse


class ImportFormat(Enum):
    """A format of imported values; its value is its name in the singular and the plural."""

    COMPLETION = ("completion with messages", "completions with messages")
    FINE_TUNING = ("fine-tuning example", "fine-tuning examples")
    UNANSWERED = ("conversation without an answer", "conversations without an answer")
    LOGGED = ("logged request of LiteLLM", "logged requests of LiteLLM")
    CHATGPT = ("branch of a ChatGPT conversation", "branches of ChatGPT conversations")
    SHAREGPT = ("ShareGPT conversation", "ShareGPT conversations")
    PREFERENCE = ("preference pair", "preference pairs")
    EXCHANGE = ("request with its response", "requests with their responses")
    BATCH_REQUEST = ("batch request", "batch requests")
    BATCH_RESPONSE = ("batch response", "batch responses")
    SAVED_COMPLETION = ("saved completion", "saved completions")
    SAVED_MESSAGES = ("saved page of messages", "saved pages of messages")
    SAVED_BOTH = ("saved completion with its messages", "saved completions with their messages")


FORMATS: Final = (
    "lines with `messages` and `choices`, as Readback exports them, fine-tuning examples, input "
    "and output files of the Batch API (together), requests with their responses, logs of LiteLLM, "
    "ShareGPT conversations, preference pairs, ChatGPT's `conversations.json`, and saved answers "
    "of the stored completions API"
)
"""All of them, in words that the command and the page show."""


class Role(Enum):
    """The role of a part in its completion."""

    REQUEST = "request"
    RESPONSE = "response"
    FAILURE = "failure"
    COMPLETION = "completion"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole completion, as JSON with `messages` and `choices`."""

    format: ImportFormat
    json: Object


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a completion; parts with the same `key` belong together.

    `text` is JSON, or the reason in words if the role is `FAILURE`.
    """

    format: ImportFormat
    key: str
    role: Role
    text: str


Piece: TypeAlias = Whole | Part
_Detector: TypeAlias = Callable[[Object], "Iterable[Piece] | None"]

_EXCHANGE_FIELDS: Final = (
    ("request", "response"),
    ("request_body", "response_body"),
    ("input", "output"),
)
_PREFERENCES: Final = (("chosen", "rejected"), ("preferred_output", "non_preferred_output"))
_MAX_WRAPPERS: Final = 3


def detect(value: Value) -> Iterable[Piece]:
    """Detect the format of `value`, and return the pieces that it holds.

    Raise `NotACompletion` if its format is unknown, or while iterating if a piece is bad.
    """
    if not isinstance(value, Object):
        raise NotACompletion("it is not a JSON object")
    for detector in _DETECTORS:
        pieces = detector(value)
        if pieces is not None:
            return pieces
    error = value.get("error")
    if error is not None and not isinstance(error, Null):
        raise NotACompletion("it is an error and not a completion")
    if value.items("messages") is None:
        raise NotACompletion("it has no `messages` list")
    raise NotACompletion("it has no `choices` list, and its messages are none")


def detect_bundle(values: Sequence[Value]) -> tuple[Whole, frozenset[Value]] | None:
    """Find one saved completion with its pages of messages, and which of `values` they are.

    Return None unless there are exactly one completion and some messages that may be its own:
    values in one document belong together even if their ids do not say so.
    """
    completions = [value for value in values if _is_saved_completion(value)]
    pages = [value for value in values if isinstance(value, Object) and _is_message_page(value)]
    if len(completions) != 1 or not pages:
        return None
    [completion] = completions
    assert isinstance(completion, Object)
    if not _collect_completion_ids(pages) <= {None, completion.text("id")}:
        return None
    text = add_messages(completion, merge_pages(pages))
    return _parse_whole(ImportFormat.SAVED_BOTH, text), frozenset({completion, *pages})


def _detect_completion(value: Object) -> list[Piece] | None:
    if value.items("messages") is None or value.items("choices") is None:
        return None
    if is_fit_id(value.get("id")):
        return [Whole(ImportFormat.COMPLETION, value)]
    text = "{" + ",".join(copy_members(value.members)) + "}"
    return [_parse_whole(ImportFormat.COMPLETION, text)]


def _detect_batch_request(value: Object) -> list[Piece] | None:
    key, body = value.text("custom_id"), value.object("body")
    if key is None or body is None:
        return None
    if body.items("messages") is None:
        raise NotACompletion("it is a batch request, but not for a chat completion")
    return [Part(ImportFormat.BATCH_REQUEST, key, Role.REQUEST, body.source)]


def _detect_batch_response(value: Object) -> list[Piece] | None:
    key = value.text("custom_id")
    if key is None or (value.get("response") is None and value.get("error") is None):
        return None
    body = _find_body(value.get("response"))
    if body is not None and body.items("choices") is not None:
        return [Part(ImportFormat.BATCH_RESPONSE, key, Role.RESPONSE, body.source)]
    error = value.object("error") or (body.object("error") if body else None)
    message = error.text("message") if error else None
    reason = f"the request failed: {message}" if message else "its response is no chat completion"
    return [Part(ImportFormat.BATCH_RESPONSE, key, Role.FAILURE, reason)]


def _detect_exchange(value: Object) -> list[Piece] | None:
    for request_field, response_field in _EXCHANGE_FIELDS:
        request = _find_body(value.get(request_field))
        response = _find_body(value.get(response_field))
        if request is None or response is None:
            continue
        if request.items("messages") is not None and response.items("choices") is not None:
            text = merge_request_response(request, response)
            return [_parse_whole(ImportFormat.EXCHANGE, text)]
    return None


def _detect_page(value: Object) -> list[Piece] | None:
    """Detect a saved page of the list of completions, or of a list of messages."""
    data = value.items("data")
    if data is None:
        return None
    if _is_message_page(value):
        ids = _collect_completion_ids([value])
        completion_id = ids.pop()
        if ids or completion_id is None:
            raise NotACompletion(
                "it is a page of messages whose ids do not say of which completion"
            )
        return [Part(ImportFormat.SAVED_MESSAGES, completion_id, Role.MESSAGES, value.source)]
    completions = [
        one for one in data if isinstance(one, Object) and one.items("choices") is not None
    ]
    if len(completions) == len(data):
        return [piece for one in completions for piece in _detect_listed(one)]
    raise NotACompletion("it is a list, but neither of completions nor of messages")


def _detect_listed(completion: Object) -> list[Piece]:
    """Detect a completion in a list: with its messages, or to be joined with those by its id."""
    whole = _detect_completion(completion)
    if whole is None and not _is_saved_completion(completion):
        raise NotACompletion("one of its completions has neither messages nor an id")
    return whole or [_build_saved_part(completion)]


def _detect_logged(value: Object) -> list[Piece] | None:
    """Detect a request that a gateway logged with its response; either may be JSON in a text."""
    messages, response = _parse_text(value.get("messages")), value.get("response")
    if not isinstance(messages, Array) or not messages.items or response is None:
        return None
    text = from_logged_request(value, messages, _parse_text(response) or response)
    return [_parse_whole(ImportFormat.LOGGED, text)]


def _detect_chatgpt(value: Object) -> Iterable[Piece] | None:
    if not is_chatgpt_conversation(value):
        return None
    return (_parse_whole(ImportFormat.CHATGPT, text) for text in from_chatgpt(value))


def _detect_sharegpt(value: Object) -> list[Piece] | None:
    for name in TURNS:
        turns = value.items(name)
        speakers = ("from",) if name == "messages" else ("from", "role")
        if turns and all(is_turn(turn, speakers=speakers) for turn in turns):
            return [_parse_whole(ImportFormat.SHAREGPT, from_sharegpt(value, name))]
    return None


def _detect_preference(value: Object) -> list[Piece] | None:
    for names in _PREFERENCES:
        if all(isinstance(value.get(name), String | Array | Object) for name in names):
            return [_parse_whole(ImportFormat.PREFERENCE, from_preference(value, *names))]
    return None


def _detect_fine_tuning(value: Object) -> list[Piece] | None:
    messages = value.items("messages")
    if not messages or not isinstance(messages[-1], Object):
        return None
    if messages[-1].text("role") != "assistant":
        return None
    return [_parse_whole(ImportFormat.FINE_TUNING, from_fine_tuning(value))]


def _detect_unanswered(value: Object) -> list[Piece] | None:
    """Detect a conversation whose last message is not an answer, such as one that waits for one."""
    messages = value.items("messages")
    if not messages or not isinstance(value.get("choices"), Null | None):
        return None
    if not all(isinstance(message, Object) and message.text("role") for message in messages):
        return None
    return [_parse_whole(ImportFormat.UNANSWERED, from_unanswered(value))]


def _detect_saved_completion(value: Object) -> list[Piece] | None:
    return [_build_saved_part(value)] if _is_saved_completion(value) else None


def _detect_saved_both(value: Object) -> list[Piece] | None:
    """Detect an object with a completion under one name and its messages under another."""
    bundle = detect_bundle([member.value for member in value.members])
    return [bundle[0]] if bundle else None


_DETECTORS: Final[tuple[_Detector, ...]] = (
    _detect_completion,
    _detect_batch_request,
    _detect_batch_response,
    _detect_exchange,
    _detect_page,
    _detect_chatgpt,
    _detect_preference,
    _detect_logged,
    _detect_sharegpt,
    _detect_fine_tuning,
    _detect_saved_completion,
    _detect_saved_both,
    _detect_unanswered,
)


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
        if value.get("body") is None:
            return value
        value = value.get("body")
    return None


def _parse_text(value: Value | None) -> Value | None:
    """Parse the list or object that is written as text in `value`; return others unchanged."""
    if isinstance(value, String):
        try:
            parsed = parse(value.text, max_values=MAX_IMPORTED_VALUES)
        except NotJson:
            return value
        return parsed if isinstance(parsed, Array | Object) else value
    return value


def _build_saved_part(completion: Object) -> Part:
    key = completion.text("id") or ""
    return Part(ImportFormat.SAVED_COMPLETION, key, Role.COMPLETION, completion.source)


def _is_saved_completion(value: Value) -> bool:
    if not isinstance(value, Object) or isinstance(value.get("messages"), Array):
        return False
    return value.items("choices") is not None and bool(value.text("id"))


def _is_message_page(value: Object) -> bool:
    data = value.items("data")
    return bool(data) and all(
        isinstance(one, Object) and one.get("role") is not None and one.get("choices") is None
        for one in data or ()
    )


def _collect_completion_ids(pages: Sequence[Object]) -> set[str | None]:
    return {parse_completion_id(message) for page in pages for message in page.items("data") or ()}


def _parse_whole(format_: ImportFormat, text: str) -> Whole:
    json = parse(text)
    assert isinstance(json, Object)
    return Whole(format_, json)
