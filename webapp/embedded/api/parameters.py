"""What a request asks for, checked: page, filters and the body of a metadata update.

Owns the limits and the wording of every 400. Limits: API reference, "Metadata" (16 pairs, keys
of 64 and values of 512 characters, all strings) and "List Chat Completions".
"""

from __future__ import annotations

import re
from typing import Final

from werkzeug.datastructures import MultiDict

from webapp.embedded.documents.api_json import written
from webapp.embedded.documents.records import Metadata, searchable_pairs
from webapp.embedded.errors import ApiError
from webapp.embedded.store.pages import Order, PageRequest
from webapp.exact_json import Array, Boolean, NotJson, Null, Number, Object, String, Value, parse

DEFAULT_LIMIT: Final = 20
MIN_LIMIT: Final = 0
MAX_LIMIT: Final = 100
MAX_PAIRS: Final = 16
MAX_KEY_LENGTH: Final = 64
MAX_VALUE_LENGTH: Final = 512

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_FILTER = re.compile(r"metadata\[(.*)\]", re.DOTALL)
_TYPE_NAMES: Final[dict[type[Value], str]] = {
    Null: "null",
    Boolean: "a boolean",
    Number: "a number",
    String: "a string",
    Array: "an array",
    Object: "an object",
}


def page_request(query: MultiDict[str, str], *, default_order: Order) -> PageRequest:
    """`after`, `limit` and `order` of a list. Raises `ApiError`."""
    return PageRequest(
        after=query.get("after"), limit=_limit(query), order=_order(query, default_order)
    )


def metadata_filter(query: MultiDict[str, str]) -> list[tuple[str, str]]:
    """The pairs of `metadata[key]=value`, all of which must hold. Raises `ApiError`."""
    pairs = [
        (match[1], value)
        for name, value in query.items(multi=True)
        if (match := _FILTER.fullmatch(name))
    ]
    _check_count(len(pairs))
    return pairs


def unknown_cursor(after: str) -> ApiError:
    return ApiError(
        f"Invalid value for 'after': '{after}' is not the id of an item in this list.",
        param="after",
        code="invalid_value",
    )


def metadata_update(body: bytes) -> Metadata:
    """The new metadata in the body of an update; null stands for none. Raises `ApiError`."""
    metadata = body_object(body).get("metadata")
    if metadata is None:
        raise missing("metadata")
    if isinstance(metadata, Null):
        return Metadata("{}", ())
    if not isinstance(metadata, Object):
        raise wrong_type("metadata", "an object", metadata)
    return checked_metadata(metadata)


def _limit(query: MultiDict[str, str]) -> int:
    given = query.get("limit")
    if given is None:
        return DEFAULT_LIMIT
    if not _INTEGER.fullmatch(given):
        raise ApiError(
            f"Invalid type for 'limit': expected an integer, but got '{given}' instead.",
            param="limit",
            code="invalid_type",
        )
    limit = int(given)
    if limit < MIN_LIMIT:
        raise _limit_out_of_range("below min", f">= {MIN_LIMIT}", limit)
    if limit > MAX_LIMIT:
        raise _limit_out_of_range("above max", f"<= {MAX_LIMIT}", limit)
    return limit


def _limit_out_of_range(problem: str, expected: str, limit: int) -> ApiError:
    return ApiError(
        f"Invalid 'limit': integer {problem}imum value. "
        f"Expected a value {expected}, but got {limit} instead.",
        param="limit",
        code=f"integer_{problem.replace(' ', '_')}_value",
    )


def _order(query: MultiDict[str, str], default: Order) -> Order:
    match query.get("order", default):
        case "asc":
            return "asc"
        case "desc":
            return "desc"
        case other:
            raise ApiError(
                f"Invalid value: '{other}'. Supported values are: 'asc' and 'desc'.",
                param="order",
                code="invalid_value",
            )


def body_object(body: bytes) -> Object:
    """The JSON object that is a request's body. Raises `ApiError`."""
    try:
        value = parse(body.decode())
    except (NotJson, UnicodeDecodeError) as error:
        raise ApiError(f"We could not parse the JSON body of your request: {error}.") from error
    if not isinstance(value, Object):
        raise ApiError(
            "Invalid type for the JSON body of your request: "
            f"expected an object, but got {_TYPE_NAMES[type(value)]} instead.",
            code="invalid_type",
        )
    return value


def checked_metadata(metadata: Object) -> Metadata:
    """`metadata` where it is within the limits. Raises `ApiError`."""
    members = {member.name.text: member for member in metadata.members}
    _check_count(len(members))
    for key, member in members.items():
        _check_pair(key, member.value)
    copies = (f"{written(one.name)}:{written(one.value)}" for one in members.values())
    return Metadata("{" + ",".join(copies) + "}", searchable_pairs(metadata))


def _check_count(pairs: int) -> None:
    if pairs > MAX_PAIRS:
        raise ApiError(
            f"Invalid 'metadata': too many properties. Expected an object with at most "
            f"{MAX_PAIRS} properties, but got an object with {pairs} properties instead.",
            param="metadata",
            code="object_above_max_properties",
        )


def _check_pair(key: str, value: Value) -> None:
    if len(key) > MAX_KEY_LENGTH:
        raise ApiError(
            f"Invalid 'metadata': property name too long. Expected at most {MAX_KEY_LENGTH} "
            f"characters, but got a name with {len(key)} characters instead.",
            param="metadata",
            code="string_above_max_length",
        )
    if not isinstance(value, String):
        raise wrong_type(f"metadata.{key}", "a string", value)
    if len(value.text) > MAX_VALUE_LENGTH:
        raise ApiError(
            f"Invalid 'metadata.{key}': string too long. Expected a string with maximum length "
            f"{MAX_VALUE_LENGTH}, but got a string with length {len(value.text)} instead.",
            param=f"metadata.{key}",
            code="string_above_max_length",
        )


def missing(param: str) -> ApiError:
    return ApiError(
        f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter"
    )


def wrong_type(param: str, expected: str, value: Value) -> ApiError:
    return ApiError(
        f"Invalid type for '{param}': "
        f"expected {expected}, but got {_TYPE_NAMES[type(value)]} instead.",
        param=param,
        code="invalid_type",
    )
