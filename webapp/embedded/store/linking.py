"""Find the conversation that a completion belongs to, and the completion that it continues.

A completion continues another if its messages begin with the other's, best if the other's answer
follows. They may come in any order: an earlier request may be stored after a later one. If the
oldest messages were dropped or summed up meanwhile, the completion is found by a run of messages
with its answer. Of several that have the same messages and answer, the one with the most metadata
in common is continued, then one with the same system message, then the latest.

The number of a conversation is the smallest `seq` of the completions in it when they were joined.

The completions of a batch are linked in memory, one after another, before their rows are stored;
only those that were stored before are looked up, and changed at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, TextClause, bindparam, text

from webapp.database import query_values
from webapp.embedded.documents.chains import (
    CLOCK_SECONDS,
    WEAK_DEPTH,
    WEAK_SECONDS,
    Chain,
    Claim,
    End,
    Member,
    build_chain,
    count_known,
    is_likely,
    list_ends,
    unpack_hashes,
)
from webapp.embedded.documents.records import read_stored
from webapp.embedded.store.queries import MESSAGES_GIVEN

RETRY_SECONDS: Final = 600
"""Two equal requests that begin a conversation are tries of one if no more time is between."""
_MAX_CANDIDATES: Final = 500
_MAX_ENDS: Final = 32
_MAX_RANKED: Final = 8
_FARTHEST: Final = 2**63 - 1

# Queries for all completions of a batch at once, since most have few relatives.
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
    "SELECT e.created, e.completion, e.is_answer, f.conversation, c.model FROM ends AS e"
    " JOIN facts AS f ON f.completion = e.completion JOIN completions AS c ON c.seq = e.completion"
    f" WHERE e.hash = :hash AND e.created <= :latest AND e.is_answer <> {End.SOUGHT:d}"
    " ORDER BY e.created DESC, e.completion DESC LIMIT :rows"
)
# Of those within the time, all before a completion are tries of one, and so are all after it,
# unless their metadata name several conversations.
_SAME_INPUT: Final = text(
    " UNION ".join(
        "SELECT * FROM (SELECT e.completion, f.conversation FROM ends AS e"
        " JOIN facts AS f ON f.completion = e.completion"
        " JOIN completions AS c ON c.seq = e.completion WHERE e.hash = :hash"
        " AND e.created BETWEEN :least AND :most AND e.is_answer = 0 AND c.model = :model"
        f" AND f.parent IS NULL ORDER BY e.created {order} LIMIT :rows) AS {order}most"
        for order in ("ASC", "DESC")
    )
)
_PAIRS: Final = text(
    "SELECT completion, key, value FROM metadata WHERE completion IN :seqs"
).bindparams(bindparam("seqs", expanding=True))
_SYSTEMS: Final = text("SELECT completion, system FROM facts WHERE completion IN :seqs").bindparams(
    bindparam("seqs", expanding=True)
)
_MEMBER: Final = (
    "SELECT f.completion, f.created, f.conversation, f.hashes, f.parent, f.parent_depth, c.model,"
    " p.created AS parent_created, p.model AS parent_model, g.opening AS parent_opening, f.opening"
    " FROM facts AS f JOIN completions AS c ON c.seq = f.completion"
    " LEFT JOIN completions AS p ON p.seq = f.parent"
    " LEFT JOIN facts AS g ON g.completion = f.parent"
)
_LATER: Final = text(
    f"{_MEMBER} WHERE f.opening = :opening AND f.depth > :depth AND f.parent_depth <= :depth + 1"
    " ORDER BY f.depth LIMIT :rows"
)
_SOUGHT: Final = text(
    f"{_MEMBER} JOIN ends AS e ON e.completion = f.completion WHERE e.hash = :hash"
    f" AND e.is_answer = {End.SOUGHT:d} AND e.created BETWEEN :least AND :most"
    " ORDER BY e.created LIMIT :rows"
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
_PARENT: Final = text(
    "SELECT f.parent, p.created FROM facts AS f JOIN completions AS p ON p.seq = f.parent"
    " WHERE f.completion = :seq"
)
_CONVERSATION: Final = text("SELECT conversation FROM facts WHERE completion = :seq")


class _End(NamedTuple):
    """Where a completion ends that others may continue: a row of `ends`."""

    created: int
    seq: int
    kind: int
    conversation: int
    model: str | None


class Linker:
    """Links the completions of a batch, whose rows of facts are not stored yet.

    Those that are stored are changed at once if they join another conversation, or turn out to
    continue one of the batch.
    """

    def __init__(
        self, connection: Connection, chains: Mapping[int, Chain], *, keys: Sequence[str]
    ) -> None:
        """Look up the digests that others share with the `chains` of the batch, by their `seq`.

        The metadata `keys` name a conversation.
        """
        self._connection = connection
        self._chains = chains
        self._keys = keys
        hashes = {one for chain in chains.values() for one in (*chain.hashes, *chain.answers)}
        hashes.update(run for chain in chains.values() for _, run in chain.runs)
        hashes.update(tail for chain in chains.values() for tail in chain.tails)
        openings = {chain.opening for chain in chains.values() if chain.hashes}
        self._stored_ends = {row.value for row in query_values(connection, _STORED_ENDS, hashes)}
        self._stored_depths = {
            row.value: row.depth or 0 for row in query_values(connection, _DEPTHS, openings)
        }
        # Conversations that may have stored completions.
        self._stored = {row.value for row in query_values(connection, _TAKEN, chains)}
        # Those of the batch that are linked, by `seq` and by the digests that others look for.
        self._linked: dict[int, Member] = {}
        self._ends: dict[int, list[tuple[End, Member]]] = {}
        self._openings: dict[int, list[Member]] = {}
        self._sessions: dict[tuple[str, str], Member] = {}
        self._metadata: dict[int, dict[str, str]] = {}
        self._systems = {seq: chain.system for seq, chain in chains.items()}

    def link(self, seq: int, *, created: int, model: str | None) -> Member:
        """Link a completion of the batch; its row is to be stored after all of them are linked.

        Those before it that continue it become part of its conversation.
        """
        chain = self._chains[seq]
        member = Member(seq, created, model, chain.hashes, seq)
        self._linked[seq] = member
        parent = self._find_parent(chain, member) or self._find_by_run(chain, member)
        if parent is not None:
            end, begins, depth = parent
            member.claim = Claim(begins, depth, end.model == model, end.created, end.seq)
            self._merge({seq, end.conversation})
        elif not chain.is_weak and created and model is not None:
            self._merge({seq, *self._find_same_input(chain, member)})
        if chain.hashes:
            self._adopt_later(chain, member)
            self._adopt_by_run(chain, member)
            self._openings.setdefault(chain.opening, []).append(member)
        for hashed, kind in list_ends(chain):
            self._ends.setdefault(hashed, []).append((kind, member))
        return member

    def join_session(self, seq: int, pairs: Sequence[tuple[str, str]]) -> None:
        """Join the conversation of `seq` with those that have one of its `pairs` of metadata.

        Only those whose key names a conversation count.
        """
        member = self._linked.get(seq)
        for pair in pairs:
            if pair[0] not in self._keys:
                continue
            binds = {"seq": seq, "key": pair[0], "value": pair[1]}
            same = self._sessions.get(pair)
            other = same.conversation if same else self._query(_SESSION, binds)
            own = member.conversation if member else self._query(_CONVERSATION, binds)
            if own is not None and other is not None:
                self._merge({own, other})
            if member:
                self._sessions[pair] = member

    def _query(self, statement: TextClause, binds: Mapping[str, object]) -> int | None:
        """Query the conversation of a stored completion."""
        conversation: int | None = self._connection.execute(statement, binds).scalar()
        if conversation is not None:
            self._stored.add(conversation)
        return conversation

    def _find_ends(self, hashed: int, created: int) -> list[_End]:
        """Find the latest ends with this digest that are not later than a completion."""
        latest = created + CLOCK_SECONDS if created else _FARTHEST
        ends = [
            _End(one.created, one.seq, kind, one.conversation, one.model)
            for kind, one in self._ends.get(hashed, ())
            if one.created <= latest and kind != End.SOUGHT
        ]
        if hashed in self._stored_ends:
            binds = {"hash": hashed, "latest": latest, "rows": _MAX_ENDS}
            stored = [_End(*row) for row in self._connection.execute(_ENDS, binds)]
            self._stored.update(end.conversation for end in stored)
            ends += stored
        return sorted(ends, key=lambda end: end[:2], reverse=True)[:_MAX_ENDS]

    def _find_parent(self, chain: Chain, member: Member) -> tuple[_End, bool, int] | None:
        """Find the completion with the longest beginning of the messages, and its depth.

        Of several, that is one of the same model, then the one that is most alike beside the
        messages, then the latest.
        """
        for at, hashed in reversed([*enumerate(chain.hashes[:-1])]):
            ends = [
                end
                for end in self._find_ends(hashed, member.created)
                if end.kind != End.RUN
                and is_likely(
                    chain,
                    depth=at + 1,
                    repeats_answer=end.kind == End.ANSWER,
                    earlier=end.created,
                    later=member.created,
                    is_same_model=end.model == member.model,
                )
            ]
            if ends:
                alike = [one for one in ends if one.model == member.model] or ends
                if len(alike) > 1:
                    self._read_beside([member.seq, *(one.seq for one in alike)])
                    grades = [self._grade_alike(member.seq, one.seq) for one in alike]
                    best = max(grades)
                    alike = [one for one, its in zip(alike, grades, strict=True) if its == best]
                    alike = alike[:_MAX_RANKED]
                end = alike[0]
                if chain.is_weak and at < WEAK_DEPTH and len(alike) > 1:
                    end = min(alike, key=lambda end: self._rank(end, at + 1, chain.hashes[at + 1]))
                return end, True, at + 1
        return None

    def _rank(self, end: _End, depth: int, following: int) -> int:
        """Return the rank of a completion that begins alike by chance; the lowest is continued.

        Two people may greet at the same time. One of the two is continued by each: first one that
        the same `following` message continues, as a retry does, then one that nothing continues.
        """
        children = [one.hashes for one in self._linked.values() if one.parent == end.seq]
        if end.conversation in self._stored:
            binds = {"conversation": end.conversation, "parent": end.seq, "rows": _MAX_CANDIDATES}
            rows = self._connection.execute(_CHILDREN, binds).scalars()
            children += map(unpack_hashes, rows)
        # One that does not repeat the answer may have no message at `depth`.
        if any(following in hashes[depth : depth + 1] for hashes in children):
            return 0
        return 2 if children else 1

    def _read_beside(self, seqs: Sequence[int]) -> None:
        """Read the metadata and system messages of completions, which tell whose they are."""
        missing = [seq for seq in dict.fromkeys(seqs) if seq not in self._metadata]
        for at in range(0, len(missing), _MAX_CANDIDATES):
            some = missing[at : at + _MAX_CANDIDATES]
            self._metadata |= {seq: {} for seq in some}
            for row in self._connection.execute(_PAIRS, {"seqs": some}):
                self._metadata[row.completion][row.key] = row.value
            stored = [seq for seq in some if seq not in self._systems]
            if stored:
                rows = self._connection.execute(_SYSTEMS, {"seqs": stored})
                self._systems |= {row.completion: row.system for row in rows}

    def _grade_alike(self, seq: int, other: int) -> tuple[int, bool]:
        """Grade how much two completions, which were read, are alike beside their messages."""
        common = self._metadata[seq].items() & self._metadata[other].items()
        return len(common), self._systems.get(seq) == self._systems.get(other)

    def _list_sessions(self, seq: int) -> list[tuple[str, str]]:
        """List the metadata by which a completion, whose metadata were read, names its session."""
        return [pair for pair in self._metadata[seq].items() if pair[0] in self._keys]

    def _find_by_run(self, chain: Chain, member: Member) -> tuple[_End, bool, int] | None:
        """Find the latest completion of the day before that ends with a run of the messages."""
        for depth, run in reversed(chain.runs) if member.created else ():
            for end in self._find_ends(run, member.created):
                if end.kind == End.RUN and member.created - end.created <= WEAK_SECONDS:
                    return end, False, count_known(self._read_chain(end.seq), chain, depth)
        return None

    def _read_chain(self, seq: int) -> Chain:
        """Read the chain of the messages of a completion; its answers may be left out."""
        if seq in self._linked:
            return self._chains[seq]
        texts = self._connection.execute(MESSAGES_GIVEN, {"completion": seq}).scalars()
        return build_chain([*map(read_stored, texts)], ())

    def _find_same_input(self, chain: Chain, member: Member) -> set[int]:
        """Find the conversations that began with the same messages and model at the same time."""
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
                "rows": _MAX_RANKED,
            }
            stored = [tuple(row) for row in self._connection.execute(_SAME_INPUT, binds)]
            self._stored.update(conversation for _, conversation in stored)
            tries += stored
        self._read_beside([member.seq, *(seq for seq, _ in tries)])
        named: dict[int, set[tuple[str, str]]] = {}
        for seq, conversation in tries:
            named.setdefault(conversation, set()).update(self._list_sessions(seq))
        # A request that names no session must not join two that differ.
        found: set[int] = set()
        own = dict(self._list_sessions(member.seq))
        for conversation, sessions in named.items():
            if all(own.get(key, value) == value for key, value in sessions):
                found.add(conversation)
                own |= dict(sessions)
        return found

    def _adopt_later(self, chain: Chain, member: Member) -> None:
        """Make a completion the parent of those before it in the batch or store that continue it.

        Those that already continue a longer beginning of theirs, a try of the same model, one that
        is more alike beside the messages, or a later one, keep their parent.
        """
        at = len(chain.hashes)
        continuing = []
        rivals: set[int] = set()
        for later in self._find_later(chain):
            repeats_answer = later.hashes[at] in chain.answers
            depth, is_same_model = at + repeats_answer, later.model == member.model
            if later.hashes[at - 1] == chain.end and is_likely(
                chain,
                depth=depth,
                repeats_answer=repeats_answer,
                earlier=member.created,
                later=later.created,
                is_same_model=is_same_model,
            ):
                continuing.append((later, depth))
                if later.claim is not None and later.claim.likely == (True, depth, is_same_model):
                    rivals |= {later.seq, later.claim.seq}
        if rivals:
            self._read_beside([member.seq, *rivals])
        for later, depth in continuing:
            self._adopt(later, member, begins=True, depth=depth)

    def _adopt_by_run(self, chain: Chain, member: Member) -> None:
        """Do so with those of the day after it that have the run of its last messages."""
        least, most = member.created - CLOCK_SECONDS, member.created + WEAK_SECONDS
        for tail in chain.tails if member.created else ():
            found = [
                one
                for kind, one in self._ends.get(tail, ())
                if kind == End.SOUGHT and least <= one.created <= most
            ]
            if tail in self._stored_ends:
                binds = {"hash": tail, "least": max(1, least), "most": most}
                found += self._query_members(_SOUGHT, binds)
            for later in found:
                # Its messages are read only if it may be adopted, which does not depend on them.
                claim = Claim(False, 0, later.model == member.model, member.created, member.seq)
                has_better = later.claim is not None and later.claim.rank >= claim.rank
                if later.seq == member.seq or has_better:
                    continue
                theirs = self._read_chain(later.seq)
                if theirs.runs:
                    depth = count_known(chain, theirs, theirs.runs[-1][0])
                    self._adopt(later, member, begins=False, depth=depth)

    def _adopt(self, later: Member, member: Member, *, begins: bool, depth: int) -> None:
        """Make a completion the parent of a later one if its claim is larger than the present."""
        is_same_model = later.model == member.model
        claim = Claim(begins, depth, is_same_model, member.created, member.seq)
        if later.claim is not None and not self._outranks(claim, later.claim, later.seq):
            return
        if self._continues(member, later):
            return
        if later.seq not in self._linked:
            adopted = {"parent": member.seq, "depth": depth, "completion": later.seq}
            self._connection.execute(_ADOPT, adopted)
        is_root, later.claim = later.claim is None, claim
        if is_root:
            self._merge({member.conversation, later.conversation})
        elif later.conversation != member.conversation:
            self._move(later, member.conversation)

    def _outranks(self, claim: Claim, present: Claim, seq: int) -> bool:
        """Return whether the claim to be continued by a completion is larger than the present."""
        if claim.likely != present.likely or not claim.begins:
            return claim.rank > present.rank
        self._read_beside([seq, claim.seq, present.seq])
        grades = [self._grade_alike(seq, one.seq) for one in (claim, present)]
        return (grades[0], *claim.rank) > (grades[1], *present.rank)

    def _continues(self, member: Member, other: Member) -> bool:
        """Return whether a completion continues another one, at once or through others.

        Made-up ones of the same second can each have the messages and the answer of the other.
        """
        latest = other.created
        parent, created = member.parent, member.claim.created if member.claim else 0
        # Each is later than its parent, but for the clock.
        while parent is not None and parent != other.seq and created >= latest:
            one = self._linked.get(parent)
            if one is not None:
                parent, created = one.parent, one.claim.created if one.claim else 0
            else:
                row = self._connection.execute(_PARENT, {"seq": parent}).one_or_none()
                parent, created = row or (None, 0)
            latest -= CLOCK_SECONDS
        return parent == other.seq

    def _find_later(self, chain: Chain) -> list[Member]:
        """Find completions that have the same beginning and more messages, the shortest first."""
        depth = len(chain.hashes)
        found = [
            one
            for one in self._openings.get(chain.opening, ())
            if len(one.hashes) > depth and one.link.depth <= depth + 1
        ]
        if self._stored_depths.get(chain.opening, 0) > depth:
            found += self._query_members(_LATER, {"opening": chain.opening, "depth": depth})
        found.sort(key=lambda one: (len(one.hashes), one.link.depth))
        return found[:_MAX_CANDIDATES]

    def _query_members(
        self, statement: TextClause, binds: Mapping[str, object]
    ) -> Iterator[Member]:
        """Yield stored completions that may get another parent."""
        for row in self._connection.execute(statement, {**binds, "rows": _MAX_CANDIDATES}).all():
            self._stored.add(row.conversation)
            claim = None
            if row.parent_created is not None:
                # The parent may be of the batch.
                parent = self._chains.get(row.parent)
                begins = row.opening == (parent.opening if parent else row.parent_opening)
                is_same_model = row.model == row.parent_model
                claim = Claim(
                    begins, row.parent_depth, is_same_model, row.parent_created, row.parent
                )
            known = (row.completion, row.created, row.model, unpack_hashes(row.hashes))
            yield Member(*known, row.conversation, claim)

    def _move(self, root: Member, conversation: int) -> None:
        """Move a completion and all that continue it to another conversation."""
        old = root.conversation
        parents = {one.seq: one.parent for one in self._linked.values() if one.conversation == old}
        if old in self._stored:
            rows = self._connection.execute(_MEMBERS, {"conversation": old})
            parents |= {row.completion: row.parent for row in rows}
        moved = {root.seq}
        # A parent has a shorter beginning, so there is no circle; children may come before it.
        grows = True
        while grows:
            found = {seq for seq, parent in parents.items() if parent in moved} - moved
            moved |= found
            grows = bool(found)
        for seq in moved:
            if seq in self._linked:
                self._linked[seq].conversation = conversation
            else:
                self._connection.execute(_MOVE, {"conversation": conversation, "completion": seq})
                self._stored.add(conversation)

    def _merge(self, conversations: set[int]) -> None:
        """Make one conversation of several."""
        kept = min(conversations)
        for joined in conversations - {kept}:
            for one in self._linked.values():
                if one.conversation == joined:
                    one.conversation = kept
            if joined in self._stored:
                self._connection.execute(_JOIN, {"kept": kept, "joined": joined})
                self._stored.add(kept)
