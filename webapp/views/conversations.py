"""A conversation: the completions that continue each other, as one transcript."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from webapp.analysis.differences import Budget, Difference, compare_settings
from webapp.completions import Completion
from webapp.conversations import (
    Conversation,
    ConversationSource,
    PromptDifference,
    StoredRequest,
)
from webapp.formatting import count, first_words
from webapp.reading import MAX_LIMIT, TranscriptRequest
from webapp.services import services, start_deadline
from webapp.templating import RenderContext
from webapp.templating.listing import time_beside
from webapp.upstream import Deadline, UpstreamError, check_id
from webapp.views import read_whole_number

bp = Blueprint("conversations", __name__)

REQUESTS_AT_ONCE = 10
"""On one page."""
MAX_WITH_WORDS = 8
"""Branches whose words are compared with those of another."""
_SAID_APART = frozenset({"Usage", "Timing", "Identity", "Metadata"})


@dataclass(frozen=True, slots=True)
class Step:
    """One request of the branch that is shown: its new messages, its line and its answer.

    `changes` are the differences of its settings from those of the request before it, by group;
    `difference` is where its prompt parts from that one's. `problem` is why it could not be read.
    """

    request: StoredRequest
    number: int
    branches: Sequence[tuple[str, StoredRequest]]
    seconds: int | None
    context: RenderContext | None = None
    changes: dict[str, tuple[Difference, ...]] | None = None
    difference: PromptDifference | None = None
    problem: UpstreamError | None = None

    @property
    def cached_share(self) -> float | None:
        """The part of the prompt that the server had in its cache."""
        cached, prompt = self.request.cached_tokens, self.request.prompt_tokens
        return None if cached is None or not prompt else min(1.0, cached / prompt)


@dataclass(frozen=True, slots=True)
class Branch:
    """The end of a branch, for a tab; `facts` say how it differs from the other branches."""

    end: StoredRequest
    is_shown: bool
    facts: tuple[str, ...]


@bp.get("/conversations/<completion_id>")
def show(completion_id: str) -> ResponseReturnValue:
    """Show the branch that leads to the end `branch`, or to the last request after this one.

    `first` is the place of the first request on the page, from 1. Each message is shown once.
    """
    completion_id = check_id(completion_id)
    source = services().conversations
    if source is None:
        return render_template("conversations/elsewhere.html", completion_id=completion_id)
    conversation = source.find_conversation(completion_id)
    here = conversation.find(completion_id) if conversation else None
    if conversation is None or here is None:
        abort(404, "There is no such completion in the store, or it has not been prepared yet.")
    end = conversation.find(request.args.get("branch", "")) or conversation.last_of(here)
    path = conversation.path_to(end)
    first = read_whole_number("first", default=1, low=1, high=10**6)
    if first > len(path):
        abort(404, f"There is no request {first}: this branch has {len(path)}.")
    steps = tuple(_iter_steps(source, conversation, path, first - 1, start_deadline()))
    return render_template(
        "conversations/show.html",
        conversation=conversation,
        path=path,
        end=end,
        first=first,
        steps=steps,
        following=first + len(steps) if first - 1 + len(steps) < len(path) else None,
        branches=_list_branches(source, conversation, end),
    )


def _list_branches(
    source: ConversationSource, conversation: Conversation, shown: StoredRequest
) -> list[Branch]:
    """List the branches, with the times, the models and the words in which they differ."""
    paths = [conversation.path_to(end) for end in conversation.iter_ends()]
    ends = [path[-1] for path in paths]
    has_models = len({end.model for end in ends}) > 1
    last = conversation.last_of(shown)
    branches = []
    known: set[tuple[str, ...]] = set()
    for at, path in enumerate(paths):
        end = path[-1]
        facts = [count(len(path), "request")]
        if end.created:
            facts.append(f"to {time_beside(end.created, conversation.requests[0].created)}")
        if has_models and end.model:
            facts.append(end.model)
        if len(paths) > 1 and at < MAX_WITH_WORDS:
            facts += _describe_parting(source, conversation, path, paths[:at] + paths[at + 1 :])
        if tuple(facts) in known:
            facts.append(f"…{end.id[-8:]}")
        known.add(tuple(facts))
        branches.append(Branch(end, end is last, tuple(facts)))
    return branches


def _describe_parting(
    source: ConversationSource,
    conversation: Conversation,
    path: list[StoredRequest],
    others: list[list[StoredRequest]],
) -> list[str]:
    """Describe where a branch parts from the nearest other one: a retry, or the words that differ.

    Those of the system do not count: a clock in them differs everywhere.
    """
    shared, nearest = max(
        ((_count_shared(path, other), other) for other in others), key=lambda pair: pair[0]
    )
    if shared >= min(len(path), len(nearest)):
        return []
    if conversation.is_retry(path[shared], nearest[shared]):
        return [f"retry at request {conversation.number(path[shared])}"]
    difference = source.find_prompt_difference(
        nearest[shared].id, path[shared].id, beyond_system=True
    )
    words = difference.further if difference else ""
    return [f"“{first_words(words, 40)}”"] if words.strip() else []


def _count_shared(path: list[StoredRequest], other: list[StoredRequest]) -> int:
    pairs = enumerate(zip(path, other, strict=False))
    return next((at for at, (a, b) in pairs if a is not b), min(len(path), len(other)))


def _iter_steps(
    source: ConversationSource,
    conversation: Conversation,
    path: Sequence[StoredRequest],
    start: int,
    deadline: Deadline,
) -> Iterator[Step]:
    """Yield the steps from place `start` on; the settings of each are compared with those before.

    Ends early, after at least one step, with half of the deadline.
    """
    known: Completion | None = None
    context: RenderContext | None = None
    for at in range(start, min(len(path), start + REQUESTS_AT_ONCE)):
        if at > start and not deadline.leaves(deadline.seconds / 2):
            return
        here, before = path[at], path[at - 1] if at else None
        step = Step(
            here,
            conversation.number(here),
            [
                ("retry" if conversation.is_retry(here, other) else "edit", other)
                for other in conversation.others_beside(here)
            ],
            _count_seconds(here, path[at + 1] if at + 1 < len(path) else None),
        )
        try:
            context = _load(here, step.number, context, deadline)
            if before is not None and known is None:
                known = services().upstream.retrieve_completion(before.id, deadline=deadline)
        except UpstreamError as problem:
            yield replace(step, problem=problem)
            known = None
            continue
        completion = context.page.completion
        if before is not None and known is not None and completion is not None:
            groups = compare_settings(known, completion, Budget())
            changes = {name: found for name, found in groups.items() if name not in _SAID_APART}
            difference = source.find_prompt_difference(before.id, here.id)
            step = replace(step, changes=changes, difference=difference)
        known = completion
        yield replace(step, context=context)


def _load(
    here: StoredRequest, number: int, before: RenderContext | None, deadline: Deadline
) -> RenderContext:
    """Load the new messages and the answer of a request, with DOM ids of their own.

    Results are linked to the calls of the answer before them.
    """
    request = TranscriptRequest(after=here.after, limit=MAX_LIMIT, shown=here.inherited)
    page = services().loader.load_page(here.id, request, deadline)
    answers = before.page.outputs if before else ()
    asked = {call.call.id: call for answer in answers for call in answer.calls if call.call.id}
    for entry in (*page.entries, *page.outputs):
        entry.prefix = f"r{number}-"
        if entry.answers is None:
            entry.asked_above = asked.get(entry.message.tool_call_id or "")
    return before.continue_with(page) if before else RenderContext.for_request(page)


def _count_seconds(here: StoredRequest, following: StoredRequest | None) -> int | None:
    """Count the seconds between two requests; None if a time is not known."""
    if following is None or not here.created or not following.created:
        return None
    seconds = following.created - here.created
    return seconds if seconds >= 0 else None
