"""Find the error that a model server reports within an answer whose status is a success.

Servers and gateways do that if they fail after the first token. No shape is documented; these
are those of OpenRouter, vLLM, FastAPI and Anthropic.
"""

from __future__ import annotations

from typing import Final

from webapp.exact_json import Number, Object, String, Value

_NO_ERROR: Final = frozenset({"null", "false", '""', "{}", "[]", "0"})
_WORDS: Final = ("message", "detail", "error", "error_msg")


def find_reported_error(answer: Object) -> str | None:
    """Find the error that an answer, or a chunk of one, reports, or None if it reports none."""
    error = answer.get("error")
    if error is not None and error.source not in _NO_ERROR:
        return _read_words(error)
    if "error" in (answer.text("object"), answer.text("type")):
        return _read_words(answer)
    choices = answer.items("choices")
    if choices is None:
        # An answer without choices can itself be the error.
        has_code = isinstance(answer.get("code"), String | Number) and answer.text("message")
        return _read_words(answer) if answer.get("detail") is not None or has_code else None
    for choice in choices:
        if not isinstance(choice, Object):
            continue
        error = choice.get("error")
        if error is not None and error.source not in _NO_ERROR:
            return _read_words(error)
        if choice.text("finish_reason") == "error":
            return 'the finish reason "error"'
    return None


def _read_words(error: Value) -> str:
    """Read the sentence in an error: its text, that of its first member with words, its JSON.

    That member can be an error itself, as in batches of Anthropic's.
    """
    while isinstance(error, Object):
        found = map(error.get, _WORDS)
        inner = next((one for one in found if one and one.source not in _NO_ERROR), None)
        if inner is None:
            break
        error = inner
    return error.text if isinstance(error, String) else error.source
