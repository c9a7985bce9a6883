"""Split lines into JSON documents: one on each line, several on a line, or one on many lines.

A document is followed by its brackets and strings alone, so that a file of any size can hold
indented documents one after the other. Whether a document is valid is left to its reader.
"""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

STANDARD_INPUT: Final = Path("-")

_SPACE: Final = b" \t\r\n"
_SEPARATORS: Final = _SPACE + b",\x1e"
"""Separators of documents: white space, commas, and the record separator of JSON text sequences."""

_SEPARATED: Final = re.compile(rb"[ \t\r\n,\x1e]*+")

_OPENING: Final = (b"{", b"[")
_CONTINUING: Final = (b" ", b"\t", b'"', b",", b"}", b"]")
"""No document begins like this at the start of a line."""

_OUTSIDE_STRINGS: Final = re.compile(
    rb'[^"{}\[\]]*+(?:"[^"\\]*+(?:\\.[^"\\]*+|(?!))*+"[^"{}\[\]]*+|(?!))*+', re.DOTALL
)
_END_OF_STRING: Final = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+|(?!))*+"', re.DOTALL)

_MAX_RESTARTS: Final = 20
"""Each restart reads the text after a broken document again."""


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


class DocumentSplitter:
    """Iterates over the documents in `lines`, of which it reads ahead one that may continue.

    A line that breaks off is a separate document, and so costs no other one, unless the next
    line continues it.
    """

    def __init__(self, lines: Iterator[Document], max_bytes: int) -> None:
        self._lines = lines
        self._max_bytes = max_bytes
        self._waiting: deque[Document] = deque()
        self._restarts = 0

    def __iter__(self) -> Iterator[Document]:
        while (line := self._read_line()) is not None:
            text = line.text.lstrip(_SEPARATORS)
            if line.problem or not text.startswith(_OPENING):
                yield line if text else replace(line, text=b"")
                continue
            first = replace(line, text=text)
            nesting = _Nesting()
            end = nesting.find_end(text)
            if end is not None:
                yield from self._iter_documents(first, end)
            elif self._is_continued(text):
                yield from self._join_lines(first, nesting)
            else:
                yield first

    def _read_line(self) -> Document | None:
        return self._waiting.popleft() if self._waiting else next(self._lines, None)

    def _is_continued(self, first: bytes) -> bool:
        """Return whether the next line continues the first, and is not another line of JSONL."""
        second = self._read_line()
        if second is None:
            return False
        self._waiting.appendleft(second)
        begun = first.strip(_SPACE)
        return begun.startswith(b"[") or begun == b"{" or second.text[:1] in _CONTINUING

    def _iter_documents(self, line: Document, end: int) -> Iterator[Document]:
        """Yield the documents on a line, the first of which ends at `end`.

        A copy of the rest for each would take the square of their number.
        """
        text, start, size = line.text, 0, line.size
        while True:
            following = _SEPARATED.match(text, end)
            assert following is not None
            after = following.end()
            if after == len(text) or text[after : after + 1] not in _OPENING:
                # Anything else that follows stays with it, as an error to report.
                # A copy without white space would be held beside the line.
                is_whole = start == 0 and not text[end:].strip(_SPACE)
                last = end if after == len(text) and not is_whole else len(text)
                yield replace(line, size=size, text=text[start:last])
                return
            yield replace(line, size=size, text=text[start:end])
            found = _Nesting().find_end(text, after)
            start, size = after, 0
            if found is None:
                self._waiting.appendleft(replace(line, size=0, text=text[start:]))
                return
            end = found

    def _cut(self, document: Document, end: int) -> Document:
        """Cut the document at `end`; keep the rest of its line, if it is another one.

        Anything else that follows stays with it, as an error to report.
        """
        rest = document.text[end:].lstrip(_SEPARATORS)
        if rest and not rest.startswith(_OPENING):
            return document
        if rest:
            lines = document.text.count(b"\n", 0, end)
            line = (document.source.line or 1) + lines
            source = replace(document.source, line=line)
            self._waiting.appendleft(Document(source, 0, rest))
        return replace(document, text=document.text[:end])

    def _join_lines(self, first: Document, nesting: _Nesting) -> Iterator[Document]:
        """Yield the document that begins with the line `first`."""
        # A list of the lines would take a hundred bytes for each blank one.
        joined, size = io.BytesIO(), first.size
        joined.write(first.text)
        restart: tuple[Document, int, int] | None = None
        is_refused = False
        while (line := self._read_line()) is not None:
            if line.problem is not None:
                yield replace(first, text=b"", size=size, problem=line.problem)
                yield self._skip_to_next(line)
                return
            if restart is None and line.text.startswith(b"{"):
                restart = line, joined.tell(), size
            size += line.size
            is_refused = is_refused or joined.tell() + len(line.text) > self._max_bytes
            if is_refused:
                joined = io.BytesIO()
            else:
                joined.write(line.text)
            end = nesting.find_end(line.text)
            if end is not None and is_refused:
                self._cut(line, end)
                yield self._refuse(first, size)
                return
            if end is not None:
                text = joined.getvalue()
                whole = replace(first, text=text, size=size)
                yield self._cut(whole, len(text) - len(line.text) + end)
                return
        if is_refused:
            yield self._refuse(first, size)
            return
        text = joined.getvalue()
        # It breaks off at the end of the file. A line in it may begin another one.
        if restart is not None and self._restarts < _MAX_RESTARTS:
            self._restarts += 1
            line, start, before = restart
            self._lines = _iter_lines(replace(line, size=size - before), text, start)
            text, size = text[:start], before
        yield replace(first, text=text, size=size)

    def _skip_to_next(self, line: Document) -> Document:
        """Skip the lines up to the next one that may begin a document; return their size."""
        size = line.size
        while (following := self._read_line()) is not None:
            if following.text.startswith(_OPENING):
                self._waiting.appendleft(following)
                break
            size += following.size
        return Document(line.source, size)

    def _refuse(self, first: Document, size: int) -> Document:
        limit = self._max_bytes // (1024 * 1024)
        problem = (
            f"it is one JSON document of more than {limit} MB; only JSONL, which has a "
            "completion on each line, can be longer"
        )
        return replace(first, text=b"", size=size, problem=problem)


def _iter_lines(first: Document, text: bytes, start: int) -> Iterator[Document]:
    """Yield the lines of `text` from `start`, where `first` begins; it has the size of them all."""
    number, size = first.source.line or 1, first.size
    while start < len(text):
        end = text.find(b"\n", start) + 1 or len(text)
        yield Document(replace(first.source, line=number), size, text[start:end])
        start, number, size = end, number + 1, 0


class _Nesting:
    """Follows the brackets and strings of one document, line by line."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False

    def find_end(self, text: bytes, at: int = 0) -> int | None:
        """Find where the document ends in its next line, from `at`; None if it goes on after it."""
        while at < len(text):
            if self._in_string:
                closed = _END_OF_STRING.match(text, at)
                if closed is None:
                    return None
                at = closed.end()
                self._in_string = False
            skipped = _OUTSIDE_STRINGS.match(text, at)
            assert skipped is not None
            at = skipped.end() + 1
            character = text[at - 1 : at]
            if character == b'"':
                self._in_string = True
            elif character:
                self._depth += 1 if character in _OPENING else -1
                if self._depth == 0:
                    return at
        return None
