"""What is given to the store: one completion read from its JSON text, ready to be kept.

Owns which texts count as a completion, its id and its sort and search values. Knows the wire
form only by name, and nothing of files or databases.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from webapp.completions import scalar_text
from webapp.embedded.documents.api_json import (
    completion_json,
    message_json,
    one_line,
    strip_whitespace,
)
from webapp.exact_json import Array, NotJson, Null, Number, Object, String, Value, parse
from webapp.ids import MAX_ID_LENGTH, is_valid_id

_ID_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MAX_ID_LENGTH: Final = MAX_ID_LENGTH - 16
"""Leaves room for `-{index}` in the ids of messages."""
_ID_LENGTH: Final = 29
_FURTHEST: Final = 2**62
"""Beyond any time; `created` is kept within it so that every database can sort by it."""

_LONGEST_SEARCHED: Final = 1000
"""In bytes: an entry of an index of PostgreSQL holds 2,704, and one of ours two texts."""


class NotACompletion(ValueError):
    """The text cannot be stored as a completion; the message says why, for its author."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """A metadata object as compact JSON, and the pairs a list can be filtered by."""

    json: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """One input message: what the API answers, and the exact text it was given as."""

    id: str
    wire_json: str
    given_json: str


@dataclass(frozen=True, slots=True)
class CompletionRecord:
    """One completion to store.

    `created` is in unix seconds, 0 where none was given. `given_json` is the given text with
    the list of messages emptied. Texts that differ in white space alone have one `digest`.
    """

    id: str
    created: int
    model: str | None
    metadata: tuple[tuple[str, str], ...]
    digest: str
    wire_json: str
    given_json: str
    messages: tuple[MessageRecord, ...]


def read_completion(text: str) -> CompletionRecord:
    """The completion that `text` holds as JSON. Raises `NotACompletion`."""
    given = read_json(text)
    if not isinstance(given, Object):
        raise NotACompletion("it is not a JSON object")
    return completion_of(given)


def completion_of(given: Object) -> CompletionRecord:
    """The completion that a JSON object is. Raises `NotACompletion`.

    What stands on several lines is kept on one, so that it can be written to a line again.
    """
    given = _on_one_line(given)
    text = given.source
    messages = given.get("messages")
    if not isinstance(messages, Array):
        raise NotACompletion("it has no `messages` list")
    if not isinstance(given.get("choices"), Array):
        raise NotACompletion("it has no `choices` list")
    digest = hashlib.sha256(strip_whitespace(text).encode())
    completion_id = _completion_id(given, digest.digest())
    model = given.text("model")
    return CompletionRecord(
        id=completion_id,
        created=_seconds(given.get("created")),
        model=None if model is None else index_text(model),
        metadata=searchable_pairs(given.get("metadata")),
        digest=digest.hexdigest(),
        wire_json=completion_json(given, completion_id),
        given_json=_without(given, messages),
        messages=_messages(messages.items, completion_id),
    )


def searchable_pairs(metadata: Value | None) -> tuple[tuple[str, str], ...]:
    """The keys with a scalar value, as text; of a key that stands twice the last."""
    if not isinstance(metadata, Object):
        return ()
    texts = {member.name.text: scalar_text(member.value) for member in metadata.members}
    return tuple(
        (index_text(key), index_text(text)) for key, text in texts.items() if text is not None
    )


def index_text(text: str) -> str:
    """`text` as the columns that are searched hold it, and as it is searched for.

    Lone surrogates, which have no UTF-8, and NUL, which PostgreSQL has not, are replaced; a
    text too long for an index stands there as its digest.
    """
    text = text.replace("\0", "\ufffd")
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    encoded = text.encode()
    if len(encoded) <= _LONGEST_SEARCHED:
        return text
    return f"sha256 {hashlib.sha256(encoded).hexdigest()}"


def read_json(text: str) -> Value:
    """The JSON that `text` holds. Raises `NotACompletion`."""
    try:
        given = parse(text)
    except NotJson as error:
        place = f"column {error.column}" if error.line == 1 else str(error).rpartition(" at ")[2]
        raise NotACompletion(f"it is not JSON: {error.problem} at {place}") from error
    if "\0" in text:
        raise NotACompletion(f"it is not JSON: a raw NUL at column {text.index(chr(0)) + 1}")
    return given


def _on_one_line(given: Object) -> Object:
    if given.document.find("\n", given.start, given.end) < 0:
        return given
    value = parse(one_line(given.source))
    assert isinstance(value, Object)
    return value


def _without(given: Object, messages: Array) -> str:
    text = given.document
    return f"{text[given.start : messages.start]}[]{text[messages.end : given.end]}"


def _completion_id(given: Object, digest: bytes) -> str:
    """The given id; one made from the content where none was given, the same each time."""
    value = given.get("id")
    if value is None or isinstance(value, Null):
        return f"chatcmpl-{_id_characters(digest)}"
    if not isinstance(value, String):
        raise NotACompletion("its `id` is not a string")
    if not is_valid_id(value.text, max_length=_MAX_ID_LENGTH):
        raise NotACompletion(
            "its `id` cannot be part of a URL: it needs 1 to 240 letters, digits and - . _ : ~"
        )
    return value.text


def _id_characters(digest: bytes) -> str:
    number = int.from_bytes(digest)
    characters = []
    for _ in range(_ID_LENGTH):
        number, at = divmod(number, len(_ID_ALPHABET))
        characters.append(_ID_ALPHABET[at])
    return "".join(characters)


def _seconds(created: Value | None) -> int:
    if not isinstance(created, Number):
        return 0
    seconds = created.integer
    if seconds is None:
        seconds = _whole(float(created.source))
    return max(-_FURTHEST, min(seconds, _FURTHEST))


def _whole(seconds: float) -> int:
    """Whole seconds; 0 for NaN and the infinities."""
    try:
        return int(seconds)
    except (ValueError, OverflowError):
        return 0


def _messages(values: Sequence[Value], completion_id: str) -> tuple[MessageRecord, ...]:
    ids = _message_ids(values, completion_id)
    return tuple(
        MessageRecord(message_id, message_json(value, message_id), value.source)
        for message_id, value in zip(ids, values, strict=True)
    )


def _message_ids(values: Sequence[Value], completion_id: str) -> list[str]:
    """The messages' own ids where they are distinct, `{completion_id}-{index}` otherwise."""
    numbered = [f"{completion_id}-{index}" for index in range(len(values))]
    own = [_own_id(value) or number for value, number in zip(values, numbered, strict=True)]
    return own if len(set(own)) == len(own) else numbered


def _own_id(message: Value) -> str | None:
    own = message.text("id") if isinstance(message, Object) else None
    return own if own and is_valid_id(own, max_length=_MAX_ID_LENGTH) else None
