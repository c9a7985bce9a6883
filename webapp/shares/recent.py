"""Keep the latest snapshots in memory, so that the page of a draft is not searched at each view."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from threading import Lock
from typing import Final

from webapp.exact_json import Value
from webapp.notes import Note, write_notes
from webapp.redaction import REDACTION_VERSION
from webapp.shares.snapshot import Choices, Snapshot, make_snapshot

_MOST: Final = 32
_MAX_CHARACTERS: Final = 32 * 1024 * 1024


class RecentSnapshots:
    """Makes snapshots, and returns the same one for the same content, choices and words.

    Safe to share between threads. Holds at most 32 snapshots with 32 million characters, or one
    that is larger.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[bytes, Snapshot] = OrderedDict()

    def make(
        self,
        completion: Value,
        messages: Sequence[Value],
        choices: Choices,
        *,
        words: Collection[str] = (),
        notes: Sequence[Note] = (),
    ) -> Snapshot:
        """Make a snapshot as `make_snapshot` does, with the same errors."""
        texts = (completion.source, write_notes(notes), *(one.source for one in messages))
        content = _digest(texts)
        wanted = _digest(_describe(content, choices, words))
        with self._lock:
            kept = self._kept.get(wanted)
            if kept is not None:
                self._kept.move_to_end(wanted)
                return kept
        made = make_snapshot(completion, messages, choices, words=words, notes=notes)
        with self._lock:
            # The choices of a draft have the key that was made for it here.
            self._kept[wanted] = self._kept[_digest(_describe(content, made.choices, words))] = made
            while len(self._kept) > 2 and (
                len(self._kept) > _MOST
                or sum(len(one.text) for one in self._kept.values()) > _MAX_CHARACTERS
            ):
                self._kept.popitem(last=False)
        return made


def _describe(content: bytes, choices: Choices, words: Collection[str]) -> Iterator[str]:
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
