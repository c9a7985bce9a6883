"""A request to create a completion: what must be right before a model server is asked.

Owns its checks, in the API's words, and what of it is forwarded. Everything that is not checked
here is the model server's to judge. Knows nothing of how it is sent or stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from webapp.embedded.api.parameters import body_object, checked_metadata, missing, wrong_type
from webapp.embedded.errors import ApiError
from webapp.exact_json import Array, Boolean, Null, Object, String, Value

ROLES: Final = ("system", "assistant", "user", "function", "tool", "developer")

_OURS: Final = frozenset({"store", "metadata"})


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """The body of a create request; `is_stored` is whether it asks for the completion to be."""

    json: Object
    is_stored: bool

    @classmethod
    def from_body(cls, body: bytes) -> CreateRequest:
        """Raises `ApiError`."""
        asked = body_object(body)
        _check_model(asked.get("model"))
        _check_messages(asked.get("messages"))
        _check_metadata(asked.get("metadata"))
        return cls(asked, is_stored=_is_stored(asked.get("store")))

    def forwarded(self, *, with_store: bool) -> bytes:
        """The body for the model server, every member as it was written.

        `store` and `metadata` are left out unless `with_store`.
        """
        members = self.json.members
        kept = [one for one in members if with_store or one.name.text not in _OURS]
        text = self.json.document
        if len(kept) == len(members):
            return text.encode()
        copies = (text[one.name.start : one.value.end] for one in kept)
        return ("{" + ",".join(copies) + "}").encode()


def _check_model(model: Value | None) -> None:
    if model is None or isinstance(model, Null):
        raise ApiError("you must provide a model parameter")
    if not isinstance(model, String):
        raise wrong_type("model", "a string", model)


def _check_messages(messages: Value | None) -> None:
    if messages is None:
        raise missing("messages")
    if not isinstance(messages, Array):
        raise wrong_type("messages", "an array of objects", messages)
    if not messages.items:
        raise ApiError(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, "
            "but got an empty array instead.",
            param="messages",
            code="empty_array",
        )
    for index, message in enumerate(messages.items):
        _check_message(message, f"messages[{index}]")


def _check_message(message: Value, param: str) -> None:
    if not isinstance(message, Object):
        raise wrong_type(param, "an object", message)
    role = message.get("role")
    if role is None:
        raise missing(f"{param}.role")
    if not isinstance(role, String):
        raise wrong_type(f"{param}.role", f"one of {_listed('or')}", role)
    if role.text not in ROLES:
        raise ApiError(
            f"Invalid value: '{role.text}'. Supported values are: {_listed('and')}.",
            param=f"{param}.role",
            code="invalid_value",
        )


def _listed(conjunction: str) -> str:
    quoted = [f"'{role}'" for role in ROLES]
    return f"{', '.join(quoted[:-1])}, {conjunction} {quoted[-1]}"


def _check_metadata(metadata: Value | None) -> None:
    if metadata is None or isinstance(metadata, Null):
        return
    if not isinstance(metadata, Object):
        raise wrong_type("metadata", "an object", metadata)
    checked_metadata(metadata)


def _is_stored(store: Value | None) -> bool:
    if store is None or isinstance(store, Null):
        return False
    if not isinstance(store, Boolean):
        raise wrong_type("store", "a boolean", store)
    return store.value
