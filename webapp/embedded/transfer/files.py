"""Files to import from, as the JSON documents in them, read piece by piece.

Owns opening (compressed or not, standard input too), lines, and telling JSONL from a file that
is one JSON document over many lines. Knows nothing of completions. Whether a file is compressed
is seen by its first bytes, never by its name.
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

from webapp.exact_json import NotJson, parse

MAX_DOCUMENT_BYTES: Final = 128 * 1024 * 1024
"""Of a line of JSONL, or of a file that is one JSON document."""

STANDARD_INPUT: Final = Path("-")

_GZIP: Final = b"\x1f\x8b"
_SKIPPED_AT_ONCE: Final = 8 * 1024 * 1024
_SPACE: Final = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands; `line` counts from 1 and is None for a whole file."""

    path: Path
    line: int | None

    def __str__(self) -> str:
        name = "standard input" if self.path == STANDARD_INPUT else str(self.path)
        return name if self.line is None else f"{name}:{self.line}"


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON document as bytes, or in `problem` why it cannot be read.

    `size` is how many bytes of the file it took, before decompression.
    """

    place: Place
    size: int
    text: bytes = b""
    problem: str | None = None


def documents(path: Path, *, max_bytes: int = MAX_DOCUMENT_BYTES) -> Iterator[Document]:
    """The documents in a file: its lines, or all of it when it is one document over many."""
    try:
        with _opened(path) as (file, position):
            yield from _documents(_Lines(path, file, position, max_bytes))
    except (EOFError, gzip.BadGzipFile, zlib.error):
        yield Document(Place(path, None), 0, problem="its compressed data is damaged or cut off")
    except OSError as error:
        yield Document(Place(path, None), 0, problem=f"it cannot be read: {error.strerror}")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, Callable[[], int] | None]]:
    """A file's bytes, decompressed; for a compressed one also where in the file they end."""
    if path == STANDARD_INPUT:
        yield _decompressed(sys.stdin.buffer), None
        return
    with path.open("rb") as file:
        opened = _decompressed(file)
        can_tell = opened is not file and file.seekable()
        yield opened, file.tell if can_tell else None


def _decompressed(file: BinaryIO) -> BinaryIO:
    # Peeking does not wait for more than is there, so a pipe may be slow.
    start: bytes = file.peek(len(_GZIP))  # type: ignore[attr-defined]
    return cast(BinaryIO, gzip.open(file)) if start.startswith(_GZIP) else file


class _Lines:
    """The lines of a file as documents, blank ones left out; `rest` takes them as one."""

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
            whole = len(text) <= self._max_bytes or text.endswith(b"\n")
            skipped = 0 if whole else self._skip_line()
            problem = None if whole else "it is too long to be one completion"
            mark = codecs.BOM_UTF8 if self._number == 1 else b""
            kept = text.removeprefix(mark) if whole else b""
            size = self._size(len(text) + skipped)
            yield Document(Place(self._path, self._number), size, kept, problem)

    def rest(self, *read: Document) -> Document:
        """What was read and all that follows, as one document."""
        start = b"".join(document.text for document in read)
        text = start + self._file.read(max(0, self._max_bytes - len(start)) + 1)
        size = sum(document.size for document in read) + self._size(len(text) - len(start))
        if len(text) <= self._max_bytes:
            return Document(read[0].place, size, text)
        limit = self._max_bytes // (1024 * 1024)
        return Document(
            Place(self._path, None),
            size,
            problem=f"it is one JSON document of more than {limit} MB; only JSONL, which has a "
            "completion on each line, can be longer",
        )

    def _skip_line(self) -> int:
        """Reads on to the end of the line; the bytes that took."""
        skipped = 0
        while text := self._file.readline(_SKIPPED_AT_ONCE):
            skipped += len(text)
            if text.endswith(b"\n"):
                break
        return skipped

    def _size(self, read: int) -> int:
        if self._position is None:
            return read
        before, self._done = self._done, self._position()
        return self._done - before


def _documents(source: _Lines) -> Iterator[Document]:
    """Reads ahead by one line, and only where the first one breaks off."""
    lines = iter(source)
    first = next((line for line in lines if line.problem or line.text.strip(_SPACE)), None)
    if first is None:
        return
    if _breaks_off(first.text):
        second = next(lines, None)
        if second is not None and _goes_on(first.text, second.text):
            yield source.rest(first, second)
            return
        yield first
        if second is not None:
            yield second
    else:
        yield first
    yield from lines


def _breaks_off(line: bytes) -> bool:
    """Whether a line is the beginning of an object or array and not all of it."""
    text = line.strip(_SPACE).decode(errors="replace")
    if not text.startswith(("[", "{")):
        return False
    try:
        parse(text)
    except NotJson as error:
        return error.position == len(text)
    return False


def _goes_on(first: bytes, second: bytes) -> bool:
    """Whether the second line continues the first, and is not another line of JSONL."""
    begun = first.strip(_SPACE)
    return begun.startswith(b"[") or begun == b"{" or second[:1] in (b" ", b"\t", b'"')
