"""Hold the parts of completions from all files of an import until they can be assembled.

The parts wait in a temporary database on disk, so memory stays bounded whatever the order of
the files.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from webapp.embedded.documents.chats.claude_code import from_claude_code
from webapp.embedded.documents.chats.codex import from_codex
from webapp.embedded.documents.chats.oasst import from_oasst_messages
from webapp.embedded.documents.from_files import (
    add_messages,
    merge_pages,
    merge_request_response,
)
from webapp.embedded.documents.from_logs import break_off
from webapp.embedded.documents.records import NotACompletion
from webapp.embedded.transfer.pieces import Fragment, ImportFormat, Role
from webapp.embedded.transfer.splitting import SourceLine
from webapp.exact_json import Object, parse

_SAVED: Final = "saved"
_GROUPS: Final = {
    **dict.fromkeys((ImportFormat.SAVED_COMPLETION, ImportFormat.SAVED_MESSAGES), _SAVED),
    **dict.fromkeys((ImportFormat.BATCH_REQUEST, ImportFormat.BATCH_RESPONSE), "batch"),
}
_SESSIONS: Final[dict[str, Callable[[Sequence[Object]], Iterable[str]]]] = {
    ImportFormat.CLAUDE_CODE.name: from_claude_code,
    ImportFormat.CODEX.name: from_codex,
    ImportFormat.OASST_MESSAGE.name: from_oasst_messages,
}

_ENCODING: Final = ("utf-8", "surrogatepass")
"""For keys, and for names of files that are no UTF-8."""

_SCHEMA: Final = """
    CREATE TABLE parts (
      number INTEGER PRIMARY KEY, form TEXT, key BLOB, digest BLOB,
      role TEXT, text TEXT, path BLOB, line INTEGER,
      UNIQUE (form, key, role, digest)
    )
"""
_ADD: Final = (
    "INSERT OR IGNORE INTO parts (form, key, digest, role, text, path, line)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_KEYS: Final = "SELECT form, key FROM parts GROUP BY form, key ORDER BY min(number)"
_PARTS: Final = (
    "SELECT role, text, path, line FROM parts WHERE form = ? AND key = ? ORDER BY number"
)


@dataclass(frozen=True, slots=True)
class Assembled:
    """A completion assembled from parts; `problem` is the reason if it cannot be.

    `text` is JSON. `lacks_messages` is true if a saved completion has no page of messages,
    `lacks_answer` if the request of a batch has no response.
    """

    source: SourceLine
    text: str = ""
    problem: str | None = None
    lacks_messages: bool = False
    lacks_answer: bool = False


@dataclass(frozen=True, slots=True)
class _PendingPart:
    role: Role
    text: str
    source: SourceLine

    @property
    def object(self) -> Object:
        value = parse(self.text)
        assert isinstance(value, Object)
        return value


class PendingParts:
    """Collects parts, equal ones once, and assembles them by their keys."""

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

    def add(self, part: Fragment, source: SourceLine) -> None:
        """Keep a part until `assemble`."""
        path = str(source.path).encode(*_ENCODING)
        row = (
            _GROUPS.get(part.format, part.format.name),
            part.key.encode(*_ENCODING) or path,
            hashlib.sha256(part.text.encode()).digest(),
            part.role.value,
            part.text,
            path,
            source.line,
        )
        self._database.execute(_ADD, row)

    def assemble(self) -> Iterator[Assembled]:
        """Yield the results for each key, in the order in which the keys were added."""
        for form, key in self._database.execute(_KEYS):
            rows = self._database.execute(_PARTS, (form, key))
            parts = [
                _PendingPart(Role(role), text, SourceLine(Path(path.decode(*_ENCODING)), line))
                for role, text, path, line in rows
            ]
            if form in _SESSIONS:
                yield from _assemble_session(_SESSIONS[form], parts)
                continue
            assemble = _assemble_saved if form == _SAVED else _assemble_batch
            yield assemble(key.decode("utf-8", "replace"), parts)


def _assemble_session(
    convert: Callable[[Sequence[Object]], Iterable[str]], parts: Sequence[_PendingPart]
) -> Iterator[Assembled]:
    """Convert the lines of a session to its branches."""
    source = parts[0].source
    try:
        for text in convert([part.object for part in parts]):
            yield Assembled(source, text)
    except NotACompletion as error:
        yield Assembled(source, problem=str(error))


def _assemble_batch(custom_id: str, parts: Sequence[_PendingPart]) -> Assembled:
    """Merge a request with the response of the same `custom_id`."""
    name = f"the custom_id {custom_id!r}"
    for role in (Role.REQUEST, Role.RESPONSE):
        for again in _select_role(role, parts)[1:]:
            problem = f"another {role.value} has {name}: import one batch at a time"
            return Assembled(again.source, problem=problem)
    requests, responses = _select_role(Role.REQUEST, parts), _select_role(Role.RESPONSE, parts)
    for failure in _select_role(Role.FAILURE, parts):
        if not responses:
            if requests:
                return Assembled(failure.source, break_off(requests[0].object, failure.text))
            return Assembled(failure.source, problem=f"the request failed: {failure.text}")
    if not responses:
        text = break_off(requests[0].object, f"no response with {name} is in the files")
        return Assembled(requests[0].source, text, lacks_answer=True)
    if not requests:
        return Assembled(responses[0].source, problem=f"no request with {name} is in the files")
    text = merge_request_response(requests[0].object, responses[0].object)
    return Assembled(responses[0].source, text)


def _assemble_saved(completion_id: str, parts: Sequence[_PendingPart]) -> Assembled:
    """Add the pages of messages, if there are any, to their completion."""
    completions = _select_role(Role.COMPLETION, parts)
    pages = _select_role(Role.MESSAGES, parts)
    if not completions:
        problem = f"its messages belong to {completion_id}, which is not in the files"
        return Assembled(pages[0].source, problem=problem)
    first, *others = completions
    if others:
        problem = f"{completion_id} is here with other content"
        return Assembled(others[0].source, problem=problem)
    try:
        messages = merge_pages([page.object for page in pages])
    except NotACompletion as error:
        return Assembled(first.source, problem=f"{completion_id} is not complete: {error}")
    text = add_messages(first.object, messages)
    return Assembled(first.source, text, lacks_messages=not pages)


def _select_role(role: Role, parts: Sequence[_PendingPart]) -> list[_PendingPart]:
    return [part for part in parts if part.role is role]
