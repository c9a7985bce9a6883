"""Find the conversation that a completion belongs to, and the completion that it continues.

A completion continues another if its messages begin with the other's, best if the other's answer
follows. They may come in any order: an earlier request may be stored after a later one. If the
oldest messages were dropped or summed up meanwhile, a completion that was stored before is found by
a run of messages with its answer. The number of a conversation is the smallest `seq` of the
completions in it when they were joined.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from webapp.embedded.documents.chains import Chain, build_chain
from webapp.embedded.documents.records import read_stored
from webapp.embedded.store.queries import MESSAGES_GIVEN
from webapp.exact_json import write_array

RETRY_SECONDS: Final = 600
"""Two equal requests that begin a conversation are tries of one if no more time is between."""
_WEAK_DEPTH: Final = 3
_WEAK_SECONDS: Final = 86_400
_WEAKEST_SECONDS: Final = 120
"""Conversations may begin alike by chance with a few messages, the first of them short. Then the
times count, all the more if an answer is not repeated."""
_CLOCK_SECONDS: Final = 1
"""The most by which a request may seem to be earlier than the one that it continues."""
_MAX_CANDIDATES: Final = 500
_MAX_ENDS: Final = 8
_FARTHEST: Final = 2**63 - 1
_VALUES_AT_ONCE: Final = 5_000

# Queries for all completions of a batch at once, since most have few relatives.
_LISTED: Final = {
    "sqlite": "SELECT value FROM json_each(:values)",
    "postgresql": "SELECT value FROM unnest(CAST(:values AS bigint[])) AS listed (value)",
}
_STORED_ENDS: Final = (
    "SELECT value FROM ({listed}) AS l WHERE EXISTS (SELECT 1 FROM ends WHERE hash = value)"
)
_DEPTHS: Final = (
    "SELECT value, (SELECT max(depth) FROM facts WHERE opening = value) AS depth"
    " FROM ({listed}) AS l"
)
_TAKEN: Final = (
    "SELECT value FROM ({listed}) AS l"
    " WHERE EXISTS (SELECT 1 FROM facts WHERE conversation = value)"
)
_ENDS: Final = text(
    "SELECT e.completion, e.is_answer, e.created, f.conversation, c.model FROM ends AS e"
    " JOIN facts AS f ON f.completion = e.completion JOIN completions AS c ON c.seq = e.completion"
    " WHERE e.hash = :hash AND e.created <= :latest"
    " ORDER BY e.created DESC, e.completion DESC LIMIT :rows"
)
_SAME_INPUT: Final = text(
    "SELECT f.conversation FROM ends AS e JOIN facts AS f ON f.completion = e.completion"
    " JOIN completions AS c ON c.seq = e.completion WHERE e.hash = :hash"
    " AND e.created BETWEEN :least AND :most AND e.is_answer = 0 AND c.model = :model"
    " AND f.parent IS NULL LIMIT 1"
)
_LATER: Final = text(
    "SELECT f.completion, f.created, f.conversation, f.hashes, f.parent, f.parent_depth, c.model,"
    " p.created AS parent_created, p.model AS parent_model FROM facts AS f"
    " JOIN completions AS c ON c.seq = f.completion"
    " LEFT JOIN completions AS p ON p.seq = f.parent"
    " WHERE f.opening = :opening AND f.depth > :depth AND f.parent_depth <= :depth + 1"
    " ORDER BY f.depth LIMIT :rows"
)
_ADOPT: Final = text(
    "UPDATE facts SET parent = :parent, parent_depth = :depth WHERE completion = :completion"
)
_MEMBERS: Final = text("SELECT completion, parent FROM facts WHERE conversation = :conversation")
_MOVE: Final = text("UPDATE facts SET conversation = :conversation WHERE completion = :completion")
_JOIN: Final = text("UPDATE facts SET conversation = :kept WHERE conversation = :joined")
_SESSION: Final = text(
    "SELECT f.conversation FROM metadata AS m JOIN facts AS f ON f.completion = m.completion"
    " WHERE m.key = :key AND m.value = :value AND m.completion <> :seq"
    " ORDER BY m.created DESC, m.completion DESC LIMIT 1"
)
_CHILDREN: Final = text(
    "SELECT hashes FROM facts WHERE conversation = :conversation AND parent = :parent LIMIT :rows"
)
_CONVERSATION: Final = text("SELECT conversation FROM facts WHERE completion = :seq")


class End(IntEnum):
    """The kinds of rows of `ends`, in their column `is_answer`."""

    INPUT = 0
    ANSWER = 1
    RUN = 2


@dataclass(frozen=True, slots=True)
class Link:
    """The conversation of a completion, and the one that it continues, if any.

    The first `depth` messages are those of the parent, with its answer if that is repeated.
    """

    conversation: int
    parent: int | None = None
    depth: int = 0


class Relatives:
    """Which digests of some completions, whose facts are not stored yet, others have as well."""

    def __init__(self, connection: Connection, chains: Mapping[int, Chain]) -> None:
        """Look for relatives of the `chains` of completions by their `seq`.

        The caller links them in the order in which they are stored, and calls `add` with each
        before it links the next.
        """
        hashes = {one for chain in chains.values() for one in (*chain.hashes, *chain.answers)}
        hashes.update(run for chain in chains.values() for _, run in chain.runs)
        openings = {chain.opening for chain in chains.values() if chain.hashes}
        self.ends = {row.value for row in _ask_all(connection, _STORED_ENDS, hashes)}
        self._depths: dict[int, int] = {
            row.value: row.depth
            for row in _ask_all(connection, _DEPTHS, openings)
            if row.depth is not None
        }
        self.taken = {row.value for row in _ask_all(connection, _TAKEN, chains)}

    def has_any(self, chain: Chain) -> bool:
        """Return whether a completion that is stored or was added begins with the same message."""
        return bool(chain.hashes) and chain.opening in self._depths

    def has_run(self, chain: Chain) -> bool:
        """Return whether one may end with messages and an answer that are in this chain."""
        return any(run in self.ends for _, run in chain.runs)

    def has_deeper(self, chain: Chain) -> bool:
        """Return whether one with the same beginning may have more messages."""
        return self._depths.get(chain.opening, 0) > len(chain.hashes)

    def add(self, chain: Chain) -> None:
        """Add a completion of the batch, which the next ones may continue."""
        if chain.hashes:
            self.ends.update((chain.end, *chain.answers, *chain.tails))
            depth = self._depths.get(chain.opening, 0)
            self._depths[chain.opening] = max(depth, len(chain.hashes))


def find_link(
    connection: Connection,
    chain: Chain,
    relatives: Relatives,
    *,
    seq: int,
    created: int,
    model: str | None,
) -> Link:
    """Find the link of a completion whose facts are not stored yet.

    Completions that continue it and were stored before become part of its conversation.
    """
    parent = _find_parent(connection, chain, relatives, created, model)
    if parent is None:
        parent = _find_by_run(connection, chain, relatives, created)
    conversations = {seq}
    if parent is not None:
        conversations.add(parent.conversation)
    elif chain.end in relatives.ends and not chain.is_weak and created:
        binds = {
            "hash": chain.end,
            "least": created - RETRY_SECONDS,
            "most": created + RETRY_SECONDS,
            "model": model,
        }
        conversations.update(connection.execute(_SAME_INPUT, binds).scalars())
    own = set() if seq in relatives.taken else {seq}
    conversation = _merge(connection, conversations, unused=own)
    if relatives.has_deeper(chain):
        conversation = _adopt_later(
            connection, chain, seq=seq, conversation=conversation, created=created, model=model
        )
    if parent is None:
        return Link(conversation)
    return Link(conversation, parent.parent, parent.depth)


def join_session(
    connection: Connection, seq: int, conversation: int | None, pairs: Sequence[tuple[str, str]]
) -> None:
    """Join the conversation of `seq` with those that have one of the metadata `pairs`."""
    for key, value in pairs:
        binds = {"key": key, "value": value, "seq": seq}
        other = connection.execute(_SESSION, binds).scalar()
        if other is None:
            continue
        if conversation is None:
            conversation = connection.execute(_CONVERSATION, {"seq": seq}).scalar()
        if conversation is not None:
            conversation = _merge(connection, {conversation, other})


def pack_hashes(hashes: Sequence[int]) -> bytes:
    """Pack the digests into bytes, eight for each."""
    return struct.pack(f">{len(hashes)}q", *hashes)


def unpack_hashes(packed: bytes) -> Sequence[int]:
    return struct.unpack(f">{len(packed) // 8}q", packed)


def _find_parent(
    connection: Connection, chain: Chain, relatives: Relatives, created: int, model: str | None
) -> Link | None:
    """Find the completion with the longest beginning of the messages.

    Of several, that is the latest of the same model, else the latest.
    """
    latest = created + _CLOCK_SECONDS if created else _FARTHEST
    for at, hashed in reversed([*enumerate(chain.hashes[:-1])]):
        if hashed not in relatives.ends:
            continue
        binds = {"hash": hashed, "latest": latest, "rows": _MAX_ENDS}
        ends = [
            end
            for end in connection.execute(_ENDS, binds).all()
            if end.is_answer != End.RUN
            and _is_likely(
                chain,
                depth=at + 1,
                repeats_answer=bool(end.is_answer),
                earlier=end.created,
                later=created,
                is_same_model=end.model == model,
            )
        ]
        if ends:
            alike = [one for one in ends if one.model == model] or ends
            is_by_chance = chain.is_weak and at < _WEAK_DEPTH and len(alike) > 1
            rank = _rank_for(connection, chain, at + 1) if is_by_chance else None
            end = min(alike, key=rank) if rank else alike[0]
            return Link(end.conversation, end.completion, at + 1)
    return None


def _find_by_run(
    connection: Connection, chain: Chain, relatives: Relatives, created: int
) -> Link | None:
    """Find the latest completion of the day before that ends with a run of the messages."""
    for depth, run in reversed(chain.runs):
        if run not in relatives.ends or not created:
            continue
        binds = {"hash": run, "latest": created + _CLOCK_SECONDS, "rows": _MAX_ENDS}
        for end in connection.execute(_ENDS, binds):
            if end.is_answer == End.RUN and created - end.created <= _WEAK_SECONDS:
                texts = connection.execute(MESSAGES_GIVEN, {"completion": end.completion}).scalars()
                earlier = build_chain([*map(read_stored, texts)], ()).alone
                # A summary is new: it is shown with all messages after it.
                is_known = earlier[1 - depth :] == chain.alone[: depth - 1]
                return Link(end.conversation, end.completion, depth if is_known else 0)
    return None


def _rank_for(connection: Connection, chain: Chain, depth: int) -> Callable[[Any], int]:
    """Return the rank of a completion that begins alike by chance; the lowest is continued.

    Two people may greet at the same time. One of the two is continued by each: first one that the
    same message continues, as a retry does, then one that nothing continues.
    """

    def rank(end: Any) -> int:
        binds = {"conversation": end.conversation, "parent": end.completion}
        rows = connection.execute(_CHILDREN, binds | {"rows": _MAX_CANDIDATES}).scalars()
        children = [*map(unpack_hashes, rows)]
        # One that does not repeat the answer may have no message at `depth`.
        if any(chain.hashes[depth] in hashes[depth : depth + 1] for hashes in children):
            return 0
        return 2 if children else 1

    return rank


def _is_likely(
    chain: Chain,
    *,
    depth: int,
    repeats_answer: bool,
    earlier: int,
    later: int,
    is_same_model: bool,
) -> bool:
    """Decide whether `depth` messages in common, in this order of time, are more than chance.

    Tests and evaluations send the same messages to several models. The first row that fits decides:

    | Beginning | Model | Further | Likely |
    | --- | --- | --- | --- |
    | any | any | the earlier one is the later by more than a second | no |
    | strong | same | | yes |
    | weak | same | more than 3 messages in common | yes |
    | strong | other | the answer is repeated | yes |
    | any | any | a time is not known | if more than one message is in common |
    | any | any | the answer is repeated, or more than one message in common | within a day |
    | any | any | | within two minutes |
    """
    if earlier and later and earlier > later + _CLOCK_SECONDS:
        return False
    if is_same_model and (not chain.is_weak or depth > _WEAK_DEPTH):
        return True
    if not is_same_model and not chain.is_weak and repeats_answer:
        return True
    if not earlier or not later:
        return depth > 1
    seconds = _WEAK_SECONDS if repeats_answer or depth > 1 else _WEAKEST_SECONDS
    return abs(later - earlier) <= seconds


class _Claim(NamedTuple):
    """The claim of a completion to be continued by another; the larger of two wins.

    `depth` counts the messages in common, the answer included.
    """

    depth: int
    is_same_model: bool
    created: int
    seq: int


def _adopt_later(
    connection: Connection,
    chain: Chain,
    *,
    seq: int,
    conversation: int,
    created: int,
    model: str | None,
) -> int:
    """Make `seq` the parent of stored completions that continue it; return its conversation.

    Those that already continue a longer beginning of theirs, a try of the same model, or a later
    one, keep their parent.
    """
    if not chain.hashes:
        return conversation
    at = len(chain.hashes)
    binds = {"opening": chain.opening, "depth": at, "rows": _MAX_CANDIDATES}
    for later in connection.execute(_LATER, binds).all():
        hashes = unpack_hashes(later.hashes)
        repeats_answer = hashes[at] in chain.answers
        depth = at + repeats_answer
        is_same_model = later.model == model
        if hashes[at - 1] != chain.end or not _is_likely(
            chain,
            depth=depth,
            repeats_answer=repeats_answer,
            earlier=created,
            later=later.created,
            is_same_model=is_same_model,
        ):
            continue
        if later.parent_created is not None:
            is_of_parent = later.model == later.parent_model
            parent = _Claim(later.parent_depth, is_of_parent, later.parent_created, later.parent)
            if parent >= _Claim(depth, is_same_model, created, seq):
                continue
        adopted = {"parent": seq, "depth": depth, "completion": later.completion}
        connection.execute(_ADOPT, adopted)
        if later.parent is None:
            conversation = _merge(connection, {conversation, later.conversation})
        elif later.conversation != conversation:
            _move(connection, later.completion, later.conversation, conversation)
    return conversation


def _move(connection: Connection, root: int, old: int, conversation: int) -> None:
    """Move a completion and all that continue it from one conversation to another."""
    moved = {root}
    # A parent has a shorter beginning, so there is no circle; children may be listed before it.
    members = connection.execute(_MEMBERS, {"conversation": old}).all()
    grows = True
    while grows:
        found = {row.completion for row in members if row.parent in moved} - moved
        moved |= found
        grows = bool(found)
    for completion in moved:
        connection.execute(_MOVE, {"conversation": conversation, "completion": completion})


def _merge(connection: Connection, conversations: set[int], *, unused: Collection[int] = ()) -> int:
    """Make one conversation of several, and return it; `unused` ones have no completion yet."""
    kept = min(conversations)
    for joined in sorted(conversations - {kept, *unused}):
        connection.execute(_JOIN, {"kept": kept, "joined": joined})
    return kept


def _ask_all(connection: Connection, query: str, values: Iterable[int]) -> Iterator[Any]:
    """Yield the rows of a query over `values`, some at a time."""
    dialect = connection.dialect.name
    statement = text(query.format(listed=_LISTED[dialect]))
    left = iter(values)
    while some := list(islice(left, _VALUES_AT_ONCE)):
        written = some if dialect == "postgresql" else write_array(map(str, some))
        yield from connection.execute(statement, {"values": written})
