"""Keep the latest snapshots in memory, so that the page of a draft is not searched at each view."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from webapp.exact_json import Value
from webapp.notes import Note, write_notes
from webapp.recent import RecentValues
from webapp.redaction import REDACTION_VERSION
from webapp.shares.snapshot import ShareChoices, Snapshot, make_snapshot

_MAX_CHARACTERS: Final = 32 * 1024 * 1024
"""Of the snapshots that a process keeps, each under two keys; a larger one is kept alone."""

_OVERHEAD: Final = 1024 * 1024
"""Characters that a snapshot counts more, for its values."""


class RecentSnapshots:
    """Makes snapshots, and returns the same one for the same content, choices and words.

    Safe to share between threads.
    """

    def __init__(self) -> None:
        self._kept: RecentValues[bytes, Snapshot] = RecentValues(_MAX_CHARACTERS)

    def make(
        self,
        completion: Value,
        messages: Sequence[Value],
        choices: ShareChoices,
        *,
        words: Collection[str] = (),
        notes: Sequence[Note] = (),
    ) -> Snapshot:
        """Make a snapshot as `make_snapshot` does, with the same errors."""
        texts = (completion.source, write_notes(notes), *(one.source for one in messages))
        content = _digest(texts)
        wanted = _digest(_describe(content, choices, words))
        kept = self._kept.get(wanted)
        if kept is not None:
            return kept
        made = make_snapshot(completion, messages, choices, words=words, notes=notes)
        size = min(len(made.text) + _OVERHEAD, _MAX_CHARACTERS // 2)
        # The choices of a draft have the key that was made for it here.
        for key in (wanted, _digest(_describe(content, made.choices, words))):
            self._kept.keep(key, made, size)
        return made


def _describe(content: bytes, choices: ShareChoices, words: Collection[str]) -> Iterator[str]:
    yield content.hex()
    yield json.dumps([choices.to_json(), *words], sort_keys=True)
    yield str(REDACTION_VERSION)


def _digest(texts: Iterator[str] | Sequence[str]) -> bytes:
    digest = hashlib.sha256()
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(b"%d " % len(encoded))
        digest.update(encoded)
    return digest.digest()
