"""Keep the severity and number of the findings in each completion as tags, checked after the adds.

The table `unchecked` is the queue: a completion is put in when it is added, when its metadata are
replaced, and when the rules that check it have changed. Processes share the queue by leases: the
completions of a process that was killed are free again after a while.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, bindparam, text

from webapp.database import Database, execute_with_values, retry_deadlocks
from webapp.embedded.documents.records import index_text
from webapp.embedded.store.originals import iter_original_json
from webapp.redaction import get_logger

log = get_logger("readback.embedded")

Assess: TypeAlias = Callable[[str], tuple[str, ...]]
"""Takes a completion with its messages as JSON, and returns the severity of each finding, and
`failed call` for each one that has failed."""

MAX_CHARACTERS: Final = 32 * 1024 * 1024
"""Of a completion that is checked."""
_LEVELS: Final = ("error", "warning")
"""The severities that have a tag, the most severe first."""
_FINDING_TAGS: Final = {
    **{level: f"findings:{level}" for level in _LEVELS},
    "failed call": "findings:failed-call",
}
"""The tags by severity or failure; that of a severity stands for all that are more severe, too."""
PREFIX: Final = "findings:"
"""Of all tags of findings. After it, one of them has the number of errors and warnings."""
FAILED_CALLS: Final = f"{PREFIX}failed-calls:"
"""Begins the tag with the number of failed calls, of a completion that has some."""
_NOT_CHECKED: Final = f"{PREFIX}unknown"

_AT_ONCE: Final = 10
_QUEUED_AT_ONCE: Final = 10_000
_LEASE_SECONDS: Final = 300

_QUEUE: Final = (
    # SQLite needs the condition to tell this from a join.
    "INSERT INTO unchecked (completion, turn, leased) SELECT value, 0, 0 FROM ({listed}) AS l"
    " WHERE true ON CONFLICT (completion) DO UPDATE SET turn = unchecked.turn + 1"
)
_STATE: Final = text("SELECT rules, queued FROM checking")
_QUEUE_OLD: Final = text(
    "INSERT INTO unchecked (completion, turn, leased) SELECT seq, 0, 0 FROM completions"
    " WHERE seq > :after AND seq <= :last ON CONFLICT (completion) DO NOTHING"
)
_LAST_OF_SOME: Final = text(
    "SELECT max(seq) FROM (SELECT seq FROM completions WHERE seq > :after ORDER BY seq"
    " LIMIT :rows) AS few"
)
_SET_QUEUED: Final = text("UPDATE checking SET queued = :last WHERE queued < :last")
_SET_RULES: Final = text("UPDATE checking SET rules = :rules, queued = 0 WHERE rules < :rules")
_NEXT: Final = (
    "SELECT u.completion, u.turn, c.id, c.created FROM unchecked AS u"
    " JOIN completions AS c ON c.seq = u.completion"
    " WHERE u.leased <= :now ORDER BY u.completion LIMIT :rows"
)
_SKIP: Final = {"sqlite": "", "postgresql": " FOR UPDATE OF u SKIP LOCKED"}
_LEASE: Final = text("UPDATE unchecked SET leased = :until WHERE completion IN :seqs").bindparams(
    bindparam("seqs", expanding=True)
)
_DONE: Final = text(
    # In SQLite, one that was deleted may have left its seq to another, which nobody has taken yet.
    "DELETE FROM unchecked WHERE completion = :seq AND turn = :turn AND leased > 0"
)
_DELETE_TAGS: Final = text(f"DELETE FROM tags WHERE completion = :seq AND tag LIKE '{PREFIX}%'")
_FIND_TAGS: Final = text(
    "SELECT t.tag FROM completions AS c LEFT JOIN tags AS t"
    f" ON t.completion = c.seq AND t.tag LIKE '{PREFIX}%'"
    " WHERE c.id = :id AND NOT EXISTS (SELECT 1 FROM unchecked WHERE completion = c.seq)"
    " AND :rules = (SELECT rules FROM checking)"
)
_ADD_TAG: Final = text("INSERT INTO tags (completion, tag, created) VALUES (:seq, :tag, :created)")
_COUNT: Final = text("SELECT count(*) FROM (SELECT 1 FROM unchecked LIMIT :most) AS few")
_COUNT_OLD: Final = text(
    "SELECT count(*) FROM (SELECT 1 FROM completions AS c, checking AS s"
    " WHERE s.rules = 0 AND c.seq > s.queued"
    " AND NOT EXISTS (SELECT 1 FROM unchecked WHERE completion = c.seq) LIMIT :most) AS few"
)


@dataclass(frozen=True, slots=True)
class _Taken:
    seq: int
    turn: int
    id: str
    created: int


def queue(connection: Connection, seqs: Iterable[int]) -> None:
    """Have completions checked, also if they were before."""
    execute_with_values(connection, _QUEUE, seqs)


def count_unchecked(connection: Connection, most: int) -> int:
    """Count the completions that are yet to be checked, at most `most`."""
    queued: int = connection.execute(_COUNT, {"most": most}).scalar_one()
    old: int = connection.execute(_COUNT_OLD, {"most": most}).scalar_one()
    return min(most, queued + old)


def count_faults(database: Database, completion_id: str, *, rules: int) -> int | None:
    """Count the errors and warnings in a completion; None if `rules` have not checked it yet."""
    binds = {"id": index_text(completion_id), "rules": rules}
    tags = [row.tag for row in database.look_up(_FIND_TAGS, binds)]
    if tags == [None]:
        return 0
    numbers = (tag.removeprefix(PREFIX) for tag in tags if tag)
    return next((int(number) for number in numbers if number.isdigit()), None)


def check_all(
    database: Database, assess: Assess, *, rules: int, most_characters: int = MAX_CHARACTERS
) -> None:
    """Check the completions of the queue, and write the tags of their findings.

    `rules` is the version of the rules: if the last ones were older, all completions are
    checked again, and keep their tags until they are. The findings in a completion of more
    characters than the most are unknown.
    """
    with database.reader.connect() as connection:
        is_old = connection.execute(_STATE).one().rules < rules
    while is_old:
        is_old = retry_deadlocks(lambda: _queue_some(database, rules))
    while taken := retry_deadlocks(lambda: _take(database)):
        assessed = [(one, _assess(database, one, assess, most_characters)) for one in taken]
        retry_deadlocks(partial(_finish, database, assessed))


def _queue_some(database: Database, rules: int) -> bool:
    """Queue the next completions of an older version; return whether some may be left."""
    with database.writer.begin() as connection:
        after = connection.execute(_STATE).one().queued
        binds = {"after": after, "rows": _QUEUED_AT_ONCE}
        last = connection.execute(_LAST_OF_SOME, binds).scalar()
        if last is None:
            connection.execute(_SET_RULES, {"rules": rules})
            return False
        connection.execute(_QUEUE_OLD, {"after": after, "last": last})
        connection.execute(_SET_QUEUED, {"last": last})
        return True


def _take(database: Database) -> list[_Taken]:
    """Take the next completions of the queue that no other process has taken."""
    now = int(time.time())
    with database.writer.begin() as connection:
        statement = text(_NEXT + _SKIP[connection.dialect.name])
        found = connection.execute(statement, {"now": now, "rows": _AT_ONCE})
        taken = [_Taken(*row) for row in found]
        if taken:
            leased = {"until": now + _LEASE_SECONDS, "seqs": [one.seq for one in taken]}
            connection.execute(_LEASE, leased)
        return taken


def _assess(database: Database, one: _Taken, assess: Assess, most_characters: int) -> list[str]:
    """Check a completion and return its tags, that of unknown findings if that is not possible."""
    pieces: list[str] = []
    length = 0
    try:
        with database.reader.connect() as connection:
            for piece in iter_original_json(connection, one.id):
                pieces.append(piece)
                length += len(piece)
                if length > most_characters:
                    return [_NOT_CHECKED]
        severities = assess("".join(pieces)) if pieces else ()
    except Exception as error:
        # The next ones wait for none that a rule or another program has broken.
        log.warning("%s could not be checked: %s", one.id, type(error).__name__)
        return [_NOT_CHECKED]
    found = [_LEVELS.index(level) for level in severities if level in _LEVELS]
    levels = _LEVELS[min(found) :] if found else ()
    tags = [_FINDING_TAGS[one] for one in levels]
    if failed := severities.count("failed call"):
        tags += [_FINDING_TAGS["failed call"], f"{FAILED_CALLS}{failed}"]
    return [*tags, f"{PREFIX}{len(found)}"] if tags else []


def _finish(database: Database, assessed: list[tuple[_Taken, list[str]]]) -> None:
    """Replace the tags of completions, except of those that were queued once more or deleted."""
    with database.writer.begin() as connection:
        for one, tags in assessed:
            binds: dict[str, Any] = {"seq": one.seq}
            if connection.execute(_DONE, binds | {"turn": one.turn}).rowcount:
                connection.execute(_DELETE_TAGS, binds)
                for tag in tags:
                    row = binds | {"tag": tag, "created": one.created}
                    connection.execute(_ADD_TAG, row)
