"""The body of a request to create a completion: checked, and serialized for the model server.

Everything that is not checked here is left to the model server to judge.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from werkzeug.exceptions import RequestEntityTooLarge

from webapp.embedded.api.parameters import (
    InvalidValue,
    MissingParameter,
    WrongType,
    parse_body,
    validate_metadata,
)
from webapp.embedded.errors import ApiError, ServerBusy
from webapp.exact_json import Array, Boolean, Null, Object, String, Value, iter_encoded
from webapp.http.decompression import ENCODINGS, iter_decompressed

ROLES: Final = ("system", "assistant", "user", "function", "tool", "developer")

_OURS: Final = frozenset({"store", "metadata"})


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """A checked request; `is_stored` is its `store`, or None if that is missing."""

    json: Object
    is_stored: bool | None
    is_streamed: bool = False

    @classmethod
    def parse(cls, body: bytes) -> CreateRequest:
        """Parse `body`. Raise `ApiError` if a member that Readback needs is missing or wrong."""
        json = parse_body(body)
        model = _get(json, "model")
        if model is None:
            raise ApiError("you must provide a model parameter")
        if not isinstance(model, String):
            raise WrongType("model", "a string", model)
        _check_messages(json.get("messages"))
        metadata = _get(json, "metadata")
        if metadata is not None:
            validate_metadata(metadata)
        store = _get(json, "store")
        if not isinstance(store, Boolean | None):
            raise WrongType("store", "a boolean", store)
        return cls(
            json,
            is_stored=None if store is None else store.value,
            is_streamed=json.boolean("stream") is True,
        )

    def serialize(self, *, with_store: bool) -> bytes:
        """Write the body for the model server, with every member as the client wrote it.

        `store` and `metadata` are left out unless `with_store`.
        """
        members = self.json.members
        kept = [one for one in members if with_store or one.name.text not in _OURS]
        if len(kept) == len(members):
            return b"".join(self.json.iter_bytes())
        written = bytearray()
        for one in kept:
            written += b"," if written else b"{"
            for piece in iter_encoded(self.json.document, one.name.start, one.value.end):
                written += piece
        written += b"}"
        return bytes(written)


def decompress_body(
    body: bytes, encoding: str, *, max_bytes: int, holds_bytes: Callable[[int], bool]
) -> bytes:
    """Decompress a body by its `Content-Encoding`.

    Raise `ApiError` if that is another one than gzip and deflate, if the body is damaged, if it is
    larger than `max_bytes`, or if `holds_bytes` says that so many cannot be held now.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in ENCODINGS:
        raise ApiError(f"The body is compressed with {encoding!r}, not gzip.", status=415)
    pieces = bytearray()
    try:
        for piece in iter_decompressed([body], encoding):
            pieces += piece
            if len(pieces) > max_bytes:
                raise RequestEntityTooLarge
            if len(pieces) > len(body) and not holds_bytes(len(pieces)):
                raise ServerBusy
    except (EOFError, zlib.error) as error:
        raise ApiError(f"The body cannot be decompressed: {error}.") from error
    return bytes(pieces)


def _get(json: Object, name: str) -> Value | None:
    """Get a member; null counts as missing."""
    value = json.get(name)
    return None if isinstance(value, Null) else value


def _check_messages(messages: Value | None) -> None:
    if messages is None:
        raise MissingParameter("messages")
    if not isinstance(messages, Array):
        raise WrongType("messages", "an array of objects", messages)
    if not messages.items:
        raise ApiError(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, "
            "but got an empty array instead.",
            param="messages",
            code="empty_array",
        )
    for index, message in enumerate(messages.items):
        param = f"messages[{index}]"
        if not isinstance(message, Object):
            raise WrongType(param, "an object", message)
        role = message.get("role")
        if role is None:
            raise MissingParameter(f"{param}.role")
        if not isinstance(role, String):
            raise WrongType(f"{param}.role", f"one of {_list_roles('or')}", role)
        if role.text not in ROLES:
            raise InvalidValue(
                f"{param}.role",
                f"Invalid value: '{role.text}'. Supported values are: {_list_roles('and')}.",
            )


def _list_roles(conjunction: str) -> str:
    quoted = [f"'{role}'" for role in ROLES]
    return f"{', '.join(quoted[:-1])}, {conjunction} {quoted[-1]}"
