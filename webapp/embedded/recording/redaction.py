"""A key covered wherever it occurs in bytes, also in bytes that come in pieces.

Some servers repeat a key that they refuse, and whoever reads their answer need not know it. Each
byte becomes an asterisk, so that nothing changes its length.
"""

from __future__ import annotations


class KeyRedactor:
    """Covers one key; None or an empty one covers nothing."""

    def __init__(self, key: str | None) -> None:
        self._key = (key or "").encode()

    def text(self, text: str) -> str:
        """`text` with the key covered."""
        key = self._key.decode()
        return text.replace(key, "*" * len(key)) if key else text

    def stream(self) -> MaskedStream:
        return MaskedStream(self._key)


class MaskedStream:
    """Pieces of one stream, covered; bytes that may begin the key are held until that is known."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """What can be shown after `piece`; may be empty."""
        if not self._key:
            return piece
        data = (self._held + piece).replace(self._key, b"*" * len(self._key))
        shown = len(data) - self._beginning_of_key(data)
        self._held = data[shown:]
        return data[:shown]

    def rest(self) -> bytes:
        """What is held when the stream has ended."""
        held, self._held = self._held, b""
        return held

    def _beginning_of_key(self, data: bytes) -> int:
        """How many bytes at the end of `data` are a beginning of the key."""
        longest = min(len(self._key) - 1, len(data))
        counts = (count for count in range(longest, 0, -1) if data.endswith(self._key[:count]))
        return next(counts, 0)
