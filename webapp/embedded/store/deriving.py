"""Write the rows that are derived from completions: facts, tags, passages, conversations.

Rows of one conversation are written by one transaction at a time; others go side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from sqlalchemy import Connection, text

from webapp.database import insert_whole
from webapp.embedded.documents.chains import End, Link, pack_hashes
from webapp.embedded.documents.facts import Facts, Passage, build_metadata_passage
from webapp.embedded.documents.records import index_text
from webapp.embedded.finding.checking import PREFIX, queue
from webapp.embedded.store.linking.linker import Linker
from webapp.embedded.store.linking.statements import PLACES
from webapp.embedded.store.passages import (
    insert_passages,
    refresh_passages,
    replace_metadata_passage,
)

_FACTS: Final = (
    *("completion", "created", "messages", "total_tokens", "prompt_tokens", "completion_tokens"),
    *("cached_tokens", "duration_ms", "first_token_ms", "conversation", "parent", "parent_depth"),
    *("depth", "opening", "system", "input", "answer", "hashes"),
)
_STORED_FACTS: Final = text(f"SELECT {', '.join(_FACTS)} FROM facts WHERE completion = :seq")
_STORED_ENDS: Final = text(
    " UNION ALL ".join(
        f"SELECT {digest}, {kind} FROM {table} WHERE completion = :seq AND {digest} IS NOT NULL"
        for table, digest, kind in PLACES
    )
)
_STORED_TAGS: Final = text("SELECT tag FROM tags WHERE completion = :seq")
_DELETE_LINKS: Final = tuple(
    text(f"DELETE FROM {table} WHERE completion = :seq") for table in ("facts", "ends")
)
_DELETE_TAG: Final = text("DELETE FROM tags WHERE completion = :seq AND tag = :tag")
_RUNS: Final = (End.RUN, End.SOUGHT)
_MOST_RUNS: Final = 100
"""Those of more are not locked: PostgreSQL has room for some thousands of locks, those of all
transactions together."""
# An array is read in its order.
_LOCK: Final = text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key")
_GIVE_CHILDREN: Final = text(
    "UPDATE facts SET parent = gone.parent, parent_depth = gone.parent_depth"
    " FROM (SELECT completion, conversation, parent, parent_depth FROM facts"
    " WHERE completion = (SELECT seq FROM completions WHERE id = :id)) AS gone"
    " WHERE facts.conversation = gone.conversation AND facts.parent = gone.completion"
)

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Derived:
    """A completion whose derived rows are to be written, with its current metadata."""

    seq: int
    created: int
    model: str | None
    pairs: Pairs
    facts: Facts

    @property
    def passages(self) -> tuple[Passage, ...]:
        metadata = build_metadata_passage(self.pairs)
        return (*self.facts.passages, metadata) if metadata else self.facts.passages


def lock_conversations(
    connection: Connection, facts: Iterable[Facts], pairs: Iterable[Pairs], keys: Sequence[str]
) -> None:
    """Wait until no other transaction writes to a conversation that these may belong to.

    Conversations are known by their opening, by a run of their last messages unless there are too
    many, or by a pair of metadata named in `keys`. The order of the locks is the same everywhere,
    so that two batches never wait for each other.
    """
    if connection.dialect.name != "postgresql":
        return
    chains = [one.chain for one in facts]
    locks = {chain.opening for chain in chains if chain.hashes}
    runs = {run for chain in chains for run, kind in chain.ends if kind in _RUNS}
    if len(runs) <= _MOST_RUNS:
        locks |= runs
    for key, value in {pair for some in pairs for pair in some if pair[0] in keys}:
        digest = blake2b(f"{key}\0{value}".encode(), digest_size=8).digest()
        locks.add(int.from_bytes(digest, "big", signed=True))
    if locks:
        connection.execute(_LOCK, {"keys": sorted(locks)})


def write_derived(
    connection: Connection, completions: Sequence[Derived], *, keys: Sequence[str]
) -> None:
    """Write all derived rows of completions that have none; their conversations are locked."""
    _write_links(connection, completions, keys)
    _insert_tags(connection, ((one, tag) for one in completions for tag in _list_tags(one)))
    insert_passages(connection, ((one.seq, one.passages) for one in completions))
    queue(connection, (one.seq for one in completions))


def refresh_derived(
    connection: Connection, completions: Sequence[Derived], *, keys: Sequence[str]
) -> None:
    """Replace the rows of completions that differ from those derived now.

    The conversations are locked. Completions that have no rows are left to those who write them.
    """
    for one in completions:
        binds = {"seq": one.seq}
        stored = connection.execute(_STORED_FACTS, binds).one_or_none()
        if stored is None:
            continue
        kept = Link(stored.conversation, stored.parent, stored.parent_depth)
        row = _build_facts_row(one, kept)
        ends = set(map(tuple, connection.execute(_STORED_ENDS, binds)))
        continues_same = ends == set(one.facts.chain.ends) and stored.hashes == row[-1]
        if not continues_same or tuple(stored) != row:
            for statement in _DELETE_LINKS:
                connection.execute(statement, binds)
            if continues_same:
                _insert_links(connection, [(one, kept)])
            else:
                _write_links(connection, [one], keys, former=kept.conversation)
        _refresh_tags(connection, one)
        refresh_passages(connection, one.seq, one.passages)


def _refresh_tags(connection: Connection, one: Derived) -> None:
    stored = set(connection.execute(_STORED_TAGS, {"seq": one.seq}).scalars())
    tags = _list_tags(one)
    for tag in stored.difference(tags):
        if not tag.startswith(PREFIX):
            connection.execute(_DELETE_TAG, {"seq": one.seq, "tag": tag})
    _insert_tags(connection, ((one, tag) for tag in tags if tag not in stored))


def replace_metadata_rows(
    connection: Connection, seq: int, pairs: Pairs, *, keys: Sequence[str]
) -> None:
    """Replace the rows derived from the metadata of a completion."""
    replace_metadata_passage(connection, seq, build_metadata_passage(pairs))
    Linker(connection, {}, keys=keys).join_session(seq, pairs)
    queue(connection, [seq])


def reassign_children(connection: Connection, completion_id: str) -> None:
    """Let the completions that continue a completion to be deleted continue its own parent."""
    connection.execute(_GIVE_CHILDREN, {"id": completion_id})


def _write_links(
    connection: Connection,
    completions: Sequence[Derived],
    keys: Sequence[str],
    *,
    former: int | None = None,
) -> None:
    """Write the rows of facts, and where completions end for those that continue them.

    `former` is the conversation of those whose rows are replaced; others may continue them there.
    """
    chains = {one.seq: one.facts.chain for one in completions}
    linker = Linker(connection, chains, keys=keys)
    members = []
    for one in completions:
        members.append(linker.link(one.seq, created=one.created, model=one.model))
        linker.join_session(one.seq, one.pairs)
        if former is not None:
            linker.keep_children(one.seq, former)
    links = [member.link for member in members]
    _insert_links(connection, [*zip(completions, links, strict=True)])


def _insert_links(connection: Connection, links: Sequence[tuple[Derived, Link]]) -> None:
    rows = (_build_facts_row(one, link) for one, link in links)
    insert_whole(connection, "facts", _FACTS, rows)
    ends = (
        (one.seq, one.created, hashed, kind)
        for one, _ in links
        for hashed, kind in one.facts.chain.further_ends
    )
    insert_whole(connection, "ends", ("completion", "created", "hash", "is_answer"), ends)


def _insert_tags(connection: Connection, tags: Iterable[tuple[Derived, str]]) -> None:
    rows = ((one.seq, one.created, tag) for one, tag in tags)
    insert_whole(connection, "tags", ("completion", "created", "tag"), rows)


def _list_tags(one: Derived) -> Sequence[str]:
    return list(dict.fromkeys(map(index_text, one.facts.tags)))


def _build_facts_row(one: Derived, link: Link) -> tuple[object, ...]:
    """Build the values of the columns `_FACTS`."""
    facts, chain = one.facts, one.facts.chain
    return (
        one.seq,
        one.created,
        facts.messages,
        facts.total_tokens,
        facts.prompt_tokens,
        facts.completion_tokens,
        facts.cached_tokens,
        facts.duration_ms,
        facts.first_token_ms,
        *link,
        len(chain.hashes),
        chain.opening,
        chain.system,
        *chain.first_ends,
        pack_hashes(chain.hashes),
    )
