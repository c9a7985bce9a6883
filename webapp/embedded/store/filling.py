"""Derive the facts of completions that an older program has stored, while the store is in use.

The completions are read in order, a few in each transaction. Whichever have no facts are filled;
those whose facts have an older form get them again, and keep the old ones until then. A run that is
killed resumes where it stopped, and several processes can share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, text

from webapp.database import Database, lock_rows, retry_deadlocks
from webapp.embedded.documents.facts import FACTS_FORM, Facts, extract_facts
from webapp.embedded.documents.records import parse_stored
from webapp.embedded.store.deriving import (
    Derived,
    lock_conversations,
    refresh_derived,
    write_derived,
)
from webapp.embedded.store.queries import MESSAGES_GIVEN
from webapp.exact_json import Object, parse

_BYTES_AT_ONCE: Final = 2 * 1024 * 1024
"""Writers wait for a transaction of this size."""
_COMPLETIONS_AT_ONCE: Final = 200
_MOST_UNNOTED: Final = 1_000
"""Completions with facts after the place that is noted: they are read by each search for others."""

_FILLED: Final = text("SELECT filled FROM derived")
_SET_FILLED: Final = text("UPDATE derived SET filled = :seq WHERE filled < :seq")
_LACKING: Final = (
    "FROM completions AS c WHERE seq > :after"
    " AND NOT EXISTS (SELECT 1 FROM facts WHERE completion = c.seq)"
)
_IS_LACKING: Final = text(f"SELECT EXISTS (SELECT 1 {_LACKING})")
_LAST: Final = text("SELECT coalesce(max(seq), 0) FROM completions")
_COLUMNS: Final = "seq, created, model, given_json"
_NEXT_LACKING: Final = f"SELECT {_COLUMNS} {_LACKING} ORDER BY seq LIMIT 1"
_NEXT: Final = f"SELECT {_COLUMNS} FROM completions WHERE seq > :after ORDER BY seq LIMIT 1"
_REFRESHED: Final = text("SELECT form, refreshed FROM derived")
_SET_REFRESHED: Final = text("UPDATE derived SET form = :form, refreshed = :seq")
_PAIRS: Final = text("SELECT key, value FROM metadata WHERE completion = :seq")


def fill(database: Database, *, keys: Sequence[str], bytes_at_once: int = _BYTES_AT_ONCE) -> None:
    """Write the facts of all completions that have none.

    A transaction ends after the completion with which it has read `bytes_at_once`. `keys` are the
    metadata that name a conversation.
    """
    with database.reader.connect() as connection:
        after = connection.execute(_FILLED).scalar_one()
        lacks_some = connection.execute(_IS_LACKING, {"after": after}).scalar()
        last = connection.execute(_LAST).scalar_one()
    if not lacks_some:
        if last - after > _MOST_UNNOTED:
            with database.writer.begin() as connection:
                connection.execute(_SET_FILLED, {"seq": last})
        return

    def fill_next() -> bool:
        """Return whether some were left."""
        with database.exclusive.begin() as connection:
            after = connection.execute(_FILLED).scalar_one()
            derived = _derive_some(connection, _NEXT_LACKING, after, keys, bytes_at_once)
            write_derived(connection, derived, keys=keys)
            after = derived[-1].seq if derived else connection.execute(_LAST).scalar_one()
            connection.execute(_SET_FILLED, {"seq": after})
        return bool(derived)

    while retry_deadlocks(fill_next):
        pass


def refresh(
    database: Database, *, keys: Sequence[str], bytes_at_once: int = _BYTES_AT_ONCE
) -> None:
    """Derive all facts again that have an older form; the arguments are those of `fill`."""
    with database.reader.connect() as connection:
        is_old = connection.execute(_REFRESHED).one().form < FACTS_FORM

    def refresh_next() -> bool:
        """Return whether some were left."""
        with database.exclusive.begin() as connection:
            form, after = connection.execute(_REFRESHED).one()
            if form >= FACTS_FORM:
                return False
            derived = _derive_some(connection, _NEXT, after, keys, bytes_at_once)
            refresh_derived(connection, derived, keys=keys)
            form, after = (form, derived[-1].seq) if derived else (FACTS_FORM, 0)
            connection.execute(_SET_REFRESHED, {"form": form, "seq": after})
        return bool(derived)

    while is_old:
        is_old = retry_deadlocks(refresh_next)


def _derive_some(
    connection: Connection, query: str, after: int, keys: Sequence[str], bytes_at_once: int
) -> list[Derived]:
    """Derive the facts of the next completions of a query, and lock their conversations."""
    statement = lock_rows(connection, query)
    derived: list[Derived] = []
    size = 0
    while size <= bytes_at_once and len(derived) < _COMPLETIONS_AT_ONCE:
        row = connection.execute(statement, {"after": after}).one_or_none()
        if row is None:
            break
        after = row.seq
        texts = connection.execute(MESSAGES_GIVEN, {"completion": row.seq}).scalars().all()
        of_metadata = [(key, value) for key, value in connection.execute(_PAIRS, {"seq": row.seq})]
        found = _extract(row.given_json, texts)
        derived.append(Derived(row.seq, row.created, row.model, of_metadata, found))
        size += len(row.given_json) + sum(map(len, texts))
    facts, pairs = [one.facts for one in derived], [one.pairs for one in derived]
    lock_conversations(connection, facts, pairs, keys)
    return derived


def _extract(given_json: str, texts: Sequence[str]) -> Facts:
    """Extract the facts; JSON that another program has damaged counts as empty."""
    head = parse_stored(given_json)
    messages = [message for text in texts if (message := parse_stored(text)) is not None]
    if isinstance(head, Object):
        return extract_facts(head, messages)
    nothing = parse("{}")
    assert isinstance(nothing, Object)
    return extract_facts(nothing, messages)
