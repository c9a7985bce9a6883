"""Parse a completion from JSON into the record that the store saves."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from webapp.completions import scalar_text
from webapp.embedded.documents.api_json import (
    join_lines,
    serialize_completion,
    serialize_message,
    strip_whitespace,
)
from webapp.embedded.documents.facts import Facts, extract_facts
from webapp.embedded.documents.passages import Said, read_json
from webapp.exact_json import (
    Array,
    NotJson,
    Null,
    Object,
    String,
    TooManyValues,
    Value,
    parse,
    write_array,
    write_object,
)
from webapp.ids import MAX_ID_LENGTH, is_valid_id
from webapp.timestamps import parse_time

_ID_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH: Final = 29
MAX_OWN_ID_LENGTH: Final = MAX_ID_LENGTH - 16
"""Leaves room for `-{index}` in the ids of messages."""

_MAX_INDEXED_BYTES: Final = 1000
"""An index entry of PostgreSQL has at most 2,704 bytes, and ours hold two texts."""


class NotACompletion(ValueError):
    """The text cannot be stored as a completion; the message is the reason, for its author."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """A metadata object as compact JSON, and the pairs that a list can be filtered by."""

    json: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """One input message: the API's form of it, and its text exactly as imported."""

    id: str
    wire_json: str
    given_json: str


@dataclass(frozen=True, slots=True)
class CompletionRecord:
    """One completion to store.

    `created` is in unix seconds, 0 if the completion has no time, so that it counts as the oldest.
    `given_json` is the text as
    imported, with an empty list of messages. Texts that differ only in white space have the same
    `digest`.
    """

    id: str
    created: int
    model: str | None
    metadata: tuple[tuple[str, str], ...]
    digest: str
    wire_json: str
    given_json: str
    messages: tuple[MessageRecord, ...]
    facts: Facts


def parse_record(text: str) -> CompletionRecord:
    """Parse the completion in `text`. Raise `NotACompletion` if it holds none."""
    value = parse_json(text)
    if not isinstance(value, Object):
        raise NotACompletion("it is not a JSON object")
    return build_record(value)


def build_record(completion: Object) -> CompletionRecord:
    """Build the record of a completion. Raise `NotACompletion` if the object is not one.

    A completion on several lines is stored on one, so that it can be exported as JSONL.
    """
    if completion.contains("\n"):
        value = parse(join_lines(completion.source))
        assert isinstance(value, Object)
        completion = value
    messages = completion.get("messages")
    if not isinstance(messages, Array):
        raise NotACompletion("it has no `messages` list")
    if not isinstance(completion.get("choices"), Array):
        raise NotACompletion("it has no `choices` list")
    digest = hashlib.sha256(strip_whitespace(completion.source).encode())
    completion_id = _find_id(completion) or _make_id(digest.digest())
    model = completion.text("model")
    text = completion.document
    head, tail = text[completion.start : messages.start], text[messages.end : completion.end]
    return CompletionRecord(
        id=completion_id,
        created=parse_time(completion.get("created")) or 0,
        model=None if model is None else index_text(model),
        metadata=extract_pairs(completion.get("metadata")),
        digest=digest.hexdigest(),
        wire_json=serialize_completion(completion, completion_id),
        given_json=f"{head}[]{tail}",
        messages=_build_message_records(messages.items, completion_id),
        facts=extract_facts(completion, messages.items),
    )


def rename_record(record: CompletionRecord, new_id: str | None = None) -> CompletionRecord:
    """Rename the record to `new_id`, or to an id of the store's, with its own as `original_id`.

    The same completion gets the same id each time.
    """
    if record.id == new_id:
        return record
    head = parse(record.given_json)
    assert isinstance(head, Object)
    messages = write_array(message.given_json for message in record.messages)
    own_id = head.get("id")
    if new_id is None:
        new_id = _make_id(hashlib.sha256(f"{record.id}\n{record.digest}".encode()).digest())
    members = {member.name.source: member.value.source for member in head.members}
    members |= {'"id"': f'"{new_id}"', '"messages"': messages}
    if own_id is not None:
        members.setdefault('"original_id"', own_id.source)
    pairs = (f"{name}:{value}" for name, value in members.items())
    return parse_record(write_object(pairs))


def extract_pairs(metadata: Value | None) -> tuple[tuple[str, str], ...]:
    """Extract the metadata that a list can be filtered by: keys with scalar values, as text.

    If a key occurs twice, also as keys that are indexed as the same text, its last value counts.
    """
    if not isinstance(metadata, Object):
        return ()
    texts = {index_text(one.name.text): scalar_text(one.value) for one in metadata.members}
    return tuple((key, index_text(text)) for key, text in texts.items() if text is not None)


def index_text(text: str) -> str:
    """Convert `text` to the form in which it is indexed and searched.

    Lone surrogates, which have no UTF-8, and NUL, which PostgreSQL cannot store, are replaced. A
    text too long for an index is replaced by its digest.
    """
    text = text.replace("\0", "\ufffd")
    if not text.isascii():
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    encoded = text.encode()
    if len(encoded) <= _MAX_INDEXED_BYTES:
        return text
    return f"sha256 {hashlib.sha256(encoded).hexdigest()}"


def parse_json(text: str, *, max_values: int | None = None) -> Value:
    """Parse `text` as JSON. Raise `NotACompletion` with the position of the error if it fails."""
    try:
        value = parse(text, max_values=max_values)
    except TooManyValues as error:
        raise NotACompletion(
            f"it holds more than {max_values:,} JSON values, too many to be one completion"
        ) from error
    except NotJson as error:
        at = f"column {error.column}" if error.line == 1 else str(error).rpartition(" at ")[2]
        raise NotACompletion(f"it is not JSON: {error.problem} at {at}") from error
    if "\0" in text:
        raise NotACompletion(f"it is not JSON: a raw NUL at column {text.index(chr(0)) + 1}")
    return value


def parse_stored(text: str) -> Value | None:
    """Parse a text of the store; None if another program has damaged it."""
    try:
        return parse(text)
    except NotJson:
        return None


def read_stored(text: str) -> Said:
    """Read the message in a text of the store; an empty one if another program has damaged it."""
    message = parse_stored(text)
    return Said() if message is None else read_json(message)


def _find_id(completion: Object) -> str | None:
    """Find the completion's own id, or None if it has none, or only white space."""
    value = completion.get("id")
    if value is None or isinstance(value, Null):
        return None
    if isinstance(value, String) and not value.text.strip():
        return None
    if not isinstance(value, String):
        raise NotACompletion("its `id` is not a string")
    if not is_valid_id(value.text, max_length=MAX_OWN_ID_LENGTH):
        raise NotACompletion(
            "its `id` cannot be part of a URL: it needs 1 to 240 letters, digits and - . _ : ~"
        )
    return value.text


def _make_id(digest: bytes) -> str:
    """Make an id from the digest of a completion, the same one each time."""
    number = int.from_bytes(digest)
    characters = []
    for _ in range(_ID_LENGTH):
        number, at = divmod(number, len(_ID_ALPHABET))
        characters.append(_ID_ALPHABET[at])
    return "chatcmpl-" + "".join(characters)


def _build_message_records(
    messages: Sequence[Value], completion_id: str
) -> tuple[MessageRecord, ...]:
    """Keep the messages' own ids if they are distinct, else use `{completion_id}-{index}`."""
    numbered = [f"{completion_id}-{index}" for index in range(len(messages))]
    ids = []
    for message, number in zip(messages, numbered, strict=True):
        own = message.text("id") if isinstance(message, Object) else None
        is_valid = is_valid_id(own or "", max_length=MAX_OWN_ID_LENGTH)
        ids.append(own if own and is_valid else number)
    if len(set(ids)) < len(ids):
        ids = numbered
    return tuple(
        MessageRecord(message_id, serialize_message(message, message_id), message.source)
        for message_id, message in zip(ids, messages, strict=True)
    )
