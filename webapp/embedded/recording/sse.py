"""Split a stream of bytes into server-sent events.

The bytes of all events together are the bytes of the stream.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_EVENT_BYTES: Final = 32 * 1024 * 1024
"""A longer event is cut, so that a stream without blank lines cannot fill the memory."""

# Atomic, so that a `\r\n` is not taken for two line ends.
_BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r){2}")
_LONGEST_BLANK_LINE: Final = 4
_LINE_END = re.compile(rb"\r\n|\n|\r")
_FIELDS: Final = frozenset({b"data", b"event", b"id", b"retry", b""})
"""The names that the lines of an event have; that of a comment is empty."""
_OTHER_FIELD: Final = re.compile(rb"(?!error\b)[A-Za-z_-]+")
"""Fields that a reader of events leaves out. Lines that are no field go on with the data."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `raw` is all of its bytes, including the blank line after it."""

    raw: bytes

    @property
    def data(self) -> bytes:
        """The text of its `data:` lines; empty if the event is a comment.

        All of it if no line is one of an event: some servers answer a request for a stream with
        bare JSON, or end a stream with the page of an error.
        """
        lines = self._split()
        names = {line.partition(b":")[0] for line in lines}
        if names.isdisjoint(_FIELDS):
            return self.raw.removeprefix(codecs.BOM_UTF8).strip()
        return b"\n".join(data for line in lines if (data := _read_data(line)) is not None)

    @property
    def name(self) -> bytes:
        """The text of its last `event:` line, empty if there is none."""
        fields = (line.partition(b":") for line in self._split())
        names = [text.strip() for name, _, text in fields if name == b"event"]
        return names[-1] if names else b""

    def _split(self) -> list[bytes]:
        raw = self.raw.removeprefix(codecs.BOM_UTF8)
        return [line for line in _LINE_END.split(raw) if line.strip()]


def _read_data(line: bytes) -> bytes | None:
    """Read the data in a line of an event, None if it has none."""
    name, _, text = line.partition(b":")
    if name == b"data":
        return text.removeprefix(b" ")
    return None if name in _FIELDS or _OTHER_FIELD.fullmatch(name) else line


class EventSplitter:
    """Splits one stream, which arrives in pieces."""

    def __init__(self, *, max_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._rest = bytearray()
        self._searched = 0

    def feed(self, received: bytes) -> Iterator[Event]:
        """Yield the events that end in `received`."""
        self._rest += received
        while match := _BLANK_LINE.search(self._rest, self._searched):
            yield self._cut(match.end())
        self._searched = max(0, len(self._rest) - _LONGEST_BLANK_LINE)
        if len(self._rest) > self._max_bytes:
            yield self._cut(len(self._rest))

    def flush(self) -> Event | None:
        """Flush the bytes after the last blank line as an event, after the stream has ended."""
        return self._cut(len(self._rest)) if self._rest else None

    def _cut(self, end: int) -> Event:
        event = Event(bytes(self._rest[:end]))
        del self._rest[:end]
        self._searched = 0
        return event
