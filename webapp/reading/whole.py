"""Read whole runs once, within a separate budget, and keep the findings.

A process keeps the `Run`, a few hundred bytes a message; the messages are kept on disk, for all
workers and for the pages of the transcript. The messages of a stored completion never change;
a completion that was replaced under its id is another one, so runs are kept by the digest of
the completion as well, which every page reads anew. A run that could not be read to its end is
continued when a reader asks again; so is that of a completion so new that its server may list
more messages later. The run of a page by itself, with its checks, is kept by the
digest of the page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Final, TypeAlias

from webapp.analysis import Run, analyze_run
from webapp.completions import Completion
from webapp.messages import Message
from webapp.reading.kept import HeldMessages, KeptMessages, MessageCache, digest_answer
from webapp.reading.loader import TranscriptLoader
from webapp.reading.transcript_page import MAX_LIMIT, TranscriptPage, TranscriptRequest
from webapp.recent import RecentValues
from webapp.transcript import arrange, mark_outputs
from webapp.upstream import Deadline, End, UpstreamError

_MAX_KEPT: Final = 10_000
"""Messages of the whole runs that a process keeps, and as many of the runs of pages.

A run counts as one more, for its findings.
"""

_MAX_BYTES: Final = 64 * 1024 * 1024
"""Of one run; the rest is not read."""

_Key: TypeAlias = tuple[str, str]
"""The id of a completion, and the digest of its answer or of the page."""


@dataclass(frozen=True, slots=True)
class _Listed:
    """Messages from the first on; `problem` is the error that ended the reading early.

    They are `parsed` only if that was asked for.
    """

    messages: KeptMessages
    parsed: Sequence[Message]
    problem: UpstreamError | None


class WholeReader:
    """Reads runs through `loader`, with at most `most` requests each.

    `is_eager` means that reading is cheap, so that every page may do it; otherwise a reader must
    ask for it. `may_be_unfinished` decides by when a completion was created whether its server may
    list more messages later. `is_openai` means that the server is OpenAI's own. Shared by all
    requests of a process.
    """

    def __init__(
        self,
        loader: TranscriptLoader,
        cache: MessageCache,
        *,
        input_only: bool,
        most: int,
        is_eager: bool,
        may_be_unfinished: Callable[[int | None], bool],
        is_openai: bool = False,
    ) -> None:
        self._loader = loader
        self._cache = cache
        self.input_only = input_only
        self._most = most
        self._is_eager = is_eager
        self._may_be_unfinished = may_be_unfinished
        self._is_openai = is_openai
        self._whole_runs: RecentValues[_Key, tuple[int, Run]] = RecentValues(_MAX_KEPT)
        self._page_runs: RecentValues[_Key, Run] = RecentValues(_MAX_KEPT)
        self._next_number = count()

    @property
    def can_read(self) -> bool:
        return self._most > 0

    def keeps(self, completion_id: str) -> bool:
        """Return whether messages of a completion are kept, so that reading can go on."""
        return self._cache.has_any(completion_id)

    def read(
        self,
        page: TranscriptPage,
        deadline: Deadline,
        *,
        is_wanted: bool = False,
        checks: bool = True,
    ) -> Run:
        """Read the whole run of `page`, or the part on the page if that was not read.

        If an error or the budget ends the reading, the run is the part read so far, unless the
        page holds more. If it `checks` the messages, the run has a report.
        """
        whole_page = page.request.after is None and page.end not in (End.MORE, End.CUT_OFF)
        completion = page.completion
        if completion is None or page.problems or whole_page:
            is_whole = whole_page and not page.problems
            return self._analyze_page(page, is_whole=is_whole, checks=checks)
        found = self.find_kept(page, checks=checks)
        may_read = self.can_read and (self._is_eager or is_wanted)
        if may_read and (found is None or not (found.is_whole or self._is_eager)):
            found = self._read_on(page.completion_id, completion, deadline, checks=checks) or found
        if found is not None and len(found.messages) >= len(page.all_entries):
            return found
        return self._analyze_page(page, is_whole=False, checks=checks)

    def _read_on(
        self, completion_id: str, completion: Completion, deadline: Deadline, *, checks: bool
    ) -> Run | None:
        """Read the messages that are not kept, and keep the run; None if none could be read."""
        kept = self._cache.find(completion_id, completion)
        listed = self._list_messages(completion_id, completion, kept, deadline, holds_parsed=True)
        if not listed.parsed:
            return None
        run = self._analyze(
            listed.parsed, completion, is_whole=listed.messages.is_whole, checks=checks
        )
        kept_run = replace(run, is_whole=run.is_whole and self._is_final(completion))
        self._keep_whole((completion_id, digest_answer(completion)), kept_run)
        return run

    def _is_final(self, completion: Completion) -> bool:
        """Return whether all messages that are listed now are all that will be."""
        created = completion.created
        return self._is_eager or created is None or not self._may_be_unfinished(created)

    def _analyze_page(self, page: TranscriptPage, *, is_whole: bool, checks: bool) -> Run:
        """Analyze the run of `page` alone, or reuse it if the page has not changed."""
        key = (page.completion_id, _digest_page(page, is_whole=is_whole))
        run = self._page_runs.get(key)
        if run is None or (checks and run.report is None):
            run = analyze_page(page, is_whole=is_whole, is_openai=self._is_openai, checks=checks)
            self._page_runs.keep(key, run, _weigh(run))
        return run

    def find_state(self, completion_id: str, digest: str) -> tuple[int | None, bool]:
        """Find which run is kept of a completion, and whether messages are: a page shows both.

        `digest` is that of the completion's answer. Each run that is kept has another number.
        """
        numbered = self._whole_runs.get((completion_id, digest))
        return numbered[0] if numbered else None, self._cache.has_any(completion_id)

    def find_kept(self, page: TranscriptPage, *, checks: bool = False) -> Run | None:
        """Find the run of `page` as far as it was read before, by any worker.

        If it `checks` the messages, the run has a report.
        """
        if page.completion is None:
            return None
        key = (page.completion_id, digest_answer(page.completion))
        numbered = self._whole_runs.get(key)
        if numbered is not None and (numbered[1].report is not None or not checks):
            return numbered[1]
        if not self._cache.has_any(page.completion_id):
            return None
        kept = self._cache.find(page.completion_id, page.completion)
        if kept is None:
            return None
        run = self._analyze(kept.read_all(), page.completion, is_whole=kept.is_whole, checks=checks)
        self._keep_whole(key, run)
        return run

    def _keep_whole(self, key: _Key, run: Run) -> None:
        self._whole_runs.keep(key, (next(self._next_number), run), _weigh(run))

    def read_messages(
        self, completion_id: str, completion: Completion, deadline: Deadline
    ) -> KeptMessages:
        """Read the messages of a completion as far as they can be read.

        If none can, return those that the completion itself repeats, or raise the error.
        """
        kept = self._cache.find(completion_id, completion)
        if kept is not None and (kept.is_whole or not self.can_read):
            return kept
        found = self._list_messages(completion_id, completion, kept, deadline)
        if found.messages.ids or found.problem is None:
            return found.messages
        if completion.input_messages is None:
            raise found.problem
        return KeptMessages.of(completion.input_messages, is_whole=True)

    def _list_messages(
        self,
        completion_id: str,
        completion: Completion,
        kept: KeptMessages | None,
        deadline: Deadline,
        *,
        holds_parsed: bool = False,
    ) -> _Listed:
        """Read on after the messages that are kept, and keep as many as the budget allows."""
        held = HeldMessages(holds_parsed=holds_parsed)
        if kept is not None:
            held.add(kept.parse(0, len(kept.ids)))
        request = TranscriptRequest(limit=MAX_LIMIT, after=held.last_id, shown=held.count)
        goes_on = True
        problem = None
        for _ in range(max(1, self._most)):
            try:
                found = self._loader.open_source(completion_id, deadline).list_messages(request)
            except UpstreamError as error:
                problem = error
                break
            held.add(found.items)
            # The page after a claimed end is the check of it.
            after = found.next_after or found.claimed_after
            is_reachable = found.goes_on or after is not None
            goes_on = is_reachable or found.end is End.CUT_OFF
            if not is_reachable or not found.items or held.size > _MAX_BYTES:
                break
            request = replace(request, after=after, shown=held.count)
        messages = held.end(is_whole=not goes_on)
        is_final = messages.is_whole and self._is_final(completion)
        self._cache.keep(completion_id, completion, replace(messages, is_whole=is_final))
        return _Listed(messages, held.parsed, problem)

    def _analyze(
        self, messages: Sequence[Message], completion: Completion, *, is_whole: bool, checks: bool
    ) -> Run:
        entries = arrange(messages, first=1, is_last=is_whole)
        if is_whole and completion.choices:
            tail = messages[-len(completion.choices) :]
            entries += mark_outputs(entries, completion, tail=tail, input_only=self.input_only)
        return analyze_run(
            entries, completion, is_whole=is_whole, is_openai=self._is_openai, checks=checks
        )


def _weigh(run: Run) -> int:
    return 1 + len(run.messages)


def _digest_page(page: TranscriptPage, *, is_whole: bool) -> str:
    """Hash everything that the run of a page depends on."""
    counts = (len(page.entries), len(page.outputs))
    hashed = hashlib.sha256(f"{is_whole} {page.request.order} {page.end} {counts}".encode())
    completion = page.completion
    hashed.update(completion.json.digest() if completion is not None else b"")
    for number, entry in enumerate(page.all_entries):
        choice = entry.choice
        places = f" {entry.number} {entry.place} {entry.counted_as} {choice is None} {number} "
        hashed.update(places.encode())
        hashed.update(entry.message.json.digest())
        hashed.update(choice.json.digest() if choice is not None else b"")
    return hashed.hexdigest()


def analyze_page(
    page: TranscriptPage, *, is_whole: bool, is_openai: bool = False, checks: bool = False
) -> Run:
    """Analyze the run of the messages on `page` alone; `is_openai` if OpenAI's server sent them."""
    entries = page.entries if page.request.order == "asc" else page.entries[::-1]
    rest = (*page.tail.entries, *page.tail.outputs) if page.tail else ()
    return analyze_run(
        (*entries, *page.outputs, *rest),
        page.completion,
        is_whole=is_whole,
        counted=len(entries) + len(page.outputs),
        is_openai=is_openai,
        checks=checks,
    )
