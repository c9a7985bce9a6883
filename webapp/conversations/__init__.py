"""Completions that continue each other, as values: who continues whom, and where they part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

__all__ = [
    "Conversation",
    "ConversationSource",
    "PromptDifference",
    "StoredRequest",
    "find_parting",
]


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """One completion of a conversation; a number is None if it is not known.

    Its first `inherited` messages are those of `parent`, with its answer if that is repeated, and
    `after` is the id of the last of them. `depth` counts the messages without those of the system.
    Two requests with the same `digest` have the same messages. If it does not repeat those of its
    parent exactly, a client cleared results or sent images otherwise.
    """

    id: str
    created: int
    messages: int
    depth: int
    inherited: int
    digest: int
    model: str | None = None
    reasons: tuple[str, ...] = ()
    total_tokens: int | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    duration_ms: int | None = None
    parent: str | None = None
    after: str | None = None
    repeats: bool = False

    @property
    def added(self) -> int:
        """The number of messages that its parent does not have."""
        return self.messages - self.inherited


@dataclass(frozen=True, slots=True)
class Conversation:
    """Requests by time, of which each but the first may continue another.

    `total` counts them, also those that were too many to be read.
    """

    requests: tuple[StoredRequest, ...]
    total: int
    _by_id: dict[str, StoredRequest] = field(init=False, repr=False, compare=False)
    _children: dict[str | None, list[StoredRequest]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_id = {request.id: request for request in self.requests}
        children = defaultdict(list)
        for request in self.requests:
            children[request.parent if request.parent in by_id else None].append(request)
        object.__setattr__(self, "_by_id", by_id)
        object.__setattr__(self, "_children", dict(children))

    @property
    def tokens(self) -> int | None:
        """The tokens of all requests together; None if no request has any."""
        counts = [one.total_tokens for one in self.requests if one.total_tokens is not None]
        return sum(counts) if counts else None

    def find(self, completion_id: str) -> StoredRequest | None:
        return self._by_id.get(completion_id)

    def number(self, request: StoredRequest) -> int:
        """Return the place of `request` by time, from 1."""
        return self.requests.index(request) + 1

    def parent_of(self, request: StoredRequest) -> StoredRequest | None:
        return self._by_id.get(request.parent or "")

    def children_of(self, request: StoredRequest | None) -> Sequence[StoredRequest]:
        """Return the requests that continue `request`, or the ones that continue none."""
        return self._children.get(request.id if request else None, ())

    def others_beside(self, request: StoredRequest) -> list[StoredRequest]:
        """List the other requests with the parent of `request`."""
        beside = self.children_of(self.parent_of(request))
        return [one for one in beside if one is not request]

    def is_retry(self, request: StoredRequest, other: StoredRequest) -> bool:
        """Return whether both ask the same; if not, one is an edit or another branch."""
        return request.digest == other.digest

    def path_to(self, request: StoredRequest) -> list[StoredRequest]:
        """List the requests from the first one to `request`, each continuing the one before.

        Those that were stored as if they continued each other make no endless path.
        """
        path = [request]
        while (parent := self.parent_of(path[-1])) and len(path) < len(self.requests):
            path.append(parent)
        return path[::-1]

    def last_of(self, request: StoredRequest) -> StoredRequest:
        """Follow the latest child each time to the end of the branch that `request` leads to."""
        for _ in self.requests:
            children = self.children_of(request)
            if not children:
                break
            request = children[-1]
        return request

    def iter_ends(self) -> Iterator[StoredRequest]:
        """Yield the requests that nothing continues, by time: each is the end of a branch."""
        return (request for request in self.requests if not self.children_of(request))


@dataclass(frozen=True, slots=True)
class PromptDifference:
    """Where the prompt of a request first differs from that of the one before it.

    `message` is the place of the first differing message, from 0, and None if the earlier prompt is
    the beginning of the later one. Its `role` was `former_role` if that differs. `character` counts
    from 1; None if the texts are the same, and only the form differs. `before` and `after` are the
    words there, and `further` the text from `after` on. `share` is the part of the later prompt
    that is the same, from 0 to 1, counted in characters of JSON. `cleared` counts the messages
    whose results were cleared or shortened before anything else differs.
    """

    share: float
    message: int | None = None
    role: str = ""
    former_role: str = ""
    character: int | None = None
    before: str = ""
    after: str = ""
    further: str = ""
    cleared: int = 0


def find_parting(source: ConversationSource, completion_id: str) -> PromptDifference | None:
    """Find where the prompt of a completion parts from that of the one it continues.

    None if it continues none that is stored.
    """
    conversation = source.find_conversation(completion_id)
    request = conversation.find(completion_id) if conversation else None
    parent = conversation.parent_of(request) if conversation and request else None
    return source.find_prompt_difference(parent.id, completion_id) if parent else None


class ConversationSource(Protocol):
    """A store that knows which completions continue each other."""

    def find_conversation(self, completion_id: str, *, most: int = ...) -> Conversation | None:
        """Find the first requests of a completion's conversation; None if it is not known."""

    def find_version(self, completion_id: str) -> bytes | None:
        """Find a value that changes with a completion; None if there is no completion."""

    def find_continued(
        self, completion_ids: Sequence[str], *, most: int = ...
    ) -> dict[str, Conversation]:
        """Find the conversations of those completions that are not alone in theirs."""

    def find_prompt_difference(
        self, earlier: str, later: str, *, beyond_system: bool = ...
    ) -> PromptDifference | None:
        """Find where the prompts of two completions part; None if one is not stored.

        If `beyond_system`, messages of the system may differ, as by a clock.
        """
