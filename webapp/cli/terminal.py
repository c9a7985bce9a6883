"""Show progress on terminals only, and make untrusted text harmless to print."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final, TextIO

_SECONDS_BETWEEN: Final = 0.1


class ProgressLine:
    """One line on a terminal, overwritten and removed at the end; nothing elsewhere."""

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
        """Show `text`, unless another one was shown just now."""
        now = time.monotonic()
        if now - self._shown_at >= _SECONDS_BETWEEN:
            self._shown_at = now
            self._write(text)

    def say(self, text: str) -> None:
        """Print a line that stays, in pipes too."""
        self._write("")
        print(text, file=self._stream, flush=True)

    def _write(self, text: str) -> None:
        if self._is_terminal:
            self._stream.write(f"\r{text}\x1b[K")
            self._stream.flush()


def strip_controls(text: str) -> str:
    """Return `text` on one line, with spaces for the characters a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)
