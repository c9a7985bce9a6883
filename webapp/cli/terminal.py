"""Print lines and JSON, and show progress; every text is made harmless on its way out.

The output of a command may come from a server, from a file or from a file's name.
"""

from __future__ import annotations

import json
import sys
import time
from types import TracebackType
from typing import Any, Final, TextIO

from webapp.redaction import mask

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
        print_line(text, file=self._stream)

    def _write(self, text: str) -> None:
        if self._is_terminal:
            self._stream.write(f"\r{make_harmless(text)}\x1b[K")
            self._stream.flush()


def print_line(text: str, *, file: TextIO | None = None, end: str = "\n") -> None:
    """Print `text` on one line, made harmless."""
    print(make_harmless(text), file=file or sys.stdout, end=end, flush=True)


def print_json(value: Any, *, indent: int | None = None) -> None:
    """Print JSON in ASCII, with the secrets of each string masked.

    A mask in the JSON itself could end a string of it.
    """
    print(json.dumps(_mask_strings(value), indent=indent), flush=True)


def _mask_strings(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {name: _mask_strings(one) for name, one in value.items()}
    return [_mask_strings(one) for one in value] if isinstance(value, list | tuple) else value


def make_harmless(text: str) -> str:
    """Put `text` on one line, without secrets and without characters a terminal would obey."""
    return strip_controls(mask(text))


def strip_controls(text: str) -> str:
    """Put `text` on one line, with spaces for the characters a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)
