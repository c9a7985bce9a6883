"""Server-sent events cut out of a stream of bytes, each with the bytes it came as.

Owns where an event ends; knows nothing of what one says. The bytes of all events, put together,
are the bytes of the stream.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_EVENT_BYTES: Final = 32 * 1024 * 1024
"""A longer event is cut here, so that a stream without blank lines cannot fill the memory."""

# Atomic, so that a `\r\n` is not taken for two line ends.
_BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r){2}")
_LONGEST_BLANK_LINE: Final = 4
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `raw` is all of its bytes, the blank line after it included."""

    raw: bytes

    @property
    def data(self) -> bytes:
        """What its `data:` lines hold; empty for a comment."""
        lines = (line.partition(b":") for line in _LINE_END.split(self.raw))
        return b"\n".join(text.removeprefix(b" ") for name, _, text in lines if name == b"data")


class EventSplitter:
    """Cuts one stream; `rest` is the event that has not ended yet."""

    def __init__(self, *, max_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._rest = bytearray()
        self._searched = 0

    def feed(self, received: bytes) -> Iterator[Event]:
        """The events that end with `received`."""
        self._rest += received
        while match := _BLANK_LINE.search(self._rest, self._searched):
            yield self._cut(match.end())
        self._searched = max(0, len(self._rest) - _LONGEST_BLANK_LINE)
        if len(self._rest) > self._max_bytes:
            yield self._cut(len(self._rest))

    def rest(self) -> Event | None:
        """What came after the last blank line, once the stream has ended."""
        return self._cut(len(self._rest)) if self._rest else None

    def _cut(self, end: int) -> Event:
        event = Event(bytes(self._rest[:end]))
        del self._rest[:end]
        self._searched = 0
        return event
