"""The state and the report of an upload: a value, stored as JSON in a table."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

from webapp.database import Schema

State: TypeAlias = Literal["waiting", "reading", "done", "failed"]

STALE_SECONDS: Final = 300
"""After so long without progress, the process that read an upload has probably stopped."""

_VERSION_1: Final = MetaData()

Table(
    "uploads",
    _VERSION_1,
    Column("id", Text, primary_key=True),
    # Times are in whole unix seconds.
    Column("begun", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("report", Text, nullable=False),
    Index("uploads_by_time", "begun"),
)

SCHEMA: Final = Schema(steps=(partial(_VERSION_1.create_all, checkfirst=False),), prefix="upload_")


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """One file: the name that it is reported under, its size, and the formats found in it."""

    name: str
    size: int
    found: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """The state of an upload and its report so far; `begun` and `updated` are in unix seconds.

    `problems` and `renamed` are pairs of a place, `runs.jsonl:12`, and a sentence. They and `ids`,
    of the completions that came in, are complete up to the most that an import lists. `failure` is
    the sentence of an upload that ended early.
    """

    id: str
    begun: int
    updated: int
    state: State
    files: tuple[UploadedFile, ...]
    keeps_both: bool = False
    done: int = 0
    added: int = 0
    unchanged: int = 0
    conflicts: int = 0
    bad: int = 0
    without_messages: int = 0
    problems: tuple[tuple[str, str], ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    ids: tuple[str, ...] = ()
    failure: str | None = None

    @property
    def is_open(self) -> bool:
        return self.state in ("waiting", "reading")

    @property
    def total(self) -> int:
        """The bytes of all files."""
        return sum(one.size for one in self.files)

    @property
    def completions(self) -> int:
        return self.added + self.unchanged + self.conflicts

    def is_stale(self, now: float) -> bool:
        """Return whether nothing has been heard of it for too long."""
        return self.is_open and now - self.updated > STALE_SECONDS

    def to_json(self) -> str:
        values = asdict(self)
        for name in ("id", "begun", "updated"):
            del values[name]
        return json.dumps(values)

    @classmethod
    def from_json(cls, source: str, *, id: str, begun: int, updated: int) -> Upload:
        """Read an upload that `to_json` wrote."""
        values: dict[str, Any] = json.loads(source)
        values["files"] = tuple(UploadedFile(**one) for one in values["files"])
        for name in ("problems", "renamed"):
            values[name] = tuple((place, reason) for place, reason in values[name])
        values["ids"] = tuple(values["ids"])
        return cls(id=id, begun=begun, updated=updated, **values)
