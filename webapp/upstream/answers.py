"""Values read off the text of a 2xx answer, or one `BadAnswer` that says what is wrong with it.

Owns the border between any text and the API's values. The values themselves are total, so
only the outermost shape can be wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from webapp.completions import Completion, NotAPage, Page
from webapp.exact_json import NotJson, Object, Value, parse
from webapp.upstream.error_bodies import looks_like_html, said_in
from webapp.upstream.errors import BadAnswer

T = TypeVar("T")


def page(text: str, item: Callable[[Value], T]) -> Page[T]:
    """A page of what `item` reads. Raises `BadAnswer`."""
    json = _json(text)
    try:
        return Page.from_json(json, item)
    except NotAPage as error:
        raise _wrong_shape(text, "a list") from error


def completion(text: str) -> Completion:
    """A completion. Raises `BadAnswer`."""
    json = _json(text)
    if not isinstance(json, Object) or not (json.get("id") or json.get("choices")):
        raise _wrong_shape(text, "a completion")
    return Completion.from_json(json)


def check_deletion(text: str) -> None:
    """Raises `BadAnswer` unless `text` may confirm a deletion: empty, or without a denial."""
    if not text.strip():
        return
    json = _json(text)
    if not isinstance(json, Object) or json.boolean("deleted") is False:
        raise _wrong_shape(text, "a deletion")


def _json(text: str) -> Value:
    try:
        return parse(text)
    except NotJson as error:
        raise BadAnswer(_not_json_sentence(text, error)) from error


def _not_json_sentence(text: str, error: NotJson) -> str:
    if not text.strip():
        return "The server answered with nothing."
    if looks_like_html(text):
        return (
            "The server answered with a web page in place of JSON: the base URL may be wrong, or "
            "a login stands before the API."
        )
    return f"The server's answer is not JSON: {error}."


def _wrong_shape(text: str, expected: str) -> BadAnswer:
    """Says what was expected; some servers report their errors with status 200."""
    return BadAnswer(
        f"The server's answer is JSON, but not {expected} as the API has it.",
        server_message=said_in(text).message,
    )
