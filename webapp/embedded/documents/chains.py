"""Compute the digests by which completions that continue each other are found.

Two completions can have some in common by chance; see `is_likely`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from typing import Final, NamedTuple

from webapp.embedded.documents.passages import SYSTEM_ROLES, Said

MAX_CHOICES: Final = 16
"""Whose answers the next request is compared with."""
SHORT_OPENING: Final = 64
"""Characters; completions whose only message is shorter may have it in common by chance."""
WEAK_DEPTH: Final = 3
WEAK_SECONDS: Final = 86_400
_WEAKEST_SECONDS: Final = 120
"""Conversations may begin alike by chance with a few messages, the first of them short. Then the
times count, all the more if an answer is not repeated."""
CLOCK_SECONDS: Final = 1
"""The most by which a request may seem to be earlier than the one that it continues."""

_RUN: Final = 3
"""Messages before an answer that are compared with those before it in a later request."""
_SHORT_ANSWER: Final = 64
_SHORT_RUN: Final = 200
"""Characters; a run of messages with fewer words may be repeated by chance. The results of tools do
not count: they are the same in many conversations."""
_SHORT_RUNS: Final = 3
"""The last answers of a request whose short runs are looked up."""
_ZERO: Final = bytes(8)
_LEAST_DROPPED: Final = 5
"""Input messages; hardly a client drops the oldest of fewer, so a short run of them is not kept."""
_UNIQUE_ID: Final = re.compile(r"(?=[A-Za-z]*[0-9])[A-Za-z0-9]{8,}")
"""In the id of a call beside its name. Ids such as `call_0` are those of other calls, too."""
_MAX_ID: Final = 200
"""Characters."""


class End(IntEnum):
    """The kinds of digests that completions are found by.

    `SOUGHT` are the runs with the last answer among the messages, for a completion that ends with
    one and is stored later.
    """

    INPUT = 0
    ANSWER = 1
    RUN = 2
    SOUGHT = 3


class Run(NamedTuple):
    """The digest of an answer and the messages before it; `depth` counts all up to the answer.

    That of an answer with a call that `has_id`, a unique one, needs none before. If it `is_short`,
    others may have it by chance: all messages before must be the same, too.
    """

    depth: int
    digest: int
    is_short: bool
    has_id: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """The digests by which completions that continue each other are found.

    `hashes` has one digest for each input message but those of the system, of it and all before
    it, whatever the order of results in a row; `answers` those that follow if the next request
    repeats a choice. `system` is the digest of the system messages. If `is_weak`, the opening is
    so short that others may begin with it too.

    A client may drop the oldest messages, write a summary instead of them, or send an image as
    data that was an address before. The completion before is then found by a run of messages:
    `tails` are the digests of the last input messages with each answer, `runs` those of the input
    messages up to each answer among them. In both, images and files do not count.

    `ends` are the digests that are stored for other completions to be found by, each with its kind.

    `said` are the messages that `hashes` counts; a client may have cleared results in them.
    """

    hashes: tuple[int, ...]
    answers: tuple[int, ...]
    system: int
    is_weak: bool
    tails: tuple[int, ...] = ()
    runs: tuple[Run, ...] = ()
    ends: tuple[tuple[int, End], ...] = ()
    said: tuple[Said, ...] = ()

    @property
    def opening(self) -> int:
        return self.hashes[0] if self.hashes else 0

    @property
    def end(self) -> int:
        """The digest of all input messages."""
        return self.hashes[-1] if self.hashes else 0

    @property
    def first_ends(self) -> tuple[int | None, int | None]:
        """The digest of the input messages, and that with the first answer to them."""
        if not self.hashes:
            return None, None
        return self.hashes[-1], self.answers[0] if self.answers else None

    @property
    def further_ends(self) -> tuple[tuple[int, End], ...]:
        """All `ends` but the first ones."""
        return self.ends[1 + bool(self.answers) :]


def build_chain(said: Sequence[Said], answers: Sequence[Said]) -> Chain:
    """Build the chain of input messages and the answers to them."""
    system = before = _ZERO
    # The digest before the results in a row, and the sum of theirs.
    start, results = _ZERO, 0
    hashes = []
    heard = []
    for one in said:
        digest = one.digest()
        if one.role in SYSTEM_ROLES:
            system = _hash(system, digest)
            continue
        if one.is_result:
            results += _read_hash(_hash(start, digest))
            # Calls that ran side by side are answered in any order; clients may sort them later.
            before = _hash(start, (results % 2**64).to_bytes(8, "big"))
        else:
            before = start = _hash(before, digest)
            results = 0
        hashes.append(before)
        heard.append(one)
    numbers = tuple(unpack_hashes(b"".join(hashes)))
    answers = answers[:MAX_CHOICES]
    replies = tuple(dict.fromkeys([_read_hash(_hash(before, one.digest())) for one in answers]))
    tails, runs = _list_tails(heard, answers), _list_runs(heard)
    return Chain(
        hashes=numbers,
        answers=replies,
        system=_read_hash(system),
        is_weak=not heard or sum(map(len, heard[0].words)) < SHORT_OPENING,
        tails=tails,
        runs=runs,
        ends=_list_ends(numbers[-1], replies, tails, runs) if numbers else (),
        said=tuple(heard),
    )


def count_known(earlier: Chain, later: Chain, depth: int) -> int:
    """Return `depth`, the messages of a run in `later`, or fewer if there are others before it.

    Of the messages of `earlier`, some may be dropped after the first ones. A summary is new: it is
    shown with all messages after it.
    """
    head = [one.digest(with_media=False) for one in later.said[: depth - 1]]
    theirs = [one.digest(with_media=False) for one in earlier.said]
    known = _count_same(head, theirs)
    is_whole = known + _count_same(head[::-1], theirs[::-1]) >= len(head) <= len(theirs)
    return depth if is_whole else known


def _count_same(some: Sequence[bytes], others: Sequence[bytes]) -> int:
    """Count the digests from the start that are the same."""
    pairs = enumerate(zip(some, others, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(some), len(others)))


def hash_reply(hashes: Sequence[int], later: Chain) -> int:
    """Hash the messages with these `hashes` with the one after as many in a `later` request.

    The digest is one of their `answers` if that message repeats one.
    """
    repeated = later.said[len(hashes)].digest(with_media=False)
    return _read_hash(_hash(pack_hashes(hashes[-1:]), repeated))


def pack_hashes(hashes: Sequence[int]) -> bytes:
    """Pack the digests into bytes, eight for each."""
    return struct.pack(f">{len(hashes)}q", *hashes)


def unpack_hashes(packed: bytes) -> Sequence[int]:
    return struct.unpack(f">{len(packed) // 8}q", packed)


def is_likely(
    chain: Chain,
    *,
    depth: int,
    repeats_answer: bool,
    earlier: int,
    later: int,
    is_same_model: bool,
) -> bool:
    """Return whether `depth` messages in common, in this order of time, are more than chance.

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
    if earlier and later and earlier > later + CLOCK_SECONDS:
        return False
    if is_same_model and (not chain.is_weak or depth > WEAK_DEPTH):
        return True
    if not is_same_model and not chain.is_weak and repeats_answer:
        return True
    if not earlier or not later:
        return depth > 1
    seconds = WEAK_SECONDS if repeats_answer or depth > 1 else _WEAKEST_SECONDS
    return abs(later - earlier) <= seconds


class Claim(NamedTuple):
    """The claim of a completion to be continued by another; that of a higher rank wins.

    It `begins` the other if that begins with its messages, else it was found by a run. `depth`
    counts the messages in common, the answer included. If it `is_partial`, it has more messages
    than these, which the other left out; its answer is repeated.
    """

    begins: bool
    depth: int
    is_partial: bool
    is_same_model: bool
    created: int
    seq: int

    @property
    def likely(self) -> tuple[bool, int, bool, bool]:
        """The part of its rank that messages and model decide, whatever the times are."""
        return self[:4]

    @property
    def rank(self) -> tuple[int, ...]:
        """Of the completions that end with a run, the latest is continued."""
        return self if self.begins else (False, 0, False, False, self.created, self.seq)


class Link(NamedTuple):
    """The conversation of a completion, and its parent, the one that it continues, if any.

    The first `depth` messages are those of the parent, with its answer if that is repeated.
    """

    conversation: int
    parent: int | None = None
    depth: int = 0


@dataclass(slots=True)
class Member:
    """A completion in its conversation, with the claim of its parent if it has one."""

    seq: int
    created: int
    model: str | None
    hashes: Sequence[int]
    conversation: int
    claim: Claim | None = None

    @property
    def parent(self) -> int | None:
        return self.claim.seq if self.claim else None

    @property
    def link(self) -> Link:
        return Link(self.conversation, self.parent, self.claim.depth if self.claim else 0)


def _list_ends(
    end: int, answers: Sequence[int], tails: Sequence[int], runs: Sequence[Run]
) -> tuple[tuple[int, End], ...]:
    found = [(end, End.INPUT), *((answer, End.ANSWER) for answer in answers)]
    found += [(tail, End.RUN) for tail in tails]
    last = {run[2:]: run.depth for run in runs}
    # One does not take the place of another kind, which may be found though it is not.
    found += [(run.digest, End.SOUGHT) for run in runs if run.depth == last[run[2:]]]
    return tuple(found)


def _list_tails(heard: Sequence[Said], answers: Sequence[Said]) -> tuple[int, ...]:
    """List the runs that end with each answer to the messages."""
    last, begins = heard[-_RUN:], len(heard) <= _RUN
    found = [_hash_run(last, one, one.digest(), begins=begins) for one in answers]
    takes_short = len(heard) >= _LEAST_DROPPED
    tails = [one[0] for one in found if one is not None and (takes_short or not one[1])]
    return tuple(dict.fromkeys(tails))


def _list_runs(heard: Sequence[Said]) -> tuple[Run, ...]:
    """List the run that ends with each answer among the messages.

    Of short ones and calls, only the last are listed.
    """
    answers = [at for at, one in enumerate(heard[:-1]) if one.role == "assistant" and at > 0]
    last = answers[-_SHORT_RUNS:]
    runs = []
    for at in answers:
        before, answer = heard[max(0, at - _RUN) : at], heard[at]
        if answer.call_ids and at not in last:
            continue
        for begins in (True, False) if at == _RUN else (at < _RUN,):
            found = _hash_run(before, answer, answer.digest(with_media=False), begins=begins)
            if found is not None and (at in last or not found[1]):
                runs.append(Run(at + 1, *found))
    return tuple(dict.fromkeys(runs))


def _hash_run(
    before: Sequence[Said], answer: Said, digest: bytes, *, begins: bool
) -> tuple[int, bool, bool] | None:
    """Hash an answer with the messages before it; return the digest, `is_short` and `has_id`.

    Return None if others would have the same by chance. A run that `begins` its completion is the
    same in the hashes of a chain, unless there is an image in it.
    """
    if ids := _list_unique_ids(answer):
        hashed = _hash(digest, "\x1f".join(ids).encode("utf-8", "surrogatepass"))
        return _read_hash(hashed), False, True
    if begins and not any([one.media for one in before]):
        return None
    size = len(answer.spoken)
    if begins and size < _SHORT_ANSWER:
        return None
    words = size + sum([len(one.spoken) for one in before if not one.is_result])
    is_short = size < _SHORT_ANSWER or (not begins and words < _SHORT_RUN)
    digests = [one.digest(with_media=False) for one in before]
    kind = len(before) if begins else -1
    hashed = _hash(kind.to_bytes(8, "big", signed=True), b"".join([*digests, digest]))
    return _read_hash(hashed), is_short, False


def _list_unique_ids(answer: Said) -> list[str]:
    """List the ids of the calls of an answer that no other call has, in alphabetical order."""
    found = []
    for call_id in answer.call_ids:
        rest = call_id[:_MAX_ID]
        for name, _ in answer.calls:
            rest = rest.replace(name, "") if name else rest
        if _UNIQUE_ID.search(rest):
            found.append(call_id)
    return sorted(found)


def _hash(before: bytes, digest: bytes) -> bytes:
    """Hash a digest after those whose own digest is `before`, in 64 bits."""
    return blake2b(before + digest, digest_size=8).digest()


def _read_hash(hashed: bytes) -> int:
    """Read a hash as a number that databases can store."""
    return int.from_bytes(hashed, "big", signed=True)
