"""Recognize messages whose results of tools were cleared or shortened to save context."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from webapp.embedded.documents.passages import Said

_MAX_PLACEHOLDER: Final = 200
"""Characters of a text that may be longer than the result that it replaced."""


def holds_result(said: Said) -> bool:
    """Return whether a message has a result of a tool, as its text or as a part."""
    return said.is_result or bool(said.results)


def has_same_frame(old: Said, new: Said) -> bool:
    """Return whether two messages with results of tools differ in nothing else.

    Media in a result may be gone.
    """
    if not holds_result(old) or old.is_result != new.is_result:
        return False
    if old.is_result:
        return set(new.media) <= set(old.media)
    old, new = (
        Said(role=one.role, words=one.words, calls=one.calls, media=one.media) for one in (old, new)
    )
    return old.digest() == new.digest()


def count_cleared(earlier: Sequence[Said], later: Sequence[Said]) -> int | None:
    """Count the messages whose results are empty or at most half as long in the `later` request.

    None if the messages differ in anything else. A text that replaced one result may replace
    shorter ones too.
    """
    if len(earlier) != len(later):
        return None
    changed = [
        (old, new)
        for old, new in zip(earlier, later, strict=True)
        if old is not new and old.digest() != new.digest()
    ]
    if not all(has_same_frame(old, new) for old, new in changed):
        return None
    placeholders = {_join_results(new) for old, new in changed if _is_shorter(old, new)}
    placeholders = {text for text in placeholders if len(text) <= _MAX_PLACEHOLDER}
    if all(_is_shorter(old, new) or _join_results(new) in placeholders for old, new in changed):
        return len(changed)
    return None


def _is_shorter(old: Said, new: Said) -> bool:
    before, after = _join_results(old), _join_results(new)
    has_lost_media = len(new.media) < len(old.media) and len(after) <= _MAX_PLACEHOLDER
    return has_lost_media or not after or 2 * len(after) <= len(before)


def _join_results(said: Said) -> str:
    """Join the texts of the results of a message, without white space."""
    texts = (said.spoken, *said.results) if said.is_result else said.results
    return "".join("".join(texts).split())
