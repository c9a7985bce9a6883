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
from webapp.reading import MAX_LIMIT, PageRequest
from webapp.services import deadline, services
from webapp.templating import RenderContext
from webapp.upstream import Deadline, UpstreamError, check_id
from webapp.views import read_whole_number

bp = Blueprint("conversations", __name__)

REQUESTS_AT_ONCE = 10
"""On one page."""
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
    """The end of a branch, for a tab."""

    end: StoredRequest
    count: int
    is_shown: bool


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
    steps = tuple(_iter_steps(source, conversation, path, first - 1, deadline()))
    return render_template(
        "conversations/show.html",
        conversation=conversation,
        path=path,
        end=end,
        first=first,
        steps=steps,
        following=first + len(steps) if first - 1 + len(steps) < len(path) else None,
        branches=[
            Branch(one, len(conversation.path_to(one)), one is conversation.last_of(end))
            for one in conversation.iter_ends()
        ],
    )


def _iter_steps(
    source: ConversationSource,
    conversation: Conversation,
    path: Sequence[StoredRequest],
    start: int,
    until: Deadline,
) -> Iterator[Step]:
    """Yield the steps from place `start` on; the settings of each are compared with those before.

    Ends early, after at least one step, with half of the deadline.
    """
    known: Completion | None = None
    context: RenderContext | None = None
    for at in range(start, min(len(path), start + REQUESTS_AT_ONCE)):
        if at > start and not until.leaves(until.seconds / 2):
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
            context = _load(here, step.number, context, until)
            if before is not None and known is None:
                known = services().upstream.retrieve_completion(before.id, deadline=until)
        except UpstreamError as problem:
            yield replace(step, problem=problem)
            known = None
            continue
        completion = context.section.completion
        if before is not None and known is not None and completion is not None:
            groups = compare_settings(known, completion, Budget())
            changes = {name: found for name, found in groups.items() if name not in _SAID_APART}
            difference = source.find_prompt_difference(before.id, here.id)
            step = replace(step, changes=changes, difference=difference)
        known = completion
        yield replace(step, context=context)


def _load(
    here: StoredRequest, number: int, before: RenderContext | None, until: Deadline
) -> RenderContext:
    """Load the new messages and the answer of a request, with DOM ids of their own.

    Results are linked to the calls of the answer before them.
    """
    page = PageRequest(after=here.after, limit=MAX_LIMIT, shown=here.inherited)
    section = services().loader.load_page(here.id, page, until)
    answers = before.section.outputs if before else ()
    asked = {call.call.id: call for answer in answers for call in answer.calls if call.call.id}
    for entry in (*section.entries, *section.outputs):
        entry.prefix = f"r{number}-"
        if entry.answers is None:
            entry.asked_above = asked.get(entry.message.tool_call_id or "")
    return before.continue_with(section) if before else RenderContext.for_request(section)


def _count_seconds(here: StoredRequest, following: StoredRequest | None) -> int | None:
    """Count the seconds between two requests; None if a time is not known."""
    if following is None or not here.created or not following.created:
        return None
    seconds = following.created - here.created
    return seconds if seconds >= 0 else None
