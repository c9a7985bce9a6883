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

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from webapp.embedded.documents.chains import (
    CLOCK_SECONDS,
    WEAK_DEPTH,
    WEAK_SECONDS,
    Chain,
    Claim,
    End,
    Member,
    count_known,
    is_likely,
)
from webapp.embedded.store.linking.relatives import (
    MAX_RANKED,
    Relatives,
    StoredEnd,
    parts_at_result,
)

_ADOPT: Final = text(
    "UPDATE facts SET parent = :parent, parent_depth = :depth WHERE completion = :completion"
)
_MOVE: Final = text("UPDATE facts SET conversation = :conversation WHERE completion = :completion")
_BEGINNINGS: Final = (End.INPUT, End.ANSWER)
_PERSON: Final = re.compile("user|person|member|customer|client|account|tenant|mail", re.IGNORECASE)
"""A key of metadata that names whose request it is; equal ones of two people are no retries."""
_JOIN: Final = text("UPDATE facts SET conversation = :kept WHERE conversation = :joined")


class _Parent(NamedTuple):
    """Where the completion ends that another one continues, and the beginning of its claim."""

    end: StoredEnd
    begins: bool
    depth: int
    is_partial: bool = False


class Linker:
    """Links the completions of a batch, whose rows of facts are not stored yet.

    Those that are stored are changed at once if they join another conversation, or turn out to
    continue one of the batch.
    """

    def __init__(
        self, connection: Connection, chains: Mapping[int, Chain], *, keys: Sequence[str]
    ) -> None:
        """Link completions with these `chains`, by their `seq`.

        The metadata `keys` name a conversation.
        """
        self._connection = connection
        self._chains = chains
        self._keys = keys
        self._relatives = Relatives(connection, chains)
        self._sessions: dict[tuple[str, str], Member] = {}

    def link(self, seq: int, *, created: int, model: str | None) -> Member:
        """Link a completion of the batch; its row is to be stored after all of them are linked.

        Those before it that continue it become part of its conversation.
        """
        chain = self._chains[seq]
        member = Member(seq, created, model, chain.hashes, seq)
        self._relatives.linked[seq] = member
        if self._relatives.may_know(chain):
            self._link_related(chain, member)
        self._relatives.add(member)
        return member

    def _link_related(self, chain: Chain, member: Member) -> None:
        parent = self._find_parent(chain, member)
        parent = self._find_uncleared(chain, member, parent.depth if parent else 1) or parent
        parent = self._find_by_run(chain, member, parent.depth if parent else 0) or parent
        if parent is not None:
            end = parent.end
            is_same_model = end.model == member.model
            member.claim = Claim(*parent[1:], is_same_model, end.created, end.seq)
            self._merge({member.seq, end.conversation})
        elif not chain.is_weak and member.created and member.model is not None:
            self._merge({member.seq, *self._find_same_input(chain, member)})
        if chain.hashes:
            self._adopt_later(chain, member)
            self._adopt_by_run(chain, member)

    def join_session(self, seq: int, pairs: Sequence[tuple[str, str]]) -> None:
        """Join the conversation of `seq` with those that have one of its `pairs` of metadata.

        Only those whose key names a conversation count.
        """
        member = self._relatives.linked.get(seq)
        for pair in pairs:
            if pair[0] not in self._keys:
                continue
            same = self._sessions.get(pair)
            other = same.conversation if same else self._relatives.find_session(seq, pair)
            own = member.conversation if member else self._relatives.find_conversation(seq)
            if own is not None and other is not None:
                self._merge({own, other})
            if member:
                self._sessions[pair] = member

    def keep_children(self, seq: int, former: int) -> None:
        """Keep those that continue `seq` in its conversation; `former` is that of its old row."""
        member = self._relatives.linked[seq]
        if member.conversation != former:
            self._relatives.stored.add(former)
            self._move(seq, former, member.conversation)

    def _find_parent(self, chain: Chain, member: Member) -> _Parent | None:
        """Find the completion with the longest beginning of the messages, and its depth.

        Of several, that is one of the same model, then the one that is most alike beside the
        messages, then the latest.
        """
        last = len(chain.hashes) - 1
        for at in range(last, -1, -1):
            found = self._relatives.find_ends(chain.hashes[at], member.created)
            ends = found and [
                end
                for end in found
                # One that has all of the messages is another try, unless the last is its answer.
                if end.kind in (_BEGINNINGS if at < last else (End.ANSWER,))
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
                    self._relatives.read_beside([member.seq, *(one.seq for one in alike)])
                    grades = [self._relatives.grade_alike(member.seq, one.seq) for one in alike]
                    best = max(grades)
                    alike = [one for one, its in zip(alike, grades, strict=True) if its == best]
                    alike = alike[:MAX_RANKED]
                end = alike[0]
                if chain.is_weak and at < WEAK_DEPTH and len(alike) > 1:
                    following = chain.hashes[at + 1 : at + 2]
                    end = min(alike, key=lambda end: self._rank(end, at + 1, following))
                return _Parent(end, True, at + 1)
        return None

    def _rank(self, end: StoredEnd, depth: int, following: Sequence[int]) -> int:
        """Return the rank of a completion that begins alike by chance; the lowest is continued.

        Two people may greet at the same time. One of the two is continued by each: first one that
        the same `following` message continues, as a retry does, then one that nothing continues.
        """
        children = self._relatives.list_children(end.seq, end.conversation)
        if any(hashes[depth : depth + 1] == following for hashes in children):
            return 0
        return 2 if children else 1

    def _find_by_run(self, chain: Chain, member: Member, least: int) -> _Parent | None:
        """Find the latest completion of the day before that ends with a run of the messages.

        If `least` messages are those of another one, as many must be those of this one, too.
        """
        runs = [run for run in reversed(chain.runs) if run.depth > least and member.created]
        if not runs:
            return None
        ends = (
            (run, end)
            for run in runs
            for end in self._relatives.find_ends(run.digest, member.created)
            if end.kind == End.RUN and member.created - end.created <= WEAK_SECONDS
        )
        # All messages of each are read.
        for run, end in islice(ends, MAX_RANKED):
            theirs = self._relatives.read_chain(end.seq)
            known = count_known(theirs, chain, run.depth)
            begins = known > 0 and theirs.opening == chain.opening
            if known >= least and (known == run.depth or not run.is_short):
                return _Parent(end, begins, known, known < len(theirs.hashes))
        return None

    def _find_uncleared(self, chain: Chain, member: Member, least: int) -> _Parent | None:
        """Find a completion with at least `least` messages of which results were cleared since."""
        for end, depth in self._relatives.find_uncleared(chain, member, least):
            if is_likely(
                chain,
                depth=depth + 1,
                repeats_answer=True,
                earlier=end.created,
                later=member.created,
                is_same_model=end.model == member.model,
            ):
                return _Parent(end, True, depth + 1)
        return None

    def _find_same_input(self, chain: Chain, member: Member) -> set[int]:
        """Find the conversations that began with the same messages and model at the same time."""
        tries = self._relatives.find_tries(chain, member)
        if not tries:
            return set()
        self._relatives.read_beside([member.seq, *(seq for seq, _ in tries)])
        owners: dict[int, set[tuple[str, str]]] = {}
        for seq, conversation in tries:
            owners.setdefault(conversation, set()).update(self._list_owners(seq))
        # A request that names nobody must not join those of two people, or two sessions.
        found: set[int] = set()
        own = dict(self._list_owners(member.seq))
        for conversation, pairs in owners.items():
            if all(own.get(key, value) == value for key, value in pairs):
                found.add(conversation)
                own |= dict(pairs)
        return found

    def _list_owners(self, seq: int) -> list[tuple[str, str]]:
        """List the metadata by which a completion, whose metadata were read, names its owner."""
        pairs = self._relatives.list_metadata(seq)
        return [pair for pair in pairs if pair[0] in self._keys or _PERSON.search(pair[0])]

    def _adopt_later(self, chain: Chain, member: Member) -> None:
        """Make a completion the parent of those before it in the batch or store that continue it.

        Those that already continue a longer beginning of theirs, a try of the same model, one that
        is more alike beside the messages, or a later one, keep their parent.
        """
        at = len(chain.hashes)
        continuing = []
        rivals: set[int] = set()
        differing = []
        for later in self._relatives.find_later(chain):
            if later.hashes[at - 1] != chain.end:
                differing.append(later)
                continue
            repeats_answer = later.hashes[at] in chain.answers
            depth, is_same_model = at + repeats_answer, later.model == member.model
            if is_likely(
                chain,
                depth=depth,
                repeats_answer=repeats_answer,
                earlier=member.created,
                later=later.created,
                is_same_model=is_same_model,
            ):
                continuing.append((later, depth))
                if later.claim is not None and later.claim.likely == (
                    True,
                    depth,
                    False,
                    is_same_model,
                ):
                    rivals |= {later.seq, later.claim.seq}
        if rivals:
            self._relatives.read_beside([member.seq, *rivals])
        for later, depth in continuing:
            self._adopt(later, member, begins=True, depth=depth)
        self._adopt_cleared(chain, member, differing)

    def _adopt_cleared(self, chain: Chain, member: Member, others: Sequence[Member]) -> None:
        """Adopt those of `others` that continue it with some results of tools cleared."""
        depth = len(chain.hashes) + 1
        parting = [
            other
            for other in others
            if (other.claim is None or not other.claim.begins or other.claim.depth < depth)
            and parts_at_result(chain, chain.hashes, other.hashes)
        ]
        for later in parting[:MAX_RANKED]:
            if self._relatives.has_cleared(member.seq, member.hashes, later) and is_likely(
                chain,
                depth=depth,
                repeats_answer=True,
                earlier=member.created,
                later=later.created,
                is_same_model=later.model == member.model,
            ):
                self._adopt(later, member, begins=True, depth=depth)

    def _adopt_by_run(self, chain: Chain, member: Member) -> None:
        """Adopt those of the day after it that have the run of its last messages."""
        least, most = member.created - CLOCK_SECONDS, member.created + WEAK_SECONDS
        for tail in chain.tails if member.created else ():
            # Their messages are read only if they may be adopted, those of retries once.
            chains: dict[Sequence[int], Chain] = {}
            for later in self._relatives.find_sought(tail, least, most):
                present = later.claim
                is_same_model = later.model == member.model
                claim = Claim(False, 0, True, is_same_model, member.created, member.seq)
                is_open = present is None or present.rank < claim.rank
                may_begin = later.hashes[0] == chain.opening and (
                    present is None or (present.seq != member.seq and present.begins)
                )
                if later.seq == member.seq or not (is_open or may_begin):
                    continue
                theirs = chains.get(later.hashes)
                if theirs is None:
                    if len(chains) == MAX_RANKED:
                        continue
                    theirs = chains[later.hashes] = self._relatives.read_chain(later.seq)
                run = next((one for one in theirs.runs if one.digest == tail), None)
                if run is None:
                    continue
                depth = count_known(chain, theirs, run.depth)
                begins = depth > 0 and theirs.opening == chain.opening
                if (depth == run.depth or not run.is_short) and (begins or is_open):
                    self._adopt(later, member, begins=begins, depth=depth)

    def _adopt(self, later: Member, member: Member, *, begins: bool, depth: int) -> None:
        """Make a completion the parent of a later one if its claim is larger than the present."""
        is_same_model = later.model == member.model
        is_partial = depth < len(member.hashes)
        claim = Claim(begins, depth, is_partial, is_same_model, member.created, member.seq)
        if later.claim is not None and not self._outranks(claim, later.claim, later.seq):
            return
        if self._continues(member, later):
            return
        if later.seq not in self._relatives.linked:
            adopted = {"parent": member.seq, "depth": depth, "completion": later.seq}
            self._connection.execute(_ADOPT, adopted)
        is_root, later.claim = later.claim is None, claim
        if is_root:
            self._merge({member.conversation, later.conversation})
        elif later.conversation != member.conversation:
            self._move(later.seq, later.conversation, member.conversation)

    def _outranks(self, claim: Claim, present: Claim, seq: int) -> bool:
        """Return whether the claim to be continued by a completion is larger than the present."""
        if claim.likely != present.likely or not claim.begins or claim.is_partial:
            return claim.rank > present.rank
        self._relatives.read_beside([seq, claim.seq, present.seq])
        grades = [self._relatives.grade_alike(seq, one.seq) for one in (claim, present)]
        return (grades[0], *claim.rank) > (grades[1], *present.rank)

    def _continues(self, member: Member, other: Member) -> bool:
        """Return whether a completion continues another one, at once or through others.

        Made-up ones of the same second can each have the messages and the answer of the other.
        """
        latest = other.created
        parent, created = member.parent, member.claim.created if member.claim else 0
        # Each is later than its parent, but for the clock.
        while parent is not None and parent != other.seq and created >= latest:
            parent, created = self._relatives.find_parent(parent)
            latest -= CLOCK_SECONDS
        return parent == other.seq

    def _move(self, root: int, former: int, conversation: int) -> None:
        """Move a completion and all that continue it from a conversation to another one."""
        parents = self._relatives.list_parents(former)
        moved = {root}
        # A parent has a shorter beginning, so there is no circle; children may come before it.
        grows = True
        while grows:
            found = {seq for seq, parent in parents.items() if parent in moved} - moved
            moved |= found
            grows = bool(found)
        for seq in moved:
            if seq in self._relatives.linked:
                self._relatives.linked[seq].conversation = conversation
            else:
                self._connection.execute(_MOVE, {"conversation": conversation, "completion": seq})
                self._relatives.stored.add(conversation)

    def _merge(self, conversations: set[int]) -> None:
        """Make one conversation of several."""
        kept = min(conversations)
        for joined in conversations - {kept}:
            for one in self._relatives.linked.values():
                if one.conversation == joined:
                    one.conversation = kept
            if joined in self._relatives.stored:
                self._connection.execute(_JOIN, {"kept": kept, "joined": joined})
                self._relatives.stored.add(kept)
