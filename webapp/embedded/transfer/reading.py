"""Read documents as completions and parts of completions, in this process or in others beside it.

To read completions takes several times as long as to store them. The processes read a batch each by
turns while this one stores, so that everything is stored in the order of the files.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from webapp.embedded.documents.records import (
    CompletionRecord,
    NotACompletion,
    build_record,
    parse_json,
)
from webapp.embedded.limits import MAX_IMPORTED_VALUES
from webapp.embedded.transfer.formats import detect, join_array
from webapp.embedded.transfer.pieces import Fragment, ImportFormat, Whole
from webapp.embedded.transfer.saved import detect_bundle
from webapp.embedded.transfer.splitting import Document, SourceLine
from webapp.exact_json import Array, Value

_SPACE: Final = b" \t\r\n"
_READ_ALONE: Final = 4
"""Batches before other processes are started, which takes half a second of CPU time for each."""
_MAX_HELD: Final = 64 * 1024 * 1024
"""Bytes that the processes read together; a larger batch is read by one while the others wait."""
_MAX_ARRAYS: Final = 4
"""Arrays within each other; deeper ones are no lists of completions."""
_MAX_READERS: Final = 4
"""More read faster than one process stores."""


class ReaderStopped(ValueError):
    """A process that read for an import has ended early, as if it took too much memory."""


@dataclass(frozen=True, slots=True)
class Found:
    """A finding in a line: a completion, a part of one, or the reason why there is none.

    `format` is None if a reason has none to count.
    """

    source: SourceLine
    format: ImportFormat | None
    content: CompletionRecord | Fragment | str


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """The findings in a batch of `documents`, which take `size` bytes in their files."""

    size: int
    documents: int
    found: Sequence[Found]


def count_readers() -> int:
    """Count the processes that can read beside this one; none if it may use one core."""
    has_choice = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_choice else os.cpu_count() or 1
    return min(cores, _MAX_READERS) if cores > 1 else 0


def read_batches(
    batches: Iterable[list[Document]], *, readers: int = 0
) -> Generator[ReadBatch, None, None]:
    """Yield what is found in each batch, in their order; `readers` processes read all but a few.

    Raise `ReaderStopped` if one of these ends early. They end when this generator is closed.
    """
    batches = iter(batches)
    yield from map(read_batch, islice(batches, _READ_ALONE if readers else None))
    first = next(batches, None)
    if first is None:
        return
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(_Reader()) for _ in range(readers)]
        reading: deque[_Reader] = deque()
        for batch in chain([first], batches):
            size = sum(len(document.text) for document in batch)
            read = []
            while reading and (not idle or size + sum(one.held for one in reading) > _MAX_HELD):
                idle.append(reading.popleft())
                read.append(idle[-1].receive())
            # It has no other batch: if its answer were waiting, neither would take from the other.
            reading.append(idle.pop())
            reading[-1].send(batch, size)
            yield from read
        for reader in reading:
            yield reader.receive()


def read_batch(batch: Sequence[Document]) -> ReadBatch:
    """Read a batch of documents."""
    found = [one for document in batch for one in _read_document(document)]
    return ReadBatch(sum(document.size for document in batch), len(batch), found)


def serve() -> None:
    """Read batches from standard input, and write what is found to standard output; then exit."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    with contextlib.suppress(EOFError, pickle.UnpicklingError, BrokenPipeError):
        while True:
            pickle.dump(read_batch(pickle.load(source)), target)
            target.flush()
    # The other end has gone, so nothing can be written at exit.
    os._exit(0)


class _Reader:
    """A process that reads batches, one at a time; `held` are the bytes of the last one."""

    def __init__(self) -> None:
        self.held = 0
        start = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import serve; serve()"
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl+C stops the import, which then stops this.
            start_new_session=True,
        )

    def __enter__(self) -> _Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        with contextlib.suppress(BrokenPipeError), self._process:
            pass

    def send(self, batch: list[Document], size: int) -> None:
        assert self._process.stdin is not None
        self.held = size
        with _reporting_end():
            pickle.dump(batch, self._process.stdin)
            self._process.stdin.flush()

    def receive(self) -> ReadBatch:
        """Wait for what was found in the batch that was sent."""
        assert self._process.stdout is not None
        with _reporting_end():
            read: ReadBatch = pickle.load(self._process.stdout)
        return read


@contextlib.contextmanager
def _reporting_end() -> Iterator[None]:
    try:
        yield
    except (EOFError, pickle.UnpicklingError, BrokenPipeError) as error:
        raise ReaderStopped("a process that read the files has ended early") from error


def _read_document(document: Document) -> Iterator[Found]:
    try:
        for source, value in _split_document(document):
            yield from _read_value(source, value)
    except NotACompletion as error:
        yield Found(document.source, None, str(error))


def _read_value(source: SourceLine, value: Value | Whole) -> Iterator[Found]:
    format_: ImportFormat | None = None
    try:
        for piece in [value] if isinstance(value, Whole) else detect(value):
            format_ = piece.format
            content = piece if isinstance(piece, Fragment) else build_record(piece.json)
            yield Found(source, format_, content)
            format_ = None
    except NotACompletion as error:
        yield Found(source, format_, str(error))


def _split_document(document: Document) -> Iterator[tuple[SourceLine, Value | Whole]]:
    """Yield the values in a document with their lines: the items of arrays, or the one value.

    A completion and its pages of messages in one array are yielded first, as one `Whole`.
    """
    if document.problem is not None:
        raise NotACompletion(document.problem)
    try:
        # A copy without the space would be held beside the text that is decoded from it.
        given = document.text.lstrip(_SPACE)
        text = str(memoryview(given)[: len(given.rstrip(_SPACE))], "utf-8")
    except UnicodeDecodeError as error:
        raise NotACompletion(
            f"it is not UTF-8: {error.reason} at byte {error.start + 1}"
        ) from error
    if not text:
        return
    line, at = document.source.line or 1, 0
    for start, value in _list_values(parse_json(text, max_values=MAX_IMPORTED_VALUES)):
        line += text.count("\n", at, start)
        at = start
        yield SourceLine(document.source.path, line), value


def _list_values(value: Value, *, depth: int = 0) -> Iterator[tuple[int, Value | Whole]]:
    """Yield the values in arrays within each other, each with its place in the document."""
    joined = join_array(value)
    if not isinstance(joined, Array) or depth >= _MAX_ARRAYS or (depth and not joined.items):
        yield value.start, joined
        return
    whole, members = detect_bundle(joined.items) or (None, frozenset())
    if whole is not None:
        yield value.start, whole
    for one in joined.items:
        if one not in members:
            yield from _list_values(one, depth=depth + 1)
