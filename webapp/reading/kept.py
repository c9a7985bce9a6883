"""Keep the messages of whole transcripts in a folder that the workers share.

The messages of a stored completion never change, so a page of a transcript that was read to the
end needs no request but that for the completion itself. A completion that was replaced under
its id answers otherwise, so the name of a kept file depends on the answer as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from webapp.completions import Completion, Page
from webapp.exact_json import Object, parse
from webapp.folders import FolderCache
from webapp.ids import is_valid_id
from webapp.messages import Message
from webapp.redaction import get_logger
from webapp.upstream import BadRequest

log = get_logger("readback.reading")


_HEAD: Final = 65
"""Bytes of the digest that a file begins with, and of the line's end."""
_NO_JSON: Final = Object("{}", 0, 2, ())


@dataclass(frozen=True, slots=True)
class KeptMessages:
    """The messages of a transcript from its first on; to the last one if `is_whole`.

    They are parsed when a page asks for them: a page needs few of them.
    """

    ids: tuple[str, ...]
    sources: tuple[bytes, ...]
    is_whole: bool

    def fetch(
        self, *, after: str | None = None, limit: int | None = None, order: str | None = None
    ) -> Page[Message]:
        """Fetch a page as a server does. Raises `BadRequest` for an unknown cursor."""
        if after is not None and after not in self.ids:
            raise BadRequest("There is no such message in this completion.")
        step = -1 if order == "desc" else 1
        ids, sources = self.ids[::step], self.sources[::step]
        start = 0 if after is None else ids.index(after) + 1
        end = start + (20 if limit is None else limit)
        data = tuple(_parse(sources[start:end]))
        return Page(
            data=data,
            has_more=end < len(ids),
            first_id=data[0].id if data else None,
            last_id=data[-1].id if data else None,
            json=_NO_JSON,
            total=len(ids),
        )

    @classmethod
    def of(cls, messages: Sequence[Message], *, is_whole: bool) -> KeptMessages:
        """Hold `messages` as they would be kept."""
        sources = (message.json.source.encode("utf-8", "surrogatepass") for message in messages)
        return cls(tuple(message.id or "" for message in messages), tuple(sources), is_whole)

    def read_all(self) -> tuple[Message, ...]:
        return tuple(self.parse(0, len(self.sources)))

    def parse(self, start: int, end: int) -> Iterator[Message]:
        """Yield the messages from one place, from 0, to another (exclusive)."""
        return _parse(self.sources[start:end])


class MessageCache:
    """Keeps the messages of transcripts in `files`, by completion and answer."""

    def __init__(self, files: FolderCache) -> None:
        self._files = files

    def has_any(self, completion_id: str) -> bool:
        """Return whether messages of a completion are kept, perhaps of one replaced since."""
        return self._files.has_any(completion_id)

    def find(self, completion_id: str, completion: Completion) -> KeptMessages | None:
        """Find the messages that were kept for `completion` as it answers now."""
        kept = self._files.get(completion_id, digest_answer(completion), is_sound=_is_sound)
        if kept is None:
            return None
        head, _, rest = kept[_HEAD:].partition(b"\n")
        is_whole, listed = json.loads(head)
        sources, start = [], 0
        for _, size in listed:
            sources.append(rest[start : start + size])
            start += size
        return KeptMessages(tuple(one for one, _ in listed), tuple(sources), is_whole)

    def keep(
        self,
        completion_id: str,
        completion: Completion,
        messages: Sequence[Message],
        *,
        is_whole: bool,
    ) -> None:
        """Keep messages whose ids can be cursors; others are read each time."""
        ids = [message.id for message in messages if message.id and is_valid_id(message.id)]
        if not messages or len(set(ids)) < len(messages):
            return
        sources = [message.json.source.encode("utf-8", "surrogatepass") for message in messages]
        listed = [(one, len(source)) for one, source in zip(ids, sources, strict=True)]
        kept = b"\n".join((json.dumps((is_whole, listed)).encode(), b"".join(sources)))
        head = hashlib.sha256(kept).hexdigest().encode()
        self._files.keep(completion_id, digest_answer(completion), head + b"\n" + kept)

    def forget(self, completion_id: str) -> None:
        """Delete the messages of a completion that is no longer stored."""
        try:
            self._files.forget(completion_id)
        except OSError as error:
            log.warning("Messages of a deleted completion stay on disk: %s", error.strerror)


def digest_answer(completion: Completion) -> str:
    """Hash a completion's answer, which an update of metadata leaves."""
    hashed = hashlib.sha256(str(completion.created).encode())
    for choice in completion.choices:
        hashed.update(choice.json.source.encode("utf-8", "surrogatepass"))
    return hashed.hexdigest()[:32]


def _is_sound(kept: bytes) -> bool:
    """Return whether `kept` begins with the digest of the rest."""
    return kept[: _HEAD - 1] == hashlib.sha256(kept[_HEAD:]).hexdigest().encode()


def _parse(sources: Sequence[bytes]) -> Iterator[Message]:
    for source in sources:
        yield Message.from_json(parse(source.decode("utf-8", "surrogatepass")))
