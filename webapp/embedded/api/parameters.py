"""Parse and check the query and the body of a request, with the texts of its errors.

Those are 400; 413 for a body that is too large to parse, and `ServerBusy` if others are parsed.

Limits: API reference, "Metadata" (16 pairs, keys of 64 and values of 512 characters, all of them
strings) and "List Chat Completions".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from sys import getsizeof
from threading import Lock
from typing import Final, cast

from werkzeug.datastructures import MultiDict

from webapp.completions import MAX_METADATA_KEY, MAX_METADATA_PAIRS, MAX_METADATA_VALUE
from webapp.embedded.documents.api_json import one_line_source
from webapp.embedded.documents.records import Metadata, extract_pairs
from webapp.embedded.errors import ApiError, ServerBusy
from webapp.embedded.limits import MAX_VALUES, MAX_WIDE_TEXT
from webapp.embedded.store.pages import ListRequest, Order, PageRequest
from webapp.exact_json import (
    Array,
    Boolean,
    Document,
    NotJson,
    Null,
    Number,
    Object,
    String,
    Value,
    decode_json,
    parse,
    write_object,
)
from webapp.finding.query import SORTS, BadQuery, parse_query
from webapp.http.deadline import Deadline

DEFAULT_LIMIT: Final = 20
MIN_LIMIT: Final = 0
MAX_LIMIT: Final = 100
MAX_PARSE_SECONDS: Final = 20

_MAX_UPDATE_VALUES: Final = 1_000
"""JSON values of an update, which may have far fewer."""
_SMALL_BODY: Final = 64 * 1024
_parsing: Final = Lock()
"""Held by the larger body that a process parses: its pages need the interpreter too, and two would
take as long at once as one after the other."""

_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")
_FILTER: Final = re.compile(r"metadata\[(.*)\]", re.DOTALL)
_TYPE_NAMES: Final[dict[type[Value], str]] = {
    Null: "null",
    Boolean: "a boolean",
    Number: "a number",
    String: "a string",
    Array: "an array",
    Object: "an object",
}


class MissingParameter(ApiError):
    """A required member of the body is missing."""

    def __init__(self, param: str) -> None:
        super().__init__(
            f"Missing required parameter: '{param}'.",
            param=param,
            code="missing_required_parameter",
        )


class InvalidValue(ApiError):
    """A parameter has a value that it does not take."""

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message, param=param, code="invalid_value")


class WrongType(ApiError):
    """A member of the body has another type than `expected`."""

    def __init__(self, param: str, expected: str, value: Value) -> None:
        super().__init__(
            f"Invalid type for '{param}': "
            f"expected {expected}, but got {_TYPE_NAMES[type(value)]} instead.",
            param=param,
            code="invalid_type",
        )


def parse_page_request(query: MultiDict[str, str], *, default_order: Order) -> PageRequest:
    """Parse `after`, `limit` and `order`. Raise `ApiError` if one of them is invalid.

    An empty `after` is none, as clients send it for the first page.
    """
    if not query:
        return PageRequest(after=None, limit=DEFAULT_LIMIT, order=default_order)
    order = query.get("order", default_order)
    if order not in ("asc", "desc"):
        raise InvalidValue(
            "order", f"Invalid value: '{order}'. Supported values are: 'asc' and 'desc'."
        )
    limit = parse_limit(query.get("limit", str(DEFAULT_LIMIT)))
    return PageRequest(after=query.get("after") or None, limit=limit, order=cast(Order, order))


def parse_list_request(query: MultiDict[str, str]) -> ListRequest:
    """Parse the parameters that only our own pages send: `words`, `sort`, `conversations`.

    Raise `ApiError` if one of them is invalid.
    """
    sort = query.get("sort", "time")
    if sort not in SORTS:
        raise InvalidValue("sort", f"Invalid value: '{sort}'.")
    try:
        words = parse_query(query.get("words", ""))
    except BadQuery as problem:
        raise InvalidValue("words", str(problem)) from problem
    if words.terms:
        raise InvalidValue("words", "A list is filtered, not searched.")
    return ListRequest(words, sort, folds=query.get("conversations") == "folded")


def parse_limit(text: str) -> int:
    """Parse the size of a page. Raise `ApiError` if it is not an integer or out of range."""
    if not _INTEGER.fullmatch(text):
        raise ApiError(
            f"Invalid type for 'limit': expected an integer, but got '{text}' instead.",
            param="limit",
            code="invalid_type",
        )
    limit = int(text)
    if MIN_LIMIT <= limit <= MAX_LIMIT:
        return limit
    if limit < MIN_LIMIT:
        bound, expected, code = "below minimum", f">= {MIN_LIMIT}", "integer_below_min_value"
    else:
        bound, expected, code = "above maximum", f"<= {MAX_LIMIT}", "integer_above_max_value"
    raise ApiError(
        f"Invalid 'limit': integer {bound} value. "
        f"Expected a value {expected}, but got {limit} instead.",
        param="limit",
        code=code,
    )


def parse_metadata_filter(query: MultiDict[str, str]) -> list[tuple[str, str]]:
    """Parse the pairs of `metadata[key]=value`, all of which a completion must have.

    Raise `ApiError` if there are more than a completion can have.
    """
    pairs = [
        (match[1], value)
        for name, value in query.items(multi=True)
        if (match := _FILTER.fullmatch(name))
    ]
    _check_count(len(pairs))
    return pairs


def parse_metadata_update(body: bytes) -> Metadata:
    """Parse the new metadata in `body`, empty if it is null. Raise `ApiError` if invalid."""
    metadata = parse_body(body, max_values=_MAX_UPDATE_VALUES).get("metadata")
    if metadata is None:
        raise MissingParameter("metadata")
    if isinstance(metadata, Null):
        return Metadata("{}", ())
    return validate_metadata(metadata)


def parse_body(body: bytes, *, max_values: int = MAX_VALUES) -> Object:
    """Parse a request's body. Raise `ApiError` if it is not a JSON object."""
    try:
        with _take_turn(len(body)):
            deadline = Deadline.after(MAX_PARSE_SECONDS)
            value = parse(_decode(body), check=deadline.check, max_values=max_values)
    except TimeoutError as error:
        raise ApiError(
            f"The JSON body of your request takes longer than {MAX_PARSE_SECONDS} seconds to "
            "parse.",
            status=413,
            code="request_too_large",
        ) from error
    except (NotJson, UnicodeDecodeError) as error:
        raise ApiError(f"We could not parse the JSON body of your request: {error}.") from error
    if not isinstance(value, Object):
        raise ApiError(
            "Invalid type for the JSON body of your request: "
            f"expected an object, but got {_TYPE_NAMES[type(value)]} instead.",
            code="invalid_type",
        )
    return value


def _decode(body: bytes) -> Document:
    """Decode a body. Raise `ApiError` if its text would take too much memory."""
    document = decode_json(body)
    text = document if isinstance(document, str) else document.text
    if not text.isascii() and getsizeof(text) > MAX_WIDE_TEXT:
        raise ApiError(
            "The text of your request is too large: beside images and sounds, a request may have "
            f"{MAX_WIDE_TEXT // 4:,} characters if there are emoji among them.",
            status=413,
            code="request_too_large",
        )
    return document


@contextmanager
def _take_turn(size: int) -> Iterator[None]:
    """Wait until a body of `size` bytes may be parsed. Raise `ApiError` if that takes too long."""
    if size <= _SMALL_BODY:
        yield
        return
    if not _parsing.acquire(timeout=MAX_PARSE_SECONDS):
        raise ServerBusy
    try:
        yield
    finally:
        _parsing.release()


def validate_metadata(metadata: Value) -> Metadata:
    """Check the limits of `metadata`, and convert it for the store. Raises `ApiError`."""
    if not isinstance(metadata, Object):
        raise WrongType("metadata", "an object", metadata)
    members = {member.name.text: member for member in metadata.members}
    _check_count(len(members))
    for key, member in members.items():
        if len(key) > MAX_METADATA_KEY:
            raise ApiError(
                f"Invalid 'metadata': property name too long. Expected at most {MAX_METADATA_KEY} "
                f"characters, but got a name with {len(key)} characters instead.",
                param="metadata",
                code="string_above_max_length",
            )
        value = member.value
        if not isinstance(value, String):
            raise WrongType(f"metadata.{key}", "a string", value)
        if len(value.text) > MAX_METADATA_VALUE:
            raise ApiError(
                f"Invalid 'metadata.{key}': string too long. Expected a string with maximum "
                f"length {MAX_METADATA_VALUE}, but got a string with length {len(value.text)} "
                "instead.",
                param=f"metadata.{key}",
                code="string_above_max_length",
            )
    copies = (
        f"{one_line_source(one.name)}:{one_line_source(one.value)}" for one in members.values()
    )
    return Metadata(write_object(copies), extract_pairs(metadata))


def _check_count(pairs: int) -> None:
    if pairs > MAX_METADATA_PAIRS:
        raise ApiError(
            f"Invalid 'metadata': too many properties. Expected an object with at most "
            f"{MAX_METADATA_PAIRS} properties, but got an object with {pairs} properties instead.",
            param="metadata",
            code="object_above_max_properties",
        )
