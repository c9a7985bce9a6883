"""Find the error that a model server reports within an answer whose status is a success.

Servers and gateways do that if they fail after the first token. No shape is documented; these
are those of OpenRouter, vLLM, FastAPI and Anthropic.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from webapp.exact_json import Array, Boolean, NotJson, Number, Object, String, Value, parse

_NO_ERROR: Final = frozenset({"null", "false", '""', "{}", "[]", "0", '"0"'})
_WORDS: Final = (
    *("message", "detail", "error", "error_msg", "errorMessage", "error_message", "status_msg"),
    *("Message", "msg", "reason", "title"),
)
_STATUSES: Final = ("base_resp", "status", "header")
"""Objects with a code that is zero in each answer, and in each chunk of one, unless it failed."""
_FAILED: Final = frozenset({"error", "failed", "failure"})
_FIRST_FAILURE: Final = 400
_ENDINGS: Final = ("error", "exception")


def find_reported_error(answer: Object) -> str | None:
    """Find the error that an answer, or a chunk of one, reports, or None if it reports none."""
    error = answer.get("error")
    if error is not None and error.source not in _NO_ERROR:
        return read_words(error)
    if "error" in (answer.text("object"), answer.text("type")):
        return read_words(answer)
    for name in _STATUSES:
        status = answer.object(name)
        if status is not None and (status.integer("status_code") or status.integer("code")):
            return read_words(status)
    choices = answer.items("choices")
    if choices is None:
        # An answer without choices can itself be the error.
        return _find_bare_error(answer)
    for choice in choices:
        if not isinstance(choice, Object):
            continue
        error = choice.get("error")
        if error is not None and error.source not in _NO_ERROR:
            return read_words(error)
        if choice.text("finish_reason") == "error":
            return 'the finish reason "error"'
    return None


def _find_bare_error(answer: Object) -> str | None:
    """Find the error in an answer whose own members are those of one."""
    errors = answer.get("errors")
    if errors is not None and errors.source not in _NO_ERROR:
        return read_words(errors)
    for member in answer.members:
        # Bedrock names its events after their exceptions.
        if member.name.text.endswith("Exception") and isinstance(member.value, Object):
            return read_words(member.value)
    if answer.get("detail") is not None:
        return read_words(answer)
    words = read_words(answer)
    success, kind = answer.get("success"), answer.text("type") or answer.text("__type") or ""
    is_named = (
        isinstance(answer.get("code"), String | Number)
        or (answer.integer("status") or 0) >= _FIRST_FAILURE
        or answer.get("error_code") is not None
        or answer.get("error_msg") is not None
        or kind.casefold().endswith(_ENDINGS)
        or (answer.text("status") or "").casefold() in _FAILED
        or (isinstance(success, Boolean) and not success.value)
    )
    return words if is_named and words != answer.source else None


def read_words(error: Value) -> str:
    """Read the sentence in an error: its text, that of its first member with words, its JSON.

    That member can be an error itself, as in batches of Anthropic's. Of a list, it is the first.
    OpenRouter has the error of its provider as well.
    """
    raw = None
    while True:
        if isinstance(error, Array) and error.items:
            error = error.items[0]
        if not isinstance(error, Object):
            break
        metadata = error.object("metadata")
        raw = (metadata and metadata.text("raw")) or raw
        found = map(error.get, _WORDS)
        inner = next((one for one in found if one and one.source not in _NO_ERROR), None)
        if inner is None:
            break
        error = inner
    words = error.text if isinstance(error, String) else error.source
    if raw is None:
        return words
    with suppress(NotJson):
        raw = read_words(parse(raw))
    raw = raw.strip()
    return words if raw in words or raw in _NO_ERROR else f"{words} ({raw})"
