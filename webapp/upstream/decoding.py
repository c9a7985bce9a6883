"""Values read off the text of a 2xx answer, or one `BadAnswer` that says what is wrong with it.

Owns the border between any text and the API's values. The values themselves are total, so
only the outermost shape can be wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from webapp.completions import Completion, NotAPage, Page
from webapp.exact_json import NotJson, Object, Value, parse
from webapp.upstream.deadline import Deadline
from webapp.upstream.error_bodies import looks_like_html, said_in_json
from webapp.upstream.errors import BadAnswer, TimedOut

T = TypeVar("T")


def page(text: str, item: Callable[[Value], T], *, deadline: Deadline) -> Page[T]:
    """A page of what `item` reads. Raises `BadAnswer` or `TimedOut`."""
    json = _json(text, deadline)

    def read(value: Value) -> T:
        deadline.check()
        return item(value)

    try:
        with _in_time(deadline):
            return Page.from_json(json, read)
    except NotAPage as error:
        raise _wrong_shape(json, "a list") from error


def completion(text: str, *, deadline: Deadline) -> Completion:
    """A completion. Raises `BadAnswer` or `TimedOut`."""
    json = _json(text, deadline)
    if not isinstance(json, Object) or not (json.get("id") or json.get("choices")):
        raise _wrong_shape(json, "a completion")
    return Completion.from_json(json)


def check_deletion(text: str, *, deadline: Deadline) -> None:
    """Raises `BadAnswer` unless `text` may confirm a deletion: empty, or without a denial."""
    if not text.strip():
        return
    json = _json(text, deadline)
    if not isinstance(json, Object) or json.boolean("deleted") is False:
        raise _wrong_shape(json, "a deletion")


def _json(text: str, deadline: Deadline) -> Value:
    try:
        with _in_time(deadline):
            return parse(text, check=deadline.check)
    except NotJson as error:
        raise BadAnswer(_not_json_sentence(text, error)) from error


@contextmanager
def _in_time(deadline: Deadline) -> Iterator[None]:
    """Brackets by the million take longer to read than to send."""
    try:
        yield
    except TimeoutError as error:
        raise TimedOut(
            f"The server's answer is too much to be read in {deadline.seconds:g} seconds."
        ) from error


def _not_json_sentence(text: str, error: NotJson) -> str:
    if not text.strip():
        return "The server answered with nothing."
    if looks_like_html(text):
        return (
            "The server answered with a web page in place of JSON: the base URL may be wrong, or "
            "a login stands before the API."
        )
    return f"The server's answer is not JSON: {error}."


def _wrong_shape(json: Value, expected: str) -> BadAnswer:
    """Says what was expected; some servers report their errors with status 200."""
    return BadAnswer(
        f"The server's answer is JSON, but not {expected} as the API has it.",
        server_message=said_in_json(json).message,
    )
