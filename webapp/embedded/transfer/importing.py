"""Import completions from files of several formats, each detected by its shape.

Files are read as documents, documents as completions and parts of completions; parts wait until
all files are read, then are assembled. Input that cannot be stored is reported, and the rest is
stored. Memory is bounded by the largest document, which in JSONL is a line.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from webapp.embedded.documents.records import (
    CompletionRecord,
    NotACompletion,
    parse_record,
    rename_record,
)
from webapp.embedded.store.store import Store
from webapp.embedded.store.writing import Outcome
from webapp.embedded.transfer.files import MAX_DOCUMENT_BYTES, OpenFile, read_documents
from webapp.embedded.transfer.pending import Assembled, PendingParts
from webapp.embedded.transfer.pieces import Fragment, ImportFormat
from webapp.embedded.transfer.reading import ReadBatch, read_batches
from webapp.embedded.transfer.splitting import Document, SourceLine

MAX_PROBLEMS: Final = 1000
"""Further problems are counted but not listed, so that memory stays bounded."""

MAX_FRUITLESS: Final = 1_000_000
"""Documents in a row without a completion after which the rest of a file is not read.

A file of 39 MB can hold 13,000,000 empty arrays, which take more than a minute.
"""

_BATCH_DOCUMENTS: Final = 200
_BATCH_CHARACTERS: Final = 8 * 1024 * 1024

Progress: TypeAlias = Callable[[int, int, int], None]
"""Called after each batch with bytes done, bytes in all, and completions read so far.

Bytes in all are 0 if unknown, as for standard input.
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """The reason why something was not stored, or not under its own id."""

    source: SourceLine
    reason: str

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"


@dataclass(slots=True)
class ImportReport:
    """How many completions were added, were stored already, conflicted with one, or were bad.

    `problems` lists conflicts and bad input, up to `MAX_PROBLEMS`, and `renamed` the completions
    that were added under an id of the store's, up to as many; `added_ids` are the ids of all that
    were added, up to as many. `formats` counts the formats
    found in each file; `without_messages` counts saved completions whose messages were in none
    of the files.
    """

    added: int = 0
    unchanged: int = 0
    conflicts: int = 0
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)
    renamed: list[Problem] = field(default_factory=list, compare=False)
    formats: dict[Path, Counter[ImportFormat]] = field(default_factory=dict, compare=False)
    added_ids: list[str] = field(default_factory=list, compare=False)
    without_messages: int = 0

    @property
    def completions(self) -> int:
        return self.added + self.unchanged + self.conflicts


def import_files(
    store: Store,
    sources: Iterable[str | Path | OpenFile],
    *,
    progress: Progress | None = None,
    max_document_bytes: int = MAX_DOCUMENT_BYTES,
    max_fruitless: int = MAX_FRUITLESS,
    report: ImportReport | None = None,
    keeps_both: bool = False,
    readers: int = 0,
) -> ImportReport:
    """Store the completions in files and return a report; the path `-` is standard input.

    Importing a file again changes nothing: a stored completion stays as it is, and one without
    an id gets the same id each time. If a file cannot be read, the report contains a problem.
    A `report` that the caller passes is filled batch by batch, and so counts the stored ones if an
    error ends the import. With `keeps_both`, a completion whose id is stored with other content
    is stored under another id. If there are many, `readers` processes read beside this one. After
    `max_fruitless` documents in a row without a completion, the rest of a file is not read.
    """
    files = [one if isinstance(one, OpenFile) else Path(one) for one in sources]
    done = total = 0
    for one in files:
        with contextlib.suppress(OSError):
            stat = one.stat() if isinstance(one, Path) else os.fstat(one.file.fileno())
            total += stat.st_size
    with PendingParts() as pending:
        run = _ImportRun(store, pending, report or ImportReport(), keeps_both)
        documents = chain.from_iterable(
            run.give_up_fruitless(read_documents(one, max_bytes=max_document_bytes), max_fruitless)
            for one in files
        )
        batches = _split_batches(documents, lambda document: len(document.text))
        with contextlib.closing(read_batches(batches, readers=readers)) as read:
            for batch in read:
                run.add_batch(batch)
                done += batch.size
                if progress is not None:
                    progress(done, total, run.report.completions)
        for assembled in _split_batches(pending.assemble(), lambda one: len(one.text)):
            run.add_assembled(assembled)
            if progress is not None:
                progress(done, total, run.report.completions)
    return run.report


class _ImportRun:
    """One import: stores batches and reports the outcome of each completion."""

    def __init__(
        self, store: Store, pending: PendingParts, report: ImportReport, keeps_both: bool
    ) -> None:
        self.report = report
        self._keeps_both = keeps_both
        self._store = store
        self._pending = pending
        self._fruitless = 0

    def give_up_fruitless(self, documents: Iterable[Document], most: int) -> Iterator[Document]:
        """Yield the documents of a file until `most` in a row, and their batches, held nothing."""
        self._fruitless = 0
        for document in documents:
            if self._fruitless >= most:
                reason = (
                    f"{most:,} documents before this hold no completion; the rest of the "
                    "file was not read"
                )
                self.report.bad += 1
                # Also if so many were bad that no further ones are listed.
                self.report.problems.append(Problem(document.source, reason))
                return
            yield document

    def add_batch(self, batch: ReadBatch) -> None:
        """Store the completions of a batch; keep parts of completions pending."""
        records: list[tuple[SourceLine, CompletionRecord]] = []
        holds_nothing = all(isinstance(one.content, str) for one in batch.found)
        self._fruitless = self._fruitless + batch.documents if holds_nothing else 0
        for one in batch.found:
            if one.format is not None:
                self._count_format(one.source, one.format)
            if isinstance(one.content, Fragment):
                self._pending.add(one.content, one.source)
            elif isinstance(one.content, str):
                self._add_bad(one.source, one.content)
            else:
                records.append((one.source, one.content))
        self._add_records(records)

    def add_assembled(self, batch: Iterable[Assembled]) -> None:
        """Store a batch of completions that were assembled from parts."""
        records = []
        for one in batch:
            if one.problem is not None:
                self._add_bad(one.source, one.problem)
                continue
            self.report.without_messages += one.lacks_messages
            if one.lacks_answer:
                self._count_format(one.source, ImportFormat.UNANSWERED)
            try:
                records.append((one.source, parse_record(one.text)))
            except NotACompletion as error:
                self._add_bad(one.source, str(error))
        self._add_records(records)

    def _count_format(self, source: SourceLine, format_: ImportFormat) -> None:
        self.report.formats.setdefault(source.path, Counter())[format_] += 1

    def _add_records(self, records: Sequence[tuple[SourceLine, CompletionRecord]]) -> None:
        outcomes = self._store.add([record for _, record in records])
        for (source, record), outcome in zip(records, outcomes, strict=True):
            match outcome:
                case Outcome.ADDED:
                    self._count_added(record)
                case Outcome.UNCHANGED:
                    self.report.unchanged += 1
                case Outcome.CONFLICT if self._keeps_both:
                    self._add_renamed(source, record)
                case Outcome.CONFLICT:
                    self.report.conflicts += 1
                    reason = f"{record.id} is stored with other content, which was kept"
                    self._add_problem(source, reason)

    def _add_renamed(self, source: SourceLine, record: CompletionRecord) -> None:
        """Store a completion whose id is taken under an id that its content determines."""
        renamed = rename_record(record)
        if self._store.add([renamed]) == [Outcome.UNCHANGED]:
            self.report.unchanged += 1
            return
        self._count_added(renamed)
        if len(self.report.renamed) < MAX_PROBLEMS:
            reason = f"{record.id} is stored with other content; this one is kept as {renamed.id}"
            self.report.renamed.append(Problem(source, reason))

    def _count_added(self, record: CompletionRecord) -> None:
        self.report.added += 1
        if len(self.report.added_ids) < MAX_PROBLEMS:
            self.report.added_ids.append(record.id)

    def _add_bad(self, source: SourceLine, reason: str) -> None:
        self.report.bad += 1
        self._add_problem(source, reason)

    def _add_problem(self, source: SourceLine, reason: str) -> None:
        if len(self.report.problems) < MAX_PROBLEMS:
            self.report.problems.append(Problem(source, reason))


_T = TypeVar("_T")


def _split_batches(items: Iterable[_T], measure: Callable[[_T], int]) -> Iterator[list[_T]]:
    """Group items into batches of bounded number and size; `measure` returns an item's size."""
    batch: list[_T] = []
    size = 0
    for item in items:
        batch.append(item)
        size += measure(item)
        if len(batch) == _BATCH_DOCUMENTS or size >= _BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
