"""Replacing a key by asterisks in text and in streams of bytes.

Some servers repeat a key that they refuse, and their answer is passed on to others.
"""

from __future__ import annotations


class KeyRedactor:
    """Replaces each byte of one key by an asterisk; changes nothing if the key is empty or None."""

    def __init__(self, key: str | None) -> None:
        self._key = (key or "").encode()

    def redact(self, text: str) -> str:
        """Return `text` with the key redacted."""
        key = self._key.decode()
        return text.replace(key, "*" * len(key)) if key else text

    def start_stream(self) -> StreamRedactor:
        """Return a redactor for the pieces of one stream."""
        return StreamRedactor(self._key)


class StreamRedactor:
    """Redacts a key in a stream, also if it is split between two pieces."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """Return the redacted bytes so far, without those at the end that may begin the key."""
        if not self._key:
            return piece
        data = (self._held + piece).replace(self._key, b"*" * len(self._key))
        longest = min(len(self._key) - 1, len(data))
        held = next(size for size in range(longest, -1, -1) if data.endswith(self._key[:size]))
        end = len(data) - held
        self._held = data[end:]
        return data[:end]

    def flush(self) -> bytes:
        """Return the bytes held back, after the stream has ended."""
        held, self._held = self._held, b""
        return held
