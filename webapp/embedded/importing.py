"""Import of completions from JSONL files: one JSON object a line, with `messages` and `choices`.

Owns reading lines in constant memory and telling what became of each; a line that cannot be
stored is reported, and the others are stored all the same.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from webapp.embedded.given import GivenCompletion, NotACompletion, read_completion
from webapp.embedded.store import Outcome, Store

MAX_LINE_BYTES: Final = 128 * 1024 * 1024
MAX_PROBLEMS: Final = 1000
"""Problems beyond this many are counted and not listed, so that memory stays bounded."""

_BATCH_LINES: Final = 200
_BATCH_BYTES: Final = 8 * 1024 * 1024

Progress: TypeAlias = Callable[[int, int, int], None]
"""Called after each batch with bytes done, bytes in all, and completions read so far."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line was not stored; `line` counts from 1 and is None for a whole file."""

    path: Path
    line: int | None
    reason: str

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.reason}"


@dataclass(slots=True)
class ImportReport:
    """How many completions were added, stored already, in conflict with a stored one, or bad.

    `problems` tells of conflicts and bad lines, up to `MAX_PROBLEMS` of them.
    """

    added: int = 0
    unchanged: int = 0
    conflicts: int = 0
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def completions(self) -> int:
        return self.added + self.unchanged + self.conflicts


@dataclass(frozen=True, slots=True)
class _Line:
    """One line; `text` is None when it is too long to be read."""

    path: Path
    number: int
    size: int
    text: bytes | None


def import_files(
    store: Store,
    paths: Iterable[str | Path],
    *,
    progress: Progress | None = None,
    max_line_bytes: int = MAX_LINE_BYTES,
) -> ImportReport:
    """What became of the completions in the JSONL files at `paths`.

    Importing a file again changes nothing: a completion that is stored stays as it is, and
    one without an id gets the same id each time. A file that cannot be read is a problem of
    the report.
    """
    report = ImportReport()
    files = list(_readable(map(Path, paths), report))
    total = sum(path.stat().st_size for path in files)
    done = 0
    lines = chain.from_iterable(_lines(path, max_line_bytes) for path in files)
    for batch in _batches(lines):
        _store_batch(store, batch, report)
        done += sum(line.size for line in batch)
        if progress is not None:
            progress(done, total, report.completions)
    return report


def _readable(paths: Iterable[Path], report: ImportReport) -> Iterator[Path]:
    for path in paths:
        try:
            path.open("rb").close()
        except OSError as error:
            report.problems.append(Problem(path, None, f"it cannot be read: {error.strerror}"))
        else:
            yield path


def _lines(path: Path, max_bytes: int) -> Iterator[_Line]:
    with path.open("rb") as file:
        number = 0
        while text := file.readline(max_bytes + 1):
            number += 1
            if len(text) <= max_bytes or text.endswith(b"\n"):
                yield _Line(path, number, len(text), text)
            else:
                yield _Line(path, number, len(text) + _skip_line(file), None)


def _skip_line(file: BinaryIO) -> int:
    """Reads on to the end of the line; the bytes that took."""
    skipped = 0
    while text := file.readline(_BATCH_BYTES):
        skipped += len(text)
        if text.endswith(b"\n"):
            break
    return skipped


def _batches(lines: Iterable[_Line]) -> Iterator[list[_Line]]:
    batch: list[_Line] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += line.size
        if len(batch) == _BATCH_LINES or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _store_batch(store: Store, batch: Iterable[_Line], report: ImportReport) -> None:
    read: list[tuple[_Line, GivenCompletion]] = []
    for line in batch:
        try:
            completion = _read(line)
        except NotACompletion as error:
            report.bad += 1
            _note(report, line, str(error))
        else:
            if completion is not None:
                read.append((line, completion))
    outcomes = store.add([completion for _, completion in read])
    for (line, completion), outcome in zip(read, outcomes, strict=True):
        _count(report, line, completion, outcome)


def _read(line: _Line) -> GivenCompletion | None:
    """The completion in a line; None for a blank one."""
    if line.text is None:
        raise NotACompletion("it is too long to be one completion")
    mark = codecs.BOM_UTF8 if line.number == 1 else b""
    text = line.text.removeprefix(mark).strip(b" \t\r\n")
    if not text:
        return None
    try:
        return read_completion(text.decode())
    except UnicodeDecodeError as error:
        raise NotACompletion(
            f"it is not UTF-8: {error.reason} at byte {error.start + 1}"
        ) from error


def _count(
    report: ImportReport, line: _Line, completion: GivenCompletion, outcome: Outcome
) -> None:
    match outcome:
        case Outcome.ADDED:
            report.added += 1
        case Outcome.UNCHANGED:
            report.unchanged += 1
        case Outcome.CONFLICT:
            report.conflicts += 1
            _note(report, line, f"{completion.id} is stored with other content, which was kept")


def _note(report: ImportReport, line: _Line, reason: str) -> None:
    if len(report.problems) < MAX_PROBLEMS:
        report.problems.append(Problem(line.path, line.number, reason))
