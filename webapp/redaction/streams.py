"""Replace keys by asterisks in text and in streams of bytes.

Some servers repeat a key that they refuse, and their answer is passed on to others.
"""

from __future__ import annotations

from collections.abc import Sequence


class KeyRedactor:
    """Replaces each byte of its keys by an asterisk; an empty key or None is ignored."""

    def __init__(self, *keys: str | None) -> None:
        # A key can be part of another one: the longest goes first.
        self._keys = sorted((key.encode() for key in keys if key), key=len, reverse=True)

    def redact(self, text: str) -> str:
        """Redact the keys in `text`."""
        for key in self._keys:
            text = text.replace(key.decode(), "*" * len(key))
        return text

    def start_stream(self) -> StreamRedactor:
        """Start a redactor for the pieces of one stream."""
        return StreamRedactor(self._keys)


class StreamRedactor:
    """Redacts keys in a stream, also if they are split between two pieces."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._stages = [_KeyInStream(key) for key in keys]

    def feed(self, piece: bytes) -> bytes:
        """Redact a piece; the bytes at the end that may begin a key are held back."""
        for stage in self._stages:
            piece = stage.feed(piece)
        return piece

    def flush(self) -> bytes:
        """Flush the bytes held back, after the stream has ended."""
        rest = b""
        for stage in self._stages:
            rest = stage.feed(rest) + stage.flush()
        return rest


class _KeyInStream:
    """Redacts one key; it holds back a possible beginning of it."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        data = (self._held + piece).replace(self._key, b"*" * len(self._key))
        longest = min(len(self._key) - 1, len(data))
        held = next(size for size in range(longest, -1, -1) if data.endswith(self._key[:size]))
        end = len(data) - held
        self._held = data[end:]
        return data[:end]

    def flush(self) -> bytes:
        held, self._held = self._held, b""
        return held
