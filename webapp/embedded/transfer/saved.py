"""Detect saved answers of the stored completions API: completions, lists, pages of messages."""

from __future__ import annotations

from collections.abc import Sequence

from webapp.embedded.documents.from_files import (
    add_messages,
    copy_members,
    is_fit_id,
    merge_pages,
    parse_completion_id,
)
from webapp.embedded.documents.records import NotACompletion
from webapp.embedded.transfer.pieces import (
    Fragment,
    ImportFormat,
    Role,
    Whole,
    WholeOrFragment,
    parse_whole,
)
from webapp.exact_json import Array, Object, Value, write_object


def detect_completion(value: Object) -> list[WholeOrFragment] | None:
    """Detect a completion that has its messages."""
    if value.items("messages") is None or value.items("choices") is None:
        return None
    if is_fit_id(value.get("id")):
        return [Whole(ImportFormat.COMPLETION, value)]
    text = write_object(copy_members(value.members))
    return [parse_whole(ImportFormat.COMPLETION, text)]


def detect_page(value: Object) -> list[WholeOrFragment] | None:
    """Detect a saved page of the list of completions, or of a list of messages."""
    data = value.items("data")
    if data is None:
        return None
    if _is_message_page(value):
        ids = _collect_completion_ids([value])
        completion_id = ids.pop()
        if ids or completion_id is None:
            raise NotACompletion(
                "it is a page of messages whose ids do not say of which completion"
            )
        return [Fragment(ImportFormat.SAVED_MESSAGES, completion_id, Role.MESSAGES, value.source)]
    completions = [
        one for one in data if isinstance(one, Object) and one.items("choices") is not None
    ]
    if data and all(isinstance(one, Object) and one.items("spans") for one in data):
        return None
    if len(completions) == len(data):
        return [piece for one in completions for piece in _detect_listed(one)]
    raise NotACompletion("it is a list, but neither of completions nor of messages")


def _detect_listed(completion: Object) -> list[WholeOrFragment]:
    """Detect a completion in a list: with its messages, or to be joined with those by its id."""
    whole = detect_completion(completion)
    if whole is None and not _is_saved_completion(completion):
        raise NotACompletion("one of its completions has neither messages nor an id")
    return whole or [_build_saved_part(completion)]


def detect_saved_completion(value: Object) -> list[WholeOrFragment] | None:
    """Detect a completion whose messages are in pages of their own."""
    return [_build_saved_part(value)] if _is_saved_completion(value) else None


def detect_saved_both(value: Object) -> list[WholeOrFragment] | None:
    """Detect an object with a completion under one name and its messages under another."""
    bundle = detect_bundle([member.value for member in value.members])
    return [bundle[0]] if bundle else None


def detect_bundle(values: Sequence[Value]) -> tuple[Whole, frozenset[Value]] | None:
    """Find one saved completion with its pages of messages, and which of `values` they are.

    Return None unless there are exactly one completion and some messages that may be its own:
    values in one document belong together even if their ids do not say so.
    """
    completions = [value for value in values if _is_saved_completion(value)]
    pages = [value for value in values if isinstance(value, Object) and _is_message_page(value)]
    if len(completions) != 1 or not pages:
        return None
    [completion] = completions
    assert isinstance(completion, Object)
    if not _collect_completion_ids(pages) <= {None, completion.text("id")}:
        return None
    text = add_messages(completion, merge_pages(pages))
    return parse_whole(ImportFormat.SAVED_BOTH, text), frozenset({completion, *pages})


def _build_saved_part(completion: Object) -> Fragment:
    key = completion.text("id") or ""
    return Fragment(ImportFormat.SAVED_COMPLETION, key, Role.COMPLETION, completion.source)


def _is_saved_completion(value: Value) -> bool:
    if not isinstance(value, Object) or isinstance(value.get("messages"), Array):
        return False
    return value.items("choices") is not None and bool(value.text("id"))


def _is_message_page(value: Object) -> bool:
    data = value.items("data")
    return bool(data) and all(
        isinstance(one, Object) and one.get("role") is not None and one.get("choices") is None
        for one in data or ()
    )


def _collect_completion_ids(pages: Sequence[Object]) -> set[str | None]:
    return {parse_completion_id(message) for page in pages for message in page.items("data") or ()}
