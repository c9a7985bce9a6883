"""Copy completions from a server into the store, one after the other, with retries.

A completion is stored with all of its messages or not at all, so an interrupted copy can be
resumed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from webapp.completions import Completion
from webapp.embedded import Store
from webapp.embedded.documents.from_files import add_messages
from webapp.embedded.documents.records import NotACompletion, parse_record, rename_record
from webapp.embedded.store.writing import Outcome
from webapp.exact_json import Object
from webapp.messages import Message
from webapp.transcript import Entry, mark_outputs
from webapp.upstream import (
    SYSTEM_CLOCK,
    Clock,
    Deadline,
    KeyRejected,
    RateLimited,
    Unreachable,
    Upstream,
    UpstreamError,
    compute_backoff,
    walk,
)

MAX_TRIES: Final = 6
LONGEST_WAIT: Final = 600.0
"""Seconds; the copier does not wait for a server that asks for more."""

_PAGE: Final = 100
_HOPELESS: Final = (KeyRejected, RateLimited, Unreachable)
"""The errors that the next completion would meet as well."""

T = TypeVar("T")


@dataclass(slots=True)
class CopyReport:
    """How many completions were copied, were stored already, and could not be copied.

    `conflicts` counts those whose id is stored with other content.
    """

    copied: int = 0
    stored_already: int = 0
    conflicts: int = 0
    failed: int = 0


class Copier:
    """Copies from `upstream` to `store`; `say` takes sentences for the user.

    `input_only` is true if the server is known to list only the input messages. With `keeps_both`,
    a completion whose id is stored with other content is stored under another id. It waits for up
    to `longest_wait` seconds before another try, and ends with the `deadline`, if there is one.
    """

    def __init__(
        self,
        upstream: Upstream,
        store: Store,
        *,
        input_only: bool,
        say: Callable[[str], None],
        clock: Clock = SYSTEM_CLOCK,
        keeps_both: bool = False,
        longest_wait: float = LONGEST_WAIT,
        deadline: Deadline | None = None,
    ) -> None:
        self._upstream = upstream
        self._store = store
        self._input_only = input_only
        self._say = say
        self._clock = clock
        self._keeps_both = keeps_both
        self._longest_wait = longest_wait
        self._deadline = deadline

    def list_completions(
        self, *, model: str | None = None, metadata: Mapping[str, str] | None = None
    ) -> Iterator[Completion]:
        """Yield the server's completions as listed, oldest first. Raises `UpstreamError`."""
        pages = walk(
            lambda after: self._retry(
                lambda: self._upstream.list_completions(
                    after=after, limit=_PAGE, order="asc", model=model, metadata=metadata
                )
            ),
            limit=_PAGE,
        )
        return (completion for page in pages for completion in page.data)

    def copy(self, wanted: Iterable[str | Completion], report: CopyReport) -> Iterator[None]:
        """Copy one completion, by its id or as listed, at each step and update `report`.

        Raises `UpstreamError` if the error would stop the other completions too.
        """
        for one in wanted:
            completion_id = one if isinstance(one, str) else one.id or ""
            try:
                match self.copy_one(completion_id, None if isinstance(one, str) else one):
                    case Outcome.ADDED:
                        report.copied += 1
                    case Outcome.UNCHANGED:
                        report.stored_already += 1
                    case Outcome.CONFLICT:
                        report.conflicts += 1
                        self._say(
                            f"{completion_id}: it is stored with other content, which was kept"
                        )
            except _HOPELESS:
                raise
            except (UpstreamError, NotACompletion) as error:
                report.failed += 1
                self._say(f"{completion_id}: {format_error(error)}")
            yield

    def copy_one(self, completion_id: str, listed: Completion | None = None) -> Outcome:
        """Copy a completion unless it is stored; its `listed` form shows if it is.

        Raises `UpstreamError`, and `NotACompletion` if it cannot be stored.
        """
        stored = self._store.retrieve_completion(completion_id)
        is_listed = stored is not None and listed is not None
        if stored is None or listed is None:
            listed = self._retry(lambda: self._retrieve(completion_id))
        if stored is not None and listed.id == completion_id:
            if is_same_answer(stored, listed.json.source):
                return Outcome.UNCHANGED
            if not self._keeps_both:
                return Outcome.CONFLICT
            if is_listed:
                listed = self._retry(lambda: self._retrieve(completion_id))
        return self._add(completion_id, listed)

    def _retrieve(self, completion_id: str) -> Completion:
        return self._upstream.retrieve_completion(completion_id, deadline=self._deadline)

    def _add(self, completion_id: str, completion: Completion) -> Outcome:
        """Store a completion with its messages, if need be under another id."""
        if completion.id != completion_id or not isinstance(completion.json, Object):
            raise NotACompletion("the server gave another completion")
        pages = walk(
            lambda after: self._retry(
                lambda: self._upstream.list_messages(
                    completion_id,
                    after=after,
                    limit=_PAGE,
                    order="asc",
                    deadline=self._deadline,
                )
            ),
            limit=_PAGE,
        )
        listed = [message for page in pages for message in page.data]
        messages = drop_answers(completion, listed, input_only=self._input_only)
        record = parse_record(add_messages(completion.json, (one.json for one in messages)))
        (outcome,) = self._store.add([record])
        if outcome is Outcome.CONFLICT and self._keeps_both:
            record = rename_record(record)
            (outcome,) = self._store.add([record])
            if outcome is Outcome.ADDED:
                self._say(
                    f"{completion_id}: it is stored with other content; "
                    f"this one is kept as {record.id}"
                )
        return outcome

    def _retry(self, call: Callable[[], T]) -> T:
        """Call `call`, again while its errors are transient, and return its result."""
        for tries in range(MAX_TRIES - 1):
            try:
                return call()
            except UpstreamError as error:
                wait = error.retry_after or compute_backoff(tries)
                if not error.is_transient or wait > self._longest_wait:
                    raise
                if self._deadline is not None and not self._deadline.leaves(wait):
                    raise
                self._say(f"{error} Waiting {wait:.0f} s.")
            self._clock.sleep(wait)
        return call()


def is_same_answer(stored: str, sent: str) -> bool:
    """Return whether two JSON texts of one id are of the same time and have the same choices.

    Members that are null or empty do not count, since servers differ in them, nor do members
    that only one of the two has, nor the metadata, which change.
    """
    try:
        # Numbers stay texts: a number may have more digits than Python converts.
        one, other = (json.loads(text, parse_int=str, parse_float=str) for text in (stored, sent))
        return all(
            _drop_empty(one[name]) == _drop_empty(other[name])
            for name in ("choices", "created")
            if one.get(name) and other.get(name)
        )
    except RecursionError:
        return False


def _drop_empty(value: Any) -> Any:
    if isinstance(value, list):
        return [_drop_empty(item) for item in value]
    if isinstance(value, dict):
        slim = {name: _drop_empty(item) for name, item in value.items()}
        return {name: item for name, item in slim.items() if item not in (None, [], {})}
    return value


def drop_answers(
    completion: Completion, messages: Sequence[Message], *, input_only: bool
) -> list[Message]:
    """Leave out the answers, which some servers list after the input.

    The answers are in the completion's choices; our server, like the API, lists input only.
    """
    entries = [Entry(message, number) for number, message in enumerate(messages, start=1)]
    tail = messages[max(0, len(messages) - len(completion.choices)) :]
    mark_outputs(entries, completion, tail=tail, input_only=input_only)
    return [entry.message for entry in entries if entry.choice is None]


def format_error(error: Exception) -> str:
    """Format the error's message with the server's own words."""
    said = error.server_message if isinstance(error, UpstreamError) else None
    return f"{error} It said: {said}" if said else str(error)
