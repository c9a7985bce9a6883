"""Decode a response: bytes within bounds of time and size, then text, then the API's values.

The values are total, so only the outermost shape of a body can be wrong. Of a list that is too
large, the first completion is found in the beginning of the body.
"""

from __future__ import annotations

import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Final, Generic, TypeVar

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from webapp.completions import Completion
from webapp.exact_json import (
    Document,
    NotJson,
    Object,
    String,
    Value,
    decode_json,
    parse,
    write_object,
)
from webapp.exact_json.lexemes import TOKEN
from webapp.http.deadline import Deadline
from webapp.http.decompression import ENCODINGS, iter_decompressed
from webapp.ids import is_valid_id
from webapp.upstream.error_bodies import ErrorBody, is_html, is_unknown_route, read_error_body
from webapp.upstream.errors import BadAnswer, NotSupported, TimedOut, TooLarge, UpstreamError
from webapp.upstream.large_answers import LARGE, take_place

MAX_ERROR_BYTES: Final = 64 * 1024
"""Errors are shorter; the rest of a longer body is not read."""

MAX_BEGINNING: Final = 64 * 1024
"""The bytes kept of a body that is too large."""

_CHUNK: Final = 64 * 1024

T = TypeVar("T")

_READ: Final = frozenset(('"id"', '"created"', '"model"'))
_ITEM: Final = [("{", ""), ("[", '"data"'), ("{", "")]
"""The brackets around the members of an item, each with the name of its container."""


class NotAPage(ValueError):
    """The JSON is not a list in the API's form."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One cursor page, as sent.

    `has_more` and `total` are None if the server does not say, `first_id` and `last_id` if they
    are absent or null. `resume_after` is the cursor of our own server after a bounded search.
    """

    data: tuple[T, ...]
    has_more: bool | None
    first_id: str | None
    last_id: str | None
    json: Object
    total: int | None = None
    resume_after: str | None = None

    @classmethod
    def from_json(cls, json: Value, item: Callable[[Value], T]) -> Page[T]:
        """Parse a page, its items by `item`. Raises `NotAPage` without a `data` list."""
        if not isinstance(json, Object):
            raise NotAPage("expected an object with a `data` list")
        items = json.items("data")
        if items is None:
            raise NotAPage("expected a `data` list")
        return cls(
            data=tuple(item(value) for value in items),
            has_more=json.boolean("has_more"),
            first_id=json.text("first_id") or None,
            last_id=json.text("last_id") or None,
            json=json,
            total=json.integer("total"),
            resume_after=json.text("resume_after") or None,
        )


def read_text(response: requests.Response, *, deadline: Deadline, max_bytes: int) -> Document:
    """Read the whole body. Raises `BadAnswer`, `TimedOut` or `Busy`."""
    try:
        received = _receive(response, deadline, max_bytes)
        if len(received) > max_bytes:
            raise _too_large(received, response, max_bytes, deadline)
        body = _decompress(received, response, max_bytes, deadline)
        if len(body) > max_bytes:
            raise _too_large(received, response, max_bytes, deadline)
    except ReadTimeoutError as error:
        if deadline.has_passed:
            raise _unfinished(deadline) from error
        raise TimedOut(
            "The server stopped in the middle of its answer.", is_transient=True
        ) from error
    except (HTTPError, EOFError) as error:
        raise BadAnswer("The server's answer broke off.", is_transient=True) from error
    except zlib.error as error:
        raise BadAnswer("The server's answer is compressed, but damaged.") from error
    # UTF-8, whatever its charset claims, since JSON has no other. Wrong bytes are not replaced:
    # a replacement would be shown, copied and exported as if the server had stored it.
    try:
        return decode_json(body)
    except UnicodeDecodeError as error:
        raise BadAnswer(
            f"The server's answer is not UTF-8 (byte {error.start} of {len(body)})."
        ) from error


def read_error_text(response: requests.Response, *, deadline: Deadline) -> str:
    """Read as much of an error's body as can be read: its first 64 KiB, or nothing."""
    try:
        received = _receive(response, deadline, MAX_ERROR_BYTES)
        body = _decompress(received, response, MAX_ERROR_BYTES, deadline)
    except (HTTPError, EOFError, zlib.error, TimedOut, BadAnswer):
        return ""
    encoding = "utf-16" if body.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    return body[:MAX_ERROR_BYTES].decode(encoding, errors="replace")


def decode_page(text: Document, deadline: Deadline, *, read: Callable[[Value], T]) -> Page[T]:
    """Decode a page of items, each parsed by `read`. Raises `BadAnswer` or `TimeoutError`."""
    json = _parse(text, deadline)

    def read_in_time(value: Value) -> T:
        deadline.check()
        return read(value)

    try:
        return Page.from_json(json, read_in_time)
    except NotAPage as error:
        raise _wrong_shape(json, "a list") from error


def decode_completion(text: Document, deadline: Deadline) -> Completion:
    """Decode one completion. Raises `BadAnswer` or `TimeoutError`."""
    json = _parse(text, deadline)
    if not isinstance(json, Object) or not (json.get("id") or json.get("choices")):
        raise _wrong_shape(json, "a completion")
    return Completion.from_json(json)


def check_deletion(text: Document, deadline: Deadline) -> None:
    """Raise `BadAnswer` unless `text` may confirm a deletion: empty, or without denial and error.

    Raises `TimeoutError` too.
    """
    if isinstance(text, str) and not text.strip():
        return
    json = _parse(text, deadline)
    deleted = json.boolean("deleted") if isinstance(json, Object) else False
    if deleted is False or (deleted is None and _has_error(json)):
        raise _wrong_shape(json, "a deletion")


def _receive(response: requests.Response, deadline: Deadline, max_bytes: int) -> bytes:
    """Receive the bytes as sent: all of them, or somewhat more than `max_bytes` if there are more.

    Before it has many, the request of the reader takes its place.

    `read1` returns the bytes that have arrived; `read` and `stream` would block until a chunk
    is full, and a slow server never fills one.
    """
    # Its value is not a copy, as that of a bytearray would be.
    body = BytesIO()
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and len(announced) < 20 and min(int(announced), max_bytes) > LARGE:
        take_place(deadline.seconds / 2)
    while body.tell() <= max_bytes:
        if deadline.has_passed:
            raise _unfinished(deadline)
        chunk = response.raw.read1(_CHUNK, decode_content=False)
        if not chunk:
            break
        body.write(chunk)
        if body.tell() > LARGE:
            take_place(deadline.seconds / 2)
    return body.getvalue()


def _too_large(
    received: bytes, response: requests.Response, max_bytes: int, deadline: Deadline
) -> TooLarge:
    error = TooLarge(
        f"The server's answer is larger than {max_bytes:,} bytes.",
        advice="Ask for fewer at a time, as with limit=1 in the address, or raise "
        "READBACK_MAX_BYTES.",
    )
    with suppress(EOFError, zlib.error, BadAnswer):
        beginning = _decompress(received, response, MAX_BEGINNING, deadline)[:MAX_BEGINNING]
        error.beginning = beginning.decode("utf-8-sig", errors="replace")
    return error


def _unfinished(deadline: Deadline) -> TimedOut:
    return TimedOut(f"The server did not finish its answer in {deadline.seconds:g} seconds.")


def _decompress(
    data: bytes, response: requests.Response, max_bytes: int, deadline: Deadline
) -> bytes:
    """Decompress `data`, cut soon after `max_bytes` so that a bomb cannot unfold.

    Raises `EOFError` if the compressed data ends early, `zlib.error` if it is damaged, and
    `TimedOut`: many small members take longer than they took to arrive.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return data
    if encoding not in ENCODINGS:
        raise BadAnswer("The server's answer is compressed in a way Readback did not ask for.")
    pieces = []
    size = 0

    def iter_chunks() -> Iterator[bytes]:
        # In chunks, since the rest of one is copied with each piece.
        for start in range(0, len(data), _CHUNK):
            if deadline.has_passed:
                raise _unfinished(deadline)
            yield data[start : start + _CHUNK]

    for piece in iter_decompressed(iter_chunks(), encoding):
        pieces.append(piece)
        size += len(piece)
        if size > LARGE:
            take_place(deadline.seconds / 2)
        if size > max_bytes:
            break
    return b"".join(pieces)


def _parse(text: Document, deadline: Deadline) -> Value:
    try:
        return parse(text, check=deadline.check)
    except NotJson as error:
        written = text[:]
        if not written.strip():
            message = "The server answered with nothing."
        elif is_html(written):
            message = (
                "The server answered with a web page in place of JSON: the base URL may be "
                "wrong, or the API may require a login first."
            )
        else:
            message = f"The server's answer is not JSON: {error}."
        raise BadAnswer(message) from error


def _wrong_shape(json: Value, expected: str) -> UpstreamError:
    """Build the error that names the shape expected; some servers send errors with status 200.

    An answer too long for an error is not searched for one: that would have no deadline.
    """
    is_short = json.length <= MAX_ERROR_BYTES
    error = read_error_body(json) if is_short else ErrorBody()
    is_error = is_short and _has_error(json)
    if is_error and is_unknown_route(error):
        return NotSupported(
            "The server does not offer stored completions here.", server_message=error.message
        )
    return BadAnswer(
        "The server answered with an error, but with the status of a success."
        if is_error
        else f"The server's answer is JSON, but not {expected} as the API has it.",
        server_message=error.message,
    )


def _has_error(json: Value) -> bool:
    return isinstance(json, Object) and isinstance(json.get("error"), Object | String)


def find_cut_completion(beginning: str) -> Completion | None:
    """Find the first item of a list that is cut off inside it, as far as it arrived.

    That is its id, and its time and its model if they come before the cut. Return None if its
    id cannot be found, or if it is complete: then the answer is too large for another reason.
    """
    found: dict[str, str] = {}
    opened: list[tuple[str, str]] = []
    name, text = "", ""
    match = TOKEN.match(beginning)
    # The last lexeme is left out, since it may be cut off.
    while match is not None and match.end() < len(beginning):
        token = match[match.lastgroup or 0]
        match = TOKEN.match(beginning, match.end())
        if token in ("{", "["):
            opened.append((token, name))
            name = ""
        elif token in ("}", "]"):
            if not opened or opened in (_ITEM, _ITEM[:-1]):
                return None
            opened.pop()
            name = ""
        elif token == ":":
            name = text
        elif token == ",":
            name = ""
        elif name in _READ and opened == _ITEM:
            found[name] = token
        else:
            text = token
    members = (f"{name}:{value}" for name, value in found.items())
    try:
        completion = Completion.from_json(parse(write_object(members)))
    except NotJson:
        return None
    return completion if completion.id and is_valid_id(completion.id) else None
