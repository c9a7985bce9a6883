"""Read files line by line as the JSON documents in them.

Whether a file is compressed, and whether it is UTF-8, UTF-16 or UTF-32, is detected by its first
bytes, never by its name. Knows nothing of completions.
"""

from __future__ import annotations

import codecs
import gzip
import io
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from webapp.embedded.transfer.splitting import (
    STANDARD_INPUT,
    Document,
    DocumentSplitter,
    SourceLine,
)
from webapp.embedded.transfer.streams import join_streams
from webapp.embedded.transfer.zips import NotReadable, open_members

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_DOCUMENT_BYTES: Final = 128 * 1024 * 1024
"""The limit for a line of JSONL, and for an indented document."""

_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_SKIPPED_AT_ONCE: Final = 8 * 1024 * 1024
_READ_AT_ONCE: Final = 64 * 1024
_EXPANDS_TOO_FAR: Final = "its data expands too far for an upload, and nothing after it was read"
_MAX_SKIPPED: Final = 1024 * 1024 * 1024
"""The most bytes of a line that are read to reach the next one: a sparse file can have any size."""
_ENDLESS: Final = "it is longer than 1 GB, and nothing after it was read"
_SHORT_LINE: Final = 8
_FIRST_LINES: Final = 100_000
"""Lines after which they must be longer than `_SHORT_LINE` bytes on average, as those of JSON are.

A compressed file of 300 kB can hold 300 million blank ones, which take many minutes.
"""
_HARDLY_ANYTHING: Final = (
    f"it has {_FIRST_LINES:,} lines with hardly anything in them, and nothing after them was read"
)
_BINARY: Final = "it is neither JSON nor text"
_UNPACK: Final = "it is {}: unpack it, and import the files in it"
_OTHER_KINDS: Final = {
    _ZIP: _UNPACK.format("a ZIP archive"),
    b"7z\xbc\xaf\x27\x1c": _UNPACK.format("a 7z archive"),
    b"\xfd7zXZ\0": _UNPACK.format("compressed with xz"),
    b"\x28\xb5\x2f\xfd": _UNPACK.format("compressed with zstd"),
    b"BZh": _UNPACK.format("compressed with bzip2"),
    b"%PDF-": "it is a PDF document",
}
_MARKS: Final = {
    b"\xff\xfe\0\0": "utf-32-le",
    b"\0\0\xfe\xff": "utf-32-be",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
"""Byte order marks; the longer ones first, because one of them begins as a shorter one does."""
_ZEROS: Final[dict[tuple[bool, ...], str]] = {
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
}
"""Which of the first four bytes are zero without a mark: JSON begins with two ASCII characters."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that is open already, and the name that problems in it are reported under.

    If it is compressed, at most `max_expanded` bytes are read from it.
    """

    name: str
    file: BinaryIO
    max_expanded: int | None = None

    @property
    def path(self) -> Path:
        return Path(self.name)


def read_documents(
    source: Path | OpenFile, *, max_bytes: int = MAX_DOCUMENT_BYTES
) -> Iterator[Document]:
    """Yield the documents in a file: its lines, or the whole file if it is one document.

    Of a ZIP archive, these are the documents in its JSON files.
    """
    path = source if isinstance(source, Path) else source.path
    max_read = None if isinstance(source, Path) else source.max_expanded
    try:
        with _open_file(source) as (file, position):
            # To seek in a compressed file is to decompress it, as often as one goes back.
            is_compressed = isinstance(file, gzip.GzipFile)
            if _peek(file, len(_ZIP)) == _ZIP and file.seekable() and not is_compressed:
                yield from _read_archive(path, file, max_bytes, max_read)
                return
            if problem := _find_other_kind(file):
                yield Document(SourceLine(path, None), 0, problem=problem)
                return
            lines = _read_lines(path, file, position, max_bytes, max_read)
            yield from join_streams(DocumentSplitter(lines, max_bytes), max_bytes)
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error):
        problem = "its compressed data is damaged or cut off"
        yield Document(SourceLine(path, None), 0, problem=problem)
    except NotReadable as error:
        yield Document(SourceLine(path, None), 0, problem=str(error))
    except UnicodeDecodeError as error:
        problem = f"its {error.encoding} text is damaged or cut off: {error.reason}"
        yield Document(SourceLine(path, None), 0, problem=problem)
    except OSError as error:
        problem = f"it cannot be read: {error.strerror}"
        yield Document(SourceLine(path, None), 0, problem=problem)


def _read_archive(
    path: Path, file: BinaryIO, max_bytes: int, max_read: int | None
) -> Iterator[Document]:
    """Yield the documents in the JSON files of an archive, each file with a path of its own."""
    for member in open_members(file, max_read):
        name = "".join(one if one.isprintable() else "?" for one in member.name[:200])
        own_path = Path(f"{path}/{name}") if name else path
        if _peek(member.file, len(_GZIP)) == _GZIP:
            # It would expand beyond the size that the archive says.
            words = _UNPACK.format("compressed with gzip within a ZIP archive")
            yield Document(SourceLine(own_path, None), member.size, problem=words)
            continue
        opened, size = _open_decompressed(member.file), member.size
        if problem := _find_other_kind(opened):
            yield Document(SourceLine(own_path, None), size, problem=problem)
            continue
        lines = _read_lines(own_path, opened, None, max_bytes, None)
        for document in join_streams(DocumentSplitter(lines, max_bytes), max_bytes):
            yield replace(document, size=size)
            size = 0


@contextmanager
def _open_file(
    source: Path | OpenFile,
) -> Iterator[tuple[BinaryIO, Callable[[], int] | None]]:
    """Open a file for its decompressed bytes; one that was open stays so.

    For a compressed file, the second value returns the position in the compressed bytes.
    """
    if source == STANDARD_INPUT:
        yield _open_decompressed(sys.stdin.buffer), None
        return
    with source.open("rb") if isinstance(source, Path) else nullcontext(source.file) as file:
        opened = _open_decompressed(file)
        has_position = opened is not file and file.seekable()
        yield opened, file.tell if has_position else None


def _open_decompressed(file: BinaryIO) -> BinaryIO:
    """Open the file as UTF-8, decompressed if necessary."""
    opened = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if _peek(file, 2) == _GZIP else file
    start = _peek(opened, 4)
    marked = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    encoding = marked or _ZEROS.get(tuple(byte == 0 for byte in start))
    if encoding is None:
        return opened
    return cast(BinaryIO, io.BufferedReader(_Utf8Reader(opened, encoding)))


def _find_other_kind(file: BinaryIO) -> str | None:
    """Find the kind of a file without text, by its first bytes."""
    start = _peek(file, _READ_AT_ONCE)
    known = next((words for mark, words in _OTHER_KINDS.items() if start.startswith(mark)), None)
    is_json = start.lstrip(b" \t\r\n").startswith((b"{", b"["))
    return known or (_BINARY if b"\0" in start and not is_json else None)


def _peek(file: BinaryIO, number: int) -> bytes:
    # Peeking returns after the first bytes arrive, so a slow pipe is not waited for.
    start: bytes = file.peek(number)  # type: ignore[attr-defined]
    return start[:number]


class _Utf8Reader(io.RawIOBase):
    """Reads text of another encoding as UTF-8.

    Lone surrogates become bytes that are not UTF-8, so that only their line is refused.
    """

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="surrogatepass")
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        while not self._ready:
            read: bytes = self._file.read1(_READ_AT_ONCE)  # type: ignore[attr-defined]
            text = self._decoder.decode(read, final=not read)
            self._ready = text.encode("utf-8", "surrogatepass")
            if not read:
                break
        part, self._ready = self._ready[: len(view)], self._ready[len(view) :]
        view[: len(part)] = part
        return len(part)


def _read_lines(
    path: Path,
    file: BinaryIO,
    position: Callable[[], int] | None,
    max_bytes: int,
    max_read: int | None,
) -> Iterator[Document]:
    """Yield the lines of a file as documents, with a problem for each that is too long.

    Beyond `max_read` bytes nothing is read.
    """
    number = done = read = 0
    while text := _read_line(file, max_bytes + 1):
        number += 1
        source = SourceLine(path, number)
        length = len(text)
        is_too_long = length > max_bytes and not text.endswith(b"\n")
        if is_too_long:
            text = b""
            skipped, is_skipped = _skip_line(file)
        else:
            skipped, is_skipped = 0, True
        before, done = done, position() if position else done + length + skipped
        read += length + skipped
        end = None if is_skipped else _ENDLESS
        if max_read is not None and read > max_read:
            end = _EXPANDS_TOO_FAR
        elif number >= _FIRST_LINES and read <= number * _SHORT_LINE:
            end = _HARDLY_ANYTHING
        if end is not None:
            yield Document(source, done - before, problem=end)
            return
        if is_too_long:
            yield Document(source, done - before, problem="it is too long to be one completion")
            continue
        # Files that were joined to one have a mark at the beginning of each.
        yield Document(source, done - before, text.removeprefix(codecs.BOM_UTF8))


def _read_line(file: BinaryIO, most: int) -> bytes:
    """Read a line, or the first `most` bytes of it."""
    text = file.readline(min(most, _READ_AT_ONCE))
    if len(text) < _READ_AT_ONCE or text.endswith(b"\n"):
        return text
    # To read a long one at once takes twice its size.
    joined = io.BytesIO()
    while text:
        joined.write(text)
        is_whole = text.endswith(b"\n")
        text = b"" if is_whole else file.readline(min(most - joined.tell(), _SKIPPED_AT_ONCE))
    return joined.getvalue()


def _skip_line(file: BinaryIO) -> tuple[int, bool]:
    """Skip a line; return the bytes skipped, and whether they reach the end of the line."""
    skipped = 0
    while text := file.readline(_SKIPPED_AT_ONCE):
        skipped += len(text)
        if text.endswith(b"\n"):
            break
        if skipped >= _MAX_SKIPPED:
            return skipped, False
    return skipped, True
