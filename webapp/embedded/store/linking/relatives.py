"""Find the completions that share messages with those of a batch, in the batch and in the store.

The rows of the batch are not stored yet, so its completions are found in memory.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, TextClause

from webapp.database import execute_with_values
from webapp.embedded.documents.chains import (
    CLOCK_SECONDS,
    Chain,
    Claim,
    End,
    Member,
    build_chain,
    hash_reply,
    unpack_hashes,
)
from webapp.embedded.documents.records import read_stored
from webapp.embedded.store.linking import statements
from webapp.embedded.store.linking.clearing import count_cleared, holds_result
from webapp.embedded.store.queries import MESSAGES_GIVEN

RETRY_SECONDS: Final = 600
"""Two equal requests that begin a conversation are tries of one if no more time is between."""
MAX_RANKED: Final = 8
_MAX_CANDIDATES: Final = 500
_MAX_STEPS: Final = 3
"""Answers of a request that are looked up for another one with cleared results, from the last."""
_MAX_ENDS: Final = 32
_FARTHEST: Final = 2**63 - 1


class StoredEnd(NamedTuple):
    """Where a completion ends that others may continue, as one of `PLACES` has it."""

    created: int
    seq: int
    kind: int
    conversation: int
    model: str | None


def parts_at_result(chain: Chain, hashes: Sequence[int], later: Sequence[int]) -> bool:
    """Return whether the digests of a request and a longer one first differ in a result of a tool.

    One of the two is that of the `chain`.
    """
    depth = range(len(hashes))
    parting = bisect_left(depth, True, key=lambda at: hashes[at] != later[at])
    return parting < len(hashes) and holds_result(chain.said[parting])


class Relatives:
    """The completions of a batch, and the stored ones that share messages with them.

    `linked` has those of the batch that are linked so far, by `seq`; `stored` the conversations
    that may have stored completions.
    """

    def __init__(self, connection: Connection, chains: Mapping[int, Chain]) -> None:
        """Look up the digests that others share with the `chains` of the batch, by their `seq`."""
        self._connection = connection
        self._chains = chains
        openings = {chain.opening for chain in chains.values() if chain.hashes}
        depths = execute_with_values(connection, statements.DEPTHS, openings)
        self._stored_depths = {row.value: row.depth for row in depths if row.depth}
        hashes: set[int] = set()
        for chain in chains.values():
            hashes.update(chain.tails, [run.digest for run in chain.runs])
            # The others are behind the same opening, but for results, which may be in any order.
            if chain.opening in self._stored_depths or (chain.said and chain.said[0].is_result):
                hashes.update(chain.hashes)
        ends = execute_with_values(connection, statements.STORED_ENDS, hashes)
        self._stored_ends = {row.value for row in ends}
        self.stored = {
            row.value for row in execute_with_values(connection, statements.TAKEN, chains)
        }
        self.linked: dict[int, Member] = {}
        self._ends: dict[int, list[tuple[End, Member]]] = {}
        self._openings: dict[int, list[Member]] = {}
        self._metadata: dict[int, dict[str, str]] = {}
        self._systems = {seq: chain.system for seq, chain in chains.items()}
        self._runs: dict[int, set[tuple[int, int]]] = {
            seq: set(chain.ends) for seq, chain in chains.items()
        }

    def add(self, member: Member) -> None:
        """Let others of the batch find a completion by its messages."""
        chain = self._chains[member.seq]
        if chain.hashes:
            self._openings.setdefault(chain.opening, []).append(member)
        for hashed, kind in chain.ends:
            self._ends.setdefault(hashed, []).append((kind, member))

    def may_know(self, chain: Chain) -> bool:
        """Return whether another completion may share messages with one of the batch."""
        if chain.opening in self._openings or chain.opening in self._stored_depths:
            return True
        shared = {*chain.hashes, *chain.tails, *[run.digest for run in chain.runs]}
        return not (shared.isdisjoint(self._ends) and shared.isdisjoint(self._stored_ends))

    def find_ends(self, hashed: int, created: int) -> list[StoredEnd]:
        """Find the latest ends with this digest that are not later than a completion."""
        if hashed not in self._ends and hashed not in self._stored_ends:
            return []
        latest = created + CLOCK_SECONDS if created else _FARTHEST
        ends = [
            StoredEnd(one.created, one.seq, kind, one.conversation, one.model)
            for kind, one in self._ends.get(hashed, ())
            if one.created <= latest and kind != End.SOUGHT
        ]
        if hashed in self._stored_ends:
            binds = {"hash": hashed, "latest": latest, "rows": _MAX_ENDS}
            stored = [StoredEnd(*row) for row in self._connection.execute(statements.ENDS, binds)]
            self.stored.update(end.conversation for end in stored)
            ends += stored
        return sorted(ends, key=lambda end: end[:2], reverse=True)[:_MAX_ENDS]

    def find_later(self, chain: Chain) -> list[Member]:
        """Find completions that have the same beginning and more messages, the shortest first."""
        depth = len(chain.hashes)
        found = [
            one
            for one in self._openings.get(chain.opening, ())
            if len(one.hashes) > depth and one.link.depth <= depth + 1
        ]
        if self._stored_depths.get(chain.opening, 0) > depth:
            found += self._query_members(
                statements.LATER, {"opening": chain.opening, "depth": depth}
            )
        found.sort(key=lambda one: (len(one.hashes), one.link.depth))
        return found[:_MAX_CANDIDATES]

    def find_uncleared(
        self, chain: Chain, member: Member, least: int
    ) -> Iterator[tuple[StoredEnd, int]]:
        """Yield completions that a request of the batch continues with some results cleared.

        Each comes with its number of messages, at least `least`, the highest first.
        """
        answers = [at for at, one in enumerate(chain.said) if one.role == "assistant"]
        for depth in answers[: -_MAX_STEPS - 1 : -1]:
            if depth < least or not any(map(holds_result, chain.said[:depth])):
                return
            for end, hashes in self._find_as_deep(chain.opening, depth, member.created):
                is_other = parts_at_result(chain, hashes, member.hashes)
                if is_other and self.has_cleared(end.seq, hashes, member):
                    yield end, depth

    def _find_as_deep(
        self, opening: int, depth: int, created: int
    ) -> list[tuple[StoredEnd, Sequence[int]]]:
        """Find the latest completions of a depth that are not later, each with its digests."""
        latest = created + CLOCK_SECONDS if created else _FARTHEST
        found = [
            (StoredEnd(one.created, one.seq, End.ANSWER, one.conversation, one.model), one.hashes)
            for one in self._openings.get(opening, ())
            if len(one.hashes) == depth and one.created <= latest
        ]
        if self._stored_depths.get(opening, 0) >= depth:
            binds = {"opening": opening, "depth": depth, "latest": latest, "rows": MAX_RANKED}
            for row in self._connection.execute(statements.AS_DEEP, binds):
                self.stored.add(row.conversation)
                end = StoredEnd(
                    row.created, row.completion, End.ANSWER, row.conversation, row.model
                )
                found.append((end, unpack_hashes(row.hashes)))
        return sorted(found, key=lambda one: one[0][:2], reverse=True)[:MAX_RANKED]

    def has_cleared(self, seq: int, hashes: Sequence[int], later: Member) -> bool:
        """Return whether `later` repeats a completion and its answer, but for cleared results."""
        chain = self.read_chain(later.seq)
        reply = hash_reply(hashes, chain)
        if seq in self.linked:
            has_answer = reply in self._chains[seq].answers
        else:
            binds = {"seq": seq, "hash": reply}
            has_answer = self._connection.execute(statements.HAS_ANSWER, binds).scalar() is not None
        said = chain.said[: len(hashes)]
        return has_answer and count_cleared(self.read_chain(seq).said, said) is not None

    def find_sought(self, tail: int, least: int, most: int) -> list[Member]:
        """Find completions of a time that have a run of messages with this digest."""
        found = [
            one
            for kind, one in self._ends.get(tail, ())
            if kind == End.SOUGHT and least <= one.created <= most
        ]
        if tail in self._stored_ends:
            found += self._query_members(
                statements.SOUGHT, {"hash": tail, "least": least, "most": most}
            )
        return found

    def find_tries(self, chain: Chain, member: Member) -> list[tuple[int, int]]:
        """Find completions without a parent with the same messages, model and time.

        Return the `seq` and the conversation of each.
        """
        tries = [
            (one.seq, one.conversation)
            for kind, one in self._ends.get(chain.end, ())
            if kind == End.INPUT
            and one.parent is None
            and one.model == member.model
            and abs(one.created - member.created) <= RETRY_SECONDS
        ]
        if chain.end in self._stored_ends:
            binds = {
                "hash": chain.end,
                "least": member.created - RETRY_SECONDS,
                "most": member.created + RETRY_SECONDS,
                "model": member.model,
                "rows": MAX_RANKED,
            }
            stored = [
                (row[0], row[1]) for row in self._connection.execute(statements.SAME_INPUT, binds)
            ]
            self.stored.update(conversation for _, conversation in stored)
            tries += stored
        return tries

    def list_children(self, seq: int, conversation: int) -> list[Sequence[int]]:
        """List the digests of the messages of each completion that continues this one."""
        children = [one.hashes for one in self.linked.values() if one.parent == seq]
        if conversation in self.stored:
            binds = {"conversation": conversation, "parent": seq, "rows": _MAX_CANDIDATES}
            rows = self._connection.execute(statements.CHILDREN, binds).scalars()
            children += map(unpack_hashes, rows)
        return children

    def find_parent(self, seq: int) -> tuple[int | None, int]:
        """Find the parent of a completion and when it was created; None and 0 without one."""
        one = self.linked.get(seq)
        if one is not None:
            return one.parent, one.claim.created if one.claim else 0
        row = self._connection.execute(statements.PARENT, {"seq": seq}).one_or_none()
        return (row.parent, row.created) if row else (None, 0)

    def list_parents(self, conversation: int) -> dict[int, int | None]:
        """List the parent of each completion of a conversation."""
        parents = {
            one.seq: one.parent for one in self.linked.values() if one.conversation == conversation
        }
        if conversation in self.stored:
            rows = self._connection.execute(statements.MEMBERS, {"conversation": conversation})
            parents |= {row.completion: row.parent for row in rows}
        return parents

    def find_conversation(self, seq: int) -> int | None:
        """Find the conversation of a stored completion."""
        return self._query_conversation(statements.CONVERSATION, {"seq": seq})

    def find_session(self, seq: int, pair: tuple[str, str]) -> int | None:
        """Find the conversation of the latest other stored completion with a pair of metadata."""
        return self._query_conversation(
            statements.SESSION, {"seq": seq, "key": pair[0], "value": pair[1]}
        )

    def read_chain(self, seq: int) -> Chain:
        """Read the chain of the messages of a completion; its answers may be left out."""
        if seq in self.linked:
            return self._chains[seq]
        texts = self._connection.execute(MESSAGES_GIVEN, {"completion": seq}).scalars()
        return build_chain([*map(read_stored, texts)], ())

    def read_beside(self, seqs: Sequence[int]) -> None:
        """Read the metadata, system messages and runs of completions, which tell whose they are."""
        missing = [seq for seq in dict.fromkeys(seqs) if seq not in self._metadata]
        for at in range(0, len(missing), _MAX_CANDIDATES):
            some = missing[at : at + _MAX_CANDIDATES]
            self._metadata |= {seq: {} for seq in some}
            for row in self._connection.execute(statements.PAIRS, {"seqs": some}):
                self._metadata[row.completion][row.key] = row.value
            stored = [seq for seq in some if seq not in self._systems]
            if stored:
                rows = self._connection.execute(statements.SYSTEMS, {"seqs": stored})
                self._systems |= {row.completion: row.system for row in rows}
                self._runs |= {seq: set() for seq in stored}
                for row in self._connection.execute(statements.RUNS, {"seqs": stored}):
                    self._runs[row.completion].add((row.hash, row.is_answer))

    def grade_alike(self, seq: int, other: int) -> tuple[bool, int, bool]:
        """Grade how much a completion is like another one, which it may continue; both were read.

        To have the run that the other ends with, such as a call with its id, is more than all that
        is beside the messages.
        """
        sought = {(hashed, End.RUN) for hashed, kind in self._runs[seq] if kind == End.SOUGHT}
        has_run = not sought.isdisjoint(self._runs[other])
        common = self._metadata[seq].items() & self._metadata[other].items()
        return has_run, len(common), self._systems.get(seq) == self._systems.get(other)

    def list_metadata(self, seq: int) -> list[tuple[str, str]]:
        """List the metadata of a completion, which were read."""
        return [*self._metadata[seq].items()]

    def _query_conversation(self, statement: TextClause, binds: Mapping[str, object]) -> int | None:
        conversation: int | None = self._connection.execute(statement, binds).scalar()
        if conversation is not None:
            self.stored.add(conversation)
        return conversation

    def _query_members(
        self, statement: TextClause, binds: Mapping[str, object]
    ) -> Iterator[Member]:
        """Yield stored completions that may get another parent."""
        for row in self._connection.execute(statement, {**binds, "rows": _MAX_CANDIDATES}).all():
            self.stored.add(row.conversation)
            claim = None
            if row.parent_created is not None:
                # The parent may be of the batch.
                parent = self._chains.get(row.parent)
                begins = row.opening == (parent.opening if parent else row.parent_opening)
                whole = len(parent.hashes) if parent else row.parent_count or 0
                is_partial = row.parent_depth < whole
                is_same_model = row.model == row.parent_model
                likely = (begins, row.parent_depth, is_partial, is_same_model)
                claim = Claim(*likely, row.parent_created, row.parent)
            known = (row.completion, row.created, row.model, unpack_hashes(row.hashes))
            yield Member(*known, row.conversation, claim)
