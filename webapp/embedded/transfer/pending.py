"""The waiting room: parts of completions from all files of an import, until each is complete.

Owns which parts belong together. They wait in a temporary database of their own, on disk and
gone afterwards, so that memory stays bounded in whatever order the files come.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from webapp.embedded.documents.from_files import answered, merge_pages, with_messages
from webapp.embedded.documents.records import NotACompletion
from webapp.embedded.transfer.files import Place
from webapp.embedded.transfer.formats import Form, Part, Role
from webapp.exact_json import Object, parse

_SAVED: Final = (Form.SAVED_COMPLETION, Form.SAVED_MESSAGES)

_SCHEMA: Final = """
    CREATE TABLE parts (
      number INTEGER PRIMARY KEY, saved INTEGER, key BLOB, digest BLOB,
      role TEXT, text TEXT, path TEXT, line INTEGER,
      UNIQUE (saved, key, role, digest)
    )
"""
_ADD: Final = (
    "INSERT OR IGNORE INTO parts (saved, key, digest, role, text, path, line)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_KEYS: Final = "SELECT saved, key FROM parts GROUP BY saved, key ORDER BY min(number)"
_PARTS: Final = (
    "SELECT role, text, path, line FROM parts WHERE saved = ? AND key = ? ORDER BY number"
)


@dataclass(frozen=True, slots=True)
class Assembled:
    """What parts made, or in `problem` why they do not make a completion.

    `text` is JSON; `lacks_messages` tells that a saved completion came without any.
    """

    place: Place
    text: str = ""
    problem: str | None = None
    lacks_messages: bool = False


@dataclass(frozen=True, slots=True)
class _Waiting:
    role: Role
    text: str
    place: Place

    @property
    def object(self) -> Object:
        value = parse(self.text)
        assert isinstance(value, Object)
        return value


class PendingParts:
    """Takes parts, the same one once, and gives what they make."""

    def __init__(self) -> None:
        # An empty name is a database in a temporary file that only this connection sees.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {_SCHEMA}")

    def __enter__(self) -> PendingParts:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()

    def add(self, part: Part, place: Place) -> None:
        digest = hashlib.sha256(part.text.encode()).digest()
        key = part.key.encode("utf-8", "surrogatepass")
        self._database.execute(
            _ADD,
            (
                part.form in _SAVED,
                key,
                digest,
                part.role.value,
                part.text,
                str(place.path),
                place.line,
            ),
        )

    def joined(self) -> Iterator[Assembled]:
        """What becomes of every key, in the order in which they came."""
        for saved, key in self._database.execute(_KEYS):
            rows = self._database.execute(_PARTS, (saved, key))
            parts = [
                _Waiting(Role(role), text, Place(Path(path), line))
                for role, text, path, line in rows
            ]
            join = _saved if saved else _batch
            yield join(key.decode("utf-8", "replace"), parts)


def _batch(custom_id: str, parts: Sequence[_Waiting]) -> Assembled:
    """A request with the response of the same `custom_id`."""
    name = f"the custom_id {custom_id!r}"
    for role in (Role.REQUEST, Role.RESPONSE):
        for again in _of(role, parts)[1:]:
            return Assembled(
                again.place,
                problem=f"another {role.value} has {name}: import one batch at a time",
            )
    requests, responses = _of(Role.REQUEST, parts), _of(Role.RESPONSE, parts)
    for failure in _of(Role.FAILURE, parts):
        if not responses:
            return Assembled(failure.place, problem=failure.text)
    if not responses:
        return Assembled(requests[0].place, problem=f"no response with {name} is in the files")
    if not requests:
        return Assembled(responses[0].place, problem=f"no request with {name} is in the files")
    return Assembled(responses[0].place, answered(requests[0].object, responses[0].object))


def _saved(completion_id: str, parts: Sequence[_Waiting]) -> Assembled:
    """A completion with the pages of its messages, as far as there are any."""
    completions, pages = _of(Role.COMPLETION, parts), _of(Role.MESSAGES, parts)
    if not completions:
        return Assembled(
            pages[0].place,
            problem=f"its messages belong to {completion_id}, which is not in the files",
        )
    first, *others = completions
    if others:
        return Assembled(others[0].place, problem=f"{completion_id} is here with other content")
    try:
        messages = merge_pages([page.object for page in pages])
    except NotACompletion as error:
        return Assembled(first.place, problem=f"{completion_id} is not complete: {error}")
    text = with_messages(first.object, messages)
    return Assembled(first.place, text, lacks_messages=not pages)


def _of(role: Role, parts: Sequence[_Waiting]) -> list[_Waiting]:
    return [part for part in parts if part.role is role]
