"""Read whole runs once, within a budget of their own, and keep the findings.

Only the `Run` is kept, a few hundred bytes a message, not the messages. The messages of a
stored completion never change; a completion that was replaced under its id is another one, so
runs are kept by the digest of the completion as well, which every page reads anew.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from threading import Lock
from typing import Final

from webapp.analysis import Run, analyze_run
from webapp.completions import Completion
from webapp.messages import Message
from webapp.reading.loader import TranscriptLoader
from webapp.reading.transcript_page import MAX_LIMIT, PageRequest, TranscriptPage
from webapp.transcript import arrange, build_output_entries, mark_outputs
from webapp.upstream import Deadline, UpstreamError

_MOST_KEPT: Final = 20_000
"""Messages of the runs that a process keeps."""

_MOST_BYTES: Final = 64 * 1024 * 1024
"""Of one run; the rest is not read."""


class WholeReader:
    """Reads runs through `loader`, with at most `most` requests each.

    `is_eager` means that reading is cheap, so that every page may do it; otherwise a reader must
    ask for it. Shared by all requests of a process.
    """

    def __init__(
        self, loader: TranscriptLoader, *, input_only: bool, most: int, is_eager: bool
    ) -> None:
        self._loader = loader
        self._input_only = input_only
        self._most = most
        self._is_eager = is_eager
        self._kept: OrderedDict[tuple[str, str], Run] = OrderedDict()
        self._lock = Lock()

    @property
    def can_read(self) -> bool:
        return self._most > 0

    def read(self, page: TranscriptPage, deadline: Deadline, *, is_wanted: bool = False) -> Run:
        """Return the whole run of `page`, or the part on the page if that was not read.

        An error on the way costs the whole, not the page.
        """
        whole_page = page.request.after is None and not page.goes_on and not page.cut_off
        if page.completion is None or page.problems or whole_page:
            return analyze_page(page, is_whole=whole_page and not page.problems)
        key = (page.completion_id, _digest(page.completion))
        run = self._find(key)
        if run is not None:
            return run
        if self.can_read and (self._is_eager or is_wanted):
            try:
                run = self._read(page.completion_id, page.completion, deadline)
            except UpstreamError:
                return analyze_page(page, is_whole=False)
            self._keep(key, run)
            return run
        return analyze_page(page, is_whole=False)

    def find_kept(self, page: TranscriptPage) -> Run | None:
        """Return the whole run of `page` if it was read before."""
        if page.completion is None:
            return None
        return self._find((page.completion_id, _digest(page.completion)))

    def _read(self, completion_id: str, completion: Completion, deadline: Deadline) -> Run:
        messages: list[Message] = []
        size = 0
        request = PageRequest(limit=MAX_LIMIT)
        goes_on = True
        for _ in range(self._most):
            found = self._loader.list_messages(completion_id, request, deadline)
            messages.extend(found.items)
            size += sum(len(message.json.source) for message in found.items)
            # The page after a claimed end is the check of it.
            after = found.next_after or found.claimed_after
            goes_on = found.goes_on or after is not None
            if not goes_on or not found.items or size > _MOST_BYTES:
                break
            request = replace(request, after=after, shown=len(messages))
        return _analyze(messages, completion, is_whole=not goes_on, input_only=self._input_only)

    def _find(self, key: tuple[str, str]) -> Run | None:
        with self._lock:
            run = self._kept.get(key)
            if run is not None:
                self._kept.move_to_end(key)
            return run

    def _keep(self, key: tuple[str, str], run: Run) -> None:
        with self._lock:
            self._kept[key] = run
            while sum(len(kept.messages) for kept in self._kept.values()) > _MOST_KEPT:
                self._kept.popitem(last=False)


def analyze_page(page: TranscriptPage, *, is_whole: bool) -> Run:
    """Return the run of the messages on `page` alone."""
    entries = page.entries if page.request.order == "asc" else page.entries[::-1]
    return analyze_run((*entries, *page.outputs), page.completion, is_whole=is_whole)


def _analyze(
    messages: Sequence[Message], completion: Completion, *, is_whole: bool, input_only: bool
) -> Run:
    entries = arrange(messages, first=1, is_last=is_whole)
    choices = completion.choices
    if not is_whole or not choices:
        return analyze_run(entries, completion, is_whole=is_whole)
    tail = messages[-len(choices) :]
    left = mark_outputs(entries, completion, tail=tail, input_only=input_only)
    outputs = build_output_entries(choices)[len(choices) - len(left) :]
    return analyze_run((*entries, *outputs), completion, is_whole=True)


def _digest(completion: Completion) -> str:
    """Return the digest of a completion's answer, which an update of metadata leaves."""
    hashed = hashlib.sha256(str(completion.created).encode())
    for choice in completion.choices:
        hashed.update(choice.json.source.encode("utf-8", "surrogatepass"))
    return hashed.hexdigest()
