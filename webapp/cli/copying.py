"""Copy completions from a server into the store, one after the other, with retries.

A completion is stored with all of its messages or not at all, so an interrupted copy can be
resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from webapp.completions import Completion
from webapp.embedded import Store
from webapp.embedded.documents.from_files import add_messages
from webapp.embedded.documents.records import NotACompletion, parse_record
from webapp.embedded.store.store import Outcome
from webapp.exact_json import Object
from webapp.messages import Message
from webapp.transcript import Entry, mark_outputs
from webapp.upstream import (
    SYSTEM_CLOCK,
    Clock,
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
    """How many completions were copied, were stored already, and could not be copied."""

    copied: int = 0
    stored_already: int = 0
    failed: int = 0


class Copier:
    """Copies from `upstream` to `store`; `say` takes sentences for the user.

    `input_only` is true if the server is known to list only the input messages.
    """

    def __init__(
        self,
        upstream: Upstream,
        store: Store,
        *,
        input_only: bool,
        say: Callable[[str], None],
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._upstream = upstream
        self._store = store
        self._input_only = input_only
        self._say = say
        self._clock = clock

    def list_ids(
        self, *, model: str | None = None, metadata: Mapping[str, str] | None = None
    ) -> Iterator[str]:
        """Yield the ids of the server's completions, oldest first. Raises `UpstreamError`."""
        pages = walk(
            lambda after: self._retry(
                lambda: self._upstream.list_completions(
                    after=after, limit=_PAGE, order="asc", model=model, metadata=metadata
                )
            ),
            limit=_PAGE,
        )
        return (completion.id or "" for page in pages for completion in page.data)

    def copy(self, ids: Iterable[str], report: CopyReport) -> Iterator[None]:
        """Copy one completion at each step and update `report`.

        Raises `UpstreamError` if the error would stop the other completions too.
        """
        for completion_id in ids:
            try:
                self._count(self._copy(completion_id), report)
            except _HOPELESS:
                raise
            except (UpstreamError, NotACompletion) as error:
                report.failed += 1
                self._say(f"{completion_id}: {format_error(error)}")
            yield

    def _count(self, outcome: Outcome, report: CopyReport) -> None:
        if outcome is Outcome.ADDED:
            report.copied += 1
        else:
            report.stored_already += 1

    def _copy(self, completion_id: str) -> Outcome:
        if self._store.retrieve_completion(completion_id) is not None:
            return Outcome.UNCHANGED
        completion = self._retry(lambda: self._upstream.retrieve_completion(completion_id))
        if completion.id != completion_id or not isinstance(completion.json, Object):
            raise NotACompletion("the server gave another completion")
        messages = input_messages(
            completion, self._messages(completion_id), input_only=self._input_only
        )
        text = add_messages(completion.json, (message.json for message in messages))
        return self._store.add([parse_record(text)])[0]

    def _messages(self, completion_id: str) -> list[Message]:
        pages = walk(
            lambda after: self._retry(
                lambda: self._upstream.list_messages(
                    completion_id, after=after, limit=_PAGE, order="asc"
                )
            ),
            limit=_PAGE,
        )
        return [message for page in pages for message in page.data]

    def _retry(self, call: Callable[[], T]) -> T:
        """Return the result of `call`, retried while its errors are transient."""
        for tries in range(MAX_TRIES - 1):
            try:
                return call()
            except UpstreamError as error:
                wait = error.retry_after or compute_backoff(tries)
                if not error.is_transient or wait > LONGEST_WAIT:
                    raise
                self._say(f"{error} Waiting {wait:.0f} s.")
            self._clock.sleep(wait)
        return call()


def input_messages(
    completion: Completion, messages: Sequence[Message], *, input_only: bool
) -> list[Message]:
    """Return the messages without the answers, which some servers list after the input.

    The answers are in the completion's choices; our server, like the API, lists input only.
    """
    entries = [Entry(message, number) for number, message in enumerate(messages, start=1)]
    tail = messages[max(0, len(messages) - len(completion.choices)) :]
    mark_outputs(entries, completion, tail=tail, input_only=input_only)
    return [entry.message for entry in entries if entry.choice is None]


def format_error(error: Exception) -> str:
    """Return the error's message with the server's own words."""
    said = error.server_message if isinstance(error, UpstreamError) else None
    return f"{error} It said: {said}" if said else str(error)
