"""Serve one completion from memory, as the store serves many from a database."""

from __future__ import annotations

from collections.abc import Sequence

from webapp.embedded.documents.api_json import (
    extend_given_message,
    join_lines,
    write_given_completion,
)
from webapp.embedded.documents.records import parse_record
from webapp.embedded.store.pages import (
    JsonPage,
    ListRequest,
    PageRequest,
    UnknownCursor,
)


class SnapshotStore:
    """One completion, which never changes. Its methods are those of `Store` that read.

    Raises `NotACompletion` if `text` holds none.
    """

    def __init__(self, text: str) -> None:
        self._record = parse_record(text)
        self._places = {message.id: at for at, message in enumerate(self._record.messages)}

    def list_completions(
        self,
        page: PageRequest,
        *,
        model: str | None = None,
        metadata: Sequence[tuple[str, str]] = (),
        listed: ListRequest | None = None,
        as_given: bool = False,
    ) -> JsonPage:
        """Return an empty page: a reader of the share needs no list."""
        return JsonPage((), (), has_more=False)

    def retrieve_completion(self, completion_id: str, *, as_given: bool = False) -> str | None:
        if completion_id != self._record.id:
            return None
        if as_given:
            return write_given_completion(join_lines(self._record.given_json), completion_id)
        return self._record.wire_json

    def list_messages(
        self, completion_id: str, page: PageRequest, *, as_given: bool = False
    ) -> JsonPage | None:
        if completion_id != self._record.id:
            return None
        messages = self._record.messages
        step = 1 if page.order == "asc" else -1
        start = 0 if page.order == "asc" else len(messages) - 1
        if page.after is not None:
            if page.after not in self._places:
                raise UnknownCursor(page.after)
            start = self._places[page.after] + step
        places = range(start, len(messages) if step > 0 else -1, step)
        shown = [messages[at] for at in places[: page.limit]]
        texts = (
            str(extend_given_message(one.given_json, one.id)) if as_given else one.wire_json
            for one in shown
        )
        return JsonPage(
            tuple(one.id for one in shown), tuple(texts), has_more=len(places) > len(shown)
        )
