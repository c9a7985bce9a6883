"""Read files piece by piece as the JSON documents in them.

A file is JSONL, or one JSON document over many lines. Whether it is compressed is detected by
its first bytes, never by its name. Knows nothing of completions.
"""

from __future__ import annotations

import codecs
import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from webapp.embedded.limits import MAX_IMPORTED_VALUES
from webapp.exact_json import NotJson, parse

MAX_DOCUMENT_BYTES: Final = 128 * 1024 * 1024
"""The limit for a line of JSONL, and for a file that is one JSON document."""

STANDARD_INPUT: Final = Path("-")

_GZIP: Final = b"\x1f\x8b"
_SKIPPED_AT_ONCE: Final = 8 * 1024 * 1024
_MAX_SKIPPED: Final = 1024 * 1024 * 1024
"""The most bytes of a line that are read to reach the next one: a sparse file can have any size."""
_ENDLESS: Final = "it is longer than 1 GB, and nothing after it was read"
_SPACE: Final = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of an imported file; `line` counts from 1 and is None for the whole file."""

    path: Path
    line: int | None

    def __str__(self) -> str:
        name = "standard input" if self.path == STANDARD_INPUT else str(self.path)
        return name if self.line is None else f"{name}:{self.line}"


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON document as bytes; `problem` is the reason if it cannot be read.

    `size` is the number of bytes it takes in the file, before decompression.
    """

    source: SourceLine
    size: int
    text: bytes = b""
    problem: str | None = None


def read_documents(path: Path, *, max_bytes: int = MAX_DOCUMENT_BYTES) -> Iterator[Document]:
    """Yield the documents in a file: its lines, or the whole file if it is one document."""
    try:
        with _open_file(path) as (file, position):
            yield from _split_documents(_LineReader(path, file, position, max_bytes))
    except (EOFError, gzip.BadGzipFile, zlib.error):
        problem = "its compressed data is damaged or cut off"
        yield Document(SourceLine(path, None), 0, problem=problem)
    except OSError as error:
        problem = f"it cannot be read: {error.strerror}"
        yield Document(SourceLine(path, None), 0, problem=problem)


@contextmanager
def _open_file(path: Path) -> Iterator[tuple[BinaryIO, Callable[[], int] | None]]:
    """Open a file for its decompressed bytes.

    For a compressed file, the second value returns the position in the compressed bytes.
    """
    if path == STANDARD_INPUT:
        yield _open_decompressed(sys.stdin.buffer), None
        return
    with path.open("rb") as file:
        opened = _open_decompressed(file)
        has_position = opened is not file and file.seekable()
        yield opened, file.tell if has_position else None


def _open_decompressed(file: BinaryIO) -> BinaryIO:
    # Peeking returns after the first bytes arrive, so a slow pipe is not waited for.
    start: bytes = file.peek(len(_GZIP))  # type: ignore[attr-defined]
    return cast(BinaryIO, gzip.open(file)) if start.startswith(_GZIP) else file


class _LineReader:
    """Iterates over the lines of a file as documents; `read_rest` reads all others as one."""

    def __init__(
        self, path: Path, file: BinaryIO, position: Callable[[], int] | None, max_bytes: int
    ) -> None:
        self._path = path
        self._file = file
        self._position = position
        self._max_bytes = max_bytes
        self._number = 0
        self._done = 0

    def __iter__(self) -> Iterator[Document]:
        while text := self._file.readline(self._max_bytes + 1):
            self._number += 1
            source = SourceLine(self._path, self._number)
            if len(text) > self._max_bytes and not text.endswith(b"\n"):
                skipped, is_skipped = self._skip_line()
                size = self._measure(len(text) + skipped)
                if not is_skipped:
                    yield Document(source, size, problem=_ENDLESS)
                    return
                yield Document(source, size, problem="it is too long to be one completion")
                continue
            mark = codecs.BOM_UTF8 if self._number == 1 else b""
            yield Document(source, self._measure(len(text)), text.removeprefix(mark))

    def read_rest(self, *read: Document) -> Document:
        """Return the documents `read` so far, and all that follows, as one document."""
        start = b"".join(document.text for document in read)
        text = start + self._file.read(max(0, self._max_bytes - len(start)) + 1)
        size = sum(document.size for document in read) + self._measure(len(text) - len(start))
        if len(text) <= self._max_bytes:
            return Document(read[0].source, size, text)
        limit = self._max_bytes // (1024 * 1024)
        return Document(
            SourceLine(self._path, None),
            size,
            problem=f"it is one JSON document of more than {limit} MB; only JSONL, which has a "
            "completion on each line, can be longer",
        )

    def _skip_line(self) -> tuple[int, bool]:
        """Return the number of bytes skipped, and whether they reach the end of the line."""
        skipped = 0
        while text := self._file.readline(_SKIPPED_AT_ONCE):
            skipped += len(text)
            if text.endswith(b"\n"):
                break
            if skipped >= _MAX_SKIPPED:
                return skipped, False
        return skipped, True

    def _measure(self, read: int) -> int:
        """Return how many bytes of the file the last `read` decompressed bytes took."""
        if self._position is None:
            return read
        before, self._done = self._done, self._position()
        return self._done - before


def _split_documents(reader: _LineReader) -> Iterator[Document]:
    """Yield the documents of a file; read ahead by one line, only if the first one breaks off."""
    lines = iter(reader)
    first = next((line for line in lines if line.problem or line.text.strip(_SPACE)), None)
    if first is None:
        return
    if _is_incomplete(first.text):
        second = next(lines, None)
        if second is not None and _is_continuation(first.text, second.text):
            yield reader.read_rest(first, second)
            return
        yield first
        if second is not None:
            yield second
    else:
        yield first
    yield from lines


def _is_incomplete(line: bytes) -> bool:
    """Return whether a line begins an object or array and ends before it is complete."""
    text = line.strip(_SPACE).decode(errors="replace")
    if not text.startswith(("[", "{")):
        return False
    try:
        parse(text, max_values=MAX_IMPORTED_VALUES)
    except NotJson as error:
        return error.position == len(text)
    return False


def _is_continuation(first: bytes, second: bytes) -> bool:
    """Return whether the second line continues the first, and is not another line of JSONL."""
    begun = first.strip(_SPACE)
    return begun.startswith(b"[") or begun == b"{" or second[:1] in (b" ", b"\t", b'"')
