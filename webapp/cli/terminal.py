"""What is said on a terminal and kept out of pipes; text of others made harmless for both."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final, TextIO

_SECONDS_BETWEEN: Final = 0.1


class ProgressLine:
    """One line on a terminal that is written over, and gone at the end; nothing elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._shown_at = 0.0

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._write("")

    def show(self, text: str) -> None:
        """Shows `text`, unless another one was shown just now."""
        now = time.monotonic()
        if now - self._shown_at >= _SECONDS_BETWEEN:
            self._shown_at = now
            self._write(text)

    def say(self, text: str) -> None:
        """A line that stays, in pipes too."""
        self._write("")
        print(text, file=self._stream, flush=True)

    def _write(self, text: str) -> None:
        if self._is_terminal:
            self._stream.write(f"\r{text}\x1b[K")
            self._stream.flush()


def printable(text: str) -> str:
    """`text` on one line, with a space for what a terminal would obey and not show."""
    return "".join(character if character.isprintable() else " " for character in text)
