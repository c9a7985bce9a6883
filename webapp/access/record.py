"""The record of logins, shares, exports and deletions.

An entry has the reader, the time, the address and the completion's id, never its content. It is
one JSON object on a line of the logger `readback.record`, and a row of the database.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import text

from webapp.access.reader import Reader
from webapp.database import DATABASE_ERRORS, DatabaseOpener
from webapp.redaction import get_logger

log = get_logger("readback")
# Not masked: an entry has names and addresses of readers on purpose, and nothing else.
record_log: Final = logging.getLogger("readback.record")

_DAY: Final = 24 * 3600
_LAST_NUMBER: Final = text("SELECT coalesce(max(number), 0) FROM access_record")
_ADD: Final = text(
    "INSERT INTO access_record (number, time, event, identity, completion, entry)"
    " VALUES (:number, :time, :event, :identity, :completion, :entry)"
)
_END_OLD: Final = text("DELETE FROM access_record WHERE time < :time")
_LIST: Final = text(
    "SELECT number, entry FROM access_record WHERE number < :before"
    " ORDER BY number DESC LIMIT :limit"
)
_NEWEST: Final = 2**62
_LONGEST: Final = 256
"""Characters of one value; a browser may send any name and any id."""


class Event(StrEnum):
    """The recorded events."""

    LOGIN = "login"
    FAILED_LOGIN = "failed login"
    LOGOUT = "logout"
    SHARE_MADE = "share made"
    SHARE_OPENED = "share opened"
    SHARE_REVOKED = "share revoked"
    EXPORT = "export"
    DELETE = "delete"
    METADATA_CHANGED = "metadata changed"
    KEPT = "copy kept"
    RUN_AGAIN = "run again"
    IMPORT = "import"
    PINNED = "pinned"
    UNPINNED = "unpinned"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `number` is its place in the record, `details` are short facts, no content."""

    time: str
    event: str
    identity: str
    name: str
    way: str
    address: str
    completion: str | None = None
    details: dict[str, str | int] = field(default_factory=dict)
    number: int = 0

    @classmethod
    def from_json(cls, number: int, source: str) -> Entry:
        """Read an entry that `to_json` wrote."""
        stored: dict[str, Any] = json.loads(source)
        known = ("time", "event", "identity", "name", "way", "address")
        values = {name: stored.pop(name, "") for name in known}
        return cls(
            **values, completion=stored.pop("completion", None), details=stored, number=number
        )

    def to_json(self) -> str:
        """Write the entry as one line of ASCII."""
        first = {
            "time": self.time,
            "event": self.event,
            "identity": self.identity,
            "name": self.name,
            "way": self.way,
            "address": self.address,
        }
        completion = {"completion": self.completion} if self.completion is not None else {}
        return json.dumps(first | completion | self.details)


class Record:
    """The record in the database; safe for all threads. `now` returns seconds since 1970."""

    def __init__(self, database: DatabaseOpener, *, days: int, now: Callable[[], float]) -> None:
        self._database = database
        self._days = days
        self._now = now
        self._pruned_at = 0.0

    def add(
        self,
        event: Event,
        reader: Reader | None,
        *,
        address: str = "",
        completion: str | None = None,
        **details: str | int,
    ) -> None:
        """Log an entry and store it; one that cannot be stored is only logged.

        Without a `reader` the entry is of an unknown person.
        """
        now = self._now()
        entry = Entry(
            time=datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
            event=event,
            identity=_shorten(reader.identity) if reader else "",
            name=_shorten(reader.name) if reader else "",
            way=reader.way if reader else "",
            address=address,
            completion=None if completion is None else _shorten(completion),
            details={
                name: _shorten(value) if isinstance(value, str) else value
                for name, value in details.items()
            },
        )
        record_log.info("%s", entry.to_json())
        try:
            self._store(entry, now)
        except DATABASE_ERRORS as error:
            log.error("an entry of the record could not be stored: %s", type(error).__name__)

    def list_entries(self, *, before: int | None = None, limit: int = 100) -> list[Entry]:
        """List entries, newest first, from those older than the entry `before`."""
        with self._database.get().reader.connect() as connection:
            binds = {"before": before or _NEWEST, "limit": limit}
            rows = connection.execute(_LIST, binds)
            return [Entry.from_json(row.number, row.entry) for row in rows]

    def _store(self, entry: Entry, now: float) -> None:
        with self._database.get().exclusive.begin() as connection:
            if now - self._pruned_at > _DAY:
                connection.execute(_END_OLD, {"time": int((now - self._days * _DAY) * 1000)})
                self._pruned_at = now
            connection.execute(
                _ADD,
                {
                    "number": connection.execute(_LAST_NUMBER).scalar_one() + 1,
                    "time": int(now * 1000),
                    "event": entry.event,
                    "identity": entry.identity,
                    "completion": entry.completion,
                    "entry": entry.to_json(),
                },
            )


def _shorten(value: str) -> str:
    return value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"
