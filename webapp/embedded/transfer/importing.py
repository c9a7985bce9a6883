"""Import of completions from files of many forms, each recognised by its shape.

Owns the order of things and telling what became of each; what cannot be stored is reported,
and the rest is stored all the same. Memory is bounded by the largest document, which in JSONL
is a line.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from webapp.embedded.documents.records import (
    CompletionRecord,
    NotACompletion,
    completion_of,
    read_completion,
    read_json,
)
from webapp.embedded.store.store import Outcome, Store
from webapp.embedded.transfer.files import MAX_DOCUMENT_BYTES, Document, Place, documents
from webapp.embedded.transfer.formats import (
    Form,
    Part,
    Piece,
    Whole,
    bundled,
    recognised,
    values_in,
)
from webapp.embedded.transfer.pending import Assembled, PendingParts
from webapp.exact_json import Array, Value

MAX_PROBLEMS: Final = 1000
"""Problems beyond this many are counted and not listed, so that memory stays bounded."""

_BATCH_DOCUMENTS: Final = 200
_BATCH_CHARACTERS: Final = 8 * 1024 * 1024

Progress: TypeAlias = Callable[[int, int, int], None]
"""Called after each batch with bytes done, bytes in all, and completions read so far.

Bytes in all are 0 where they are not known, as for standard input.
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something was not stored."""

    place: Place
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


@dataclass(slots=True)
class ImportReport:
    """How many completions were added, stored already, in conflict with a stored one, or bad.

    `problems` tells of conflicts and bad input, up to `MAX_PROBLEMS` of them. `recognised`
    counts, for each file, what it was found to hold; `without_messages` are the saved
    completions whose messages were in none of the files.
    """

    added: int = 0
    unchanged: int = 0
    conflicts: int = 0
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)
    recognised: dict[Path, Counter[Form]] = field(default_factory=dict, compare=False)
    without_messages: int = 0

    @property
    def completions(self) -> int:
        return self.added + self.unchanged + self.conflicts


def import_files(
    store: Store,
    paths: Iterable[str | Path],
    *,
    progress: Progress | None = None,
    max_document_bytes: int = MAX_DOCUMENT_BYTES,
) -> ImportReport:
    """What became of the completions in the files at `paths`; `-` is standard input.

    Importing a file again changes nothing: a completion that is stored stays as it is, and
    one without an id gets the same id each time. A file that cannot be read is a problem of
    the report.
    """
    files = [Path(path) for path in paths]
    total = sum(map(_size, files))
    done = 0
    with PendingParts() as waiting:
        run = _Import(store, waiting)
        read = chain.from_iterable(documents(path, max_bytes=max_document_bytes) for path in files)
        for batch in _batches(read, lambda document: len(document.text)):
            run.store_documents(batch)
            done += sum(document.size for document in batch)
            if progress is not None:
                progress(done, total, run.report.completions)
        for joined in _batches(waiting.joined(), lambda one: len(one.text)):
            run.store_all(chain.from_iterable(map(run.completed, joined)))
            if progress is not None:
                progress(done, total, run.report.completions)
    return run.report


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


class _Import:
    """One run: stores batches and notes what became of what was in them."""

    def __init__(self, store: Store, waiting: PendingParts) -> None:
        self.report = ImportReport()
        self._store = store
        self._waiting = waiting

    def store_documents(self, batch: Iterable[Document]) -> None:
        self.store_all(chain.from_iterable(map(self._completions, batch)))

    def store_all(self, given: Iterable[tuple[Place, CompletionRecord]]) -> None:
        read = list(given)
        outcomes = self._store.add([completion for _, completion in read])
        for (place, completion), outcome in zip(read, outcomes, strict=True):
            self._count(place, completion, outcome)

    def completed(self, joined: Assembled) -> Iterator[tuple[Place, CompletionRecord]]:
        """The completion that parts made."""
        with self._noting(joined.place):
            if joined.problem is not None:
                raise NotACompletion(joined.problem)
            self.report.without_messages += joined.lacks_messages
            yield joined.place, read_completion(joined.text)

    def _completions(self, document: Document) -> Iterator[tuple[Place, CompletionRecord]]:
        """The completions in a document; what is part of one goes to the waiting room."""
        with self._noting(document.place):
            for place, value in self._values(document):
                with self._noting(place):
                    for piece in _pieces(value):
                        yield from self._completion(piece, place)

    def _values(self, document: Document) -> Iterator[tuple[Place, Value | Whole]]:
        text = _text(document)
        if not text:
            return
        value = read_json(text)
        values = values_in(value)
        together = bundled(values) if isinstance(value, Array) else None
        bundle, members = together or (None, frozenset())
        if bundle is not None:
            yield document.place, bundle
        for place, one in zip(_places(document.place, text, values), values, strict=True):
            if one not in members:
                yield place, one

    def _completion(self, piece: Piece, place: Place) -> Iterator[tuple[Place, CompletionRecord]]:
        self.report.recognised.setdefault(place.path, Counter())[piece.form] += 1
        if isinstance(piece, Part):
            self._waiting.add(piece, place)
        else:
            yield place, completion_of(piece.given)

    @contextlib.contextmanager
    def _noting(self, place: Place) -> Iterator[None]:
        try:
            yield
        except NotACompletion as error:
            self.report.bad += 1
            self._note(place, str(error))

    def _count(self, place: Place, completion: CompletionRecord, outcome: Outcome) -> None:
        match outcome:
            case Outcome.ADDED:
                self.report.added += 1
            case Outcome.UNCHANGED:
                self.report.unchanged += 1
            case Outcome.CONFLICT:
                self.report.conflicts += 1
                self._note(place, f"{completion.id} is stored with other content, which was kept")

    def _note(self, place: Place, reason: str) -> None:
        if len(self.report.problems) < MAX_PROBLEMS:
            self.report.problems.append(Problem(place, reason))


def _pieces(value: Value | Whole) -> list[Piece]:
    return [value] if isinstance(value, Whole) else recognised(value)


def _text(document: Document) -> str:
    if document.problem is not None:
        raise NotACompletion(document.problem)
    try:
        return document.text.strip(b" \t\r\n").decode()
    except UnicodeDecodeError as error:
        raise NotACompletion(
            f"it is not UTF-8: {error.reason} at byte {error.start + 1}"
        ) from error


def _places(first: Place, text: str, values: Iterable[Value]) -> Iterator[Place]:
    """The line each value begins on; each stretch of `text` is counted once."""
    line, at = first.line or 1, 0
    for value in values:
        line += text.count("\n", at, value.start)
        at = value.start
        yield Place(first.path, line)


_T = TypeVar("_T")


def _batches(items: Iterable[_T], characters: Callable[[_T], int]) -> Iterator[list[_T]]:
    batch: list[_T] = []
    size = 0
    for item in items:
        batch.append(item)
        size += characters(item)
        if len(batch) == _BATCH_DOCUMENTS or size >= _BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
