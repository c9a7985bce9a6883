"""Keep the messages of whole transcripts in a folder that the workers share.

The messages of a stored completion never change, so a page of a transcript that was read to the
end needs no request but that for the completion itself. A completion that was replaced under
its id answers otherwise, so the name of a kept file depends on the answer as well.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader, FileIO
from itertools import accumulate, chain
from typing import Final, overload
from weakref import finalize

from webapp.completions import Completion
from webapp.exact_json import Object, decode_json, parse
from webapp.folders import FolderCache
from webapp.ids import is_valid_id
from webapp.messages import Message
from webapp.redaction import get_logger
from webapp.upstream import LARGE, BadRequest, take_place
from webapp.upstream.decoding import Page

log = get_logger("readback.reading")


_HEAD: Final = 65
"""Bytes of the digest that a file begins with, and of the line's end."""
_MAX_HELD: Final = 1024 * 1024
"""Bytes of sources that are held in memory; more are in a file."""

_NO_JSON: Final = Object("{}", 0, 2, ())


class Sources(Sequence[bytes]):
    """The sources of messages in order, which are read from the file when they are needed.

    A `file` holds sources of these `sizes` from `start` on, and is closed with this object. If none
    can be written, all sources are held in memory.
    """

    def __init__(
        self, file: FileIO | None = None, *, start: int = 0, sizes: Iterable[int] = ()
    ) -> None:
        self._ends = array("Q", accumulate(sizes, initial=start))
        self._held: list[bytes] = []
        self._file = file
        if file is not None:
            finalize(self, file.close)

    def append(self, source: bytes) -> None:
        if self._file is None:
            self._held.append(source)
            self._ends.append(self._ends[-1] + len(source))
            if self._ends[-1] - len(source) <= _MAX_HELD < self._ends[-1]:
                self._move_to_file()
            return
        try:
            _write(self._file, source)
        except OSError:
            self._held = [*self, source]
            self._file = None
        self._ends.append(self._ends[-1] + len(source))

    def _move_to_file(self) -> None:
        try:
            file = _open_file()
            finalize(self, file.close)
            _write(file, b"".join(self._held))
        except OSError:
            return
        self._file, self._held = file, []

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, at: int) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> list[bytes]: ...
    def __getitem__(self, at: int | slice) -> bytes | list[bytes]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        if self._file is None:
            return self._held[at]
        at = range(len(self))[at]
        start, end = self._ends[at], self._ends[at + 1]
        return os.pread(self._file.fileno(), end - start, start)


def _open_file() -> FileIO:
    return tempfile.TemporaryFile(prefix="readback-", buffering=0)


def _write(file: FileIO, written: bytes) -> None:
    """Write all bytes. Raises `OSError` if there is no room for them."""
    if file.write(written) != len(written):
        raise OSError("the disk is full")


@dataclass(frozen=True, slots=True)
class KeptMessages:
    """The messages of a transcript from its first on; to the last one if `is_whole`.

    They are read and parsed when a page asks for them: a page needs few of them.
    """

    ids: Sequence[str]
    sources: Sequence[bytes]
    is_whole: bool

    def fetch(
        self, *, after: str | None = None, limit: int | None = None, order: str | None = None
    ) -> Page[Message]:
        """Fetch a page as a server does. Raises `BadRequest` for an unknown cursor."""
        if after is not None and after not in self.ids:
            raise BadRequest("There is no such message in this completion.")
        places = range(len(self.ids))[:: -1 if order == "desc" else 1]
        start = 0 if after is None else places.index(self.ids.index(after)) + 1
        end = start + (20 if limit is None else limit)
        data = tuple(_iter_parsed(self.sources, places[start:end]))
        return Page(
            data=data,
            has_more=end < len(places),
            first_id=data[0].id if data else None,
            last_id=data[-1].id if data else None,
            json=_NO_JSON,
            total=len(places),
        )

    @classmethod
    def of(cls, messages: Iterable[Message], *, is_whole: bool) -> KeptMessages:
        """Hold `messages` as they would be kept."""
        held = HeldMessages()
        held.add(messages)
        return held.end(is_whole=is_whole)

    def read_all(self) -> tuple[Message, ...]:
        return tuple(self.parse(0, len(self.sources)))

    def parse(self, start: int, end: int) -> Iterator[Message]:
        """Yield the messages from one place, from 0, to another (exclusive)."""
        return _iter_parsed(self.sources, range(len(self.sources))[start:end])


class HeldMessages:
    """Messages that are being read: their ids and sources, and if it `holds_parsed` themselves.

    `size` is the number of bytes of the sources.
    """

    def __init__(self, *, holds_parsed: bool = False) -> None:
        self.parsed: list[Message] = []
        self.size = 0
        self._holds_parsed = holds_parsed
        self._ids: list[str] = []
        self._sources = Sources()

    @property
    def count(self) -> int:
        return len(self._ids)

    @property
    def last_id(self) -> str | None:
        return self._ids[-1] or None if self._ids else None

    def add(self, messages: Iterable[Message]) -> None:
        for message in messages:
            source = b"".join(message.json.iter_bytes())
            self._ids.append(message.id or "")
            self._sources.append(source)
            self.size += len(source)
            if self._holds_parsed:
                self.parsed.append(message)

    def end(self, *, is_whole: bool) -> KeptMessages:
        """Return the messages read so far, to which no more are added."""
        return KeptMessages(self._ids, self._sources, is_whole)


class MessageCache:
    """Keeps the messages of transcripts in `files`, by completion and answer."""

    def __init__(self, files: FolderCache) -> None:
        self._files = files

    def has_any(self, completion_id: str) -> bool:
        """Return whether messages of a completion are kept, perhaps of one replaced since."""
        return self._files.has_any(completion_id)

    def find(self, completion_id: str, completion: Completion) -> KeptMessages | None:
        """Find the messages that were kept for `completion` as it answers now."""
        return self._files.find(completion_id, digest_answer(completion), read=_read_kept)

    def keep(self, completion_id: str, completion: Completion, messages: KeptMessages) -> None:
        """Keep messages whose ids can be cursors; others are read each time."""
        ids = messages.ids
        if not ids or len(set(ids)) < len(ids) or not all(map(is_valid_id, ids)):
            return
        listed = list(zip(ids, map(len, messages.sources), strict=True))
        head = json.dumps((messages.is_whole, listed)).encode() + b"\n"
        hashed = hashlib.sha256(head)
        for source in messages.sources:
            hashed.update(source)
        digest = hashed.hexdigest().encode() + b"\n"
        size = len(digest) + len(head) + sum(size for _, size in listed)
        pieces = chain((digest, head), messages.sources)
        self._files.keep(completion_id, digest_answer(completion), pieces, size)

    def forget(self, completion_id: str) -> None:
        """Delete the messages of a completion that is no longer stored."""
        try:
            self._files.forget(completion_id)
        except OSError as error:
            log.warning("Messages of a deleted completion stay on disk: %s", error.strerror)


def digest_answer(completion: Completion) -> str:
    """Hash a completion's answer, which an update of metadata leaves."""
    hashed = hashlib.sha256(str(completion.created).encode())
    for choice in completion.choices:
        for piece in choice.json.iter_bytes():
            hashed.update(piece)
    return hashed.hexdigest()[:32]


def _read_kept(file: FileIO) -> KeptMessages | None:
    """Return the messages in a file, which stay there; None unless it begins with its digest."""
    digest = file.read(_HEAD)
    hashed = hashlib.file_digest(file, "sha256").hexdigest().encode()
    if digest[:-1] != hashed:
        file.close()
        return None
    file.seek(_HEAD)
    reader = BufferedReader(file)
    head = reader.readline()
    reader.detach()
    is_whole, listed = json.loads(head)
    ids = [one for one, _ in listed]
    sizes = (size for _, size in listed)
    return KeptMessages(ids, Sources(file, start=_HEAD + len(head), sizes=sizes), is_whole)


def _iter_parsed(sources: Sequence[bytes], places: range) -> Iterator[Message]:
    size = 0
    for at in places:
        source = sources[at]
        size += len(source)
        if size > LARGE:
            take_place()
        yield Message.from_json(parse(decode_json(source, errors="surrogatepass")))
